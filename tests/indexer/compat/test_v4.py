"""Every route of the v4 layer: its shape, and its values against the reducer, to the wei."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sdk.events import Undecodable, decode, operator_public_key_text
from sdk.registry import RegistryState
from sdk.types import checksum_address
from tests.indexer.api.world import Api, Reference
from tests.indexer.chain import KEYS, OWNERS
from tests.indexer.compat.conftest import Get

UNIT = 100_000
GWEI = 10**9
PAGINATION = {
    *("total", "pages", "per_page", "page", "current_first", "current_last", "has_next_page"),
}
OPERATOR = {
    *("id", "id_str", "declared_fee", "previous_fee", "fee", "eth_fee", "public_key"),
    *("owner_address", "address_whitelist", "whitelist_addresses", "whitelisting_contract"),
    *("is_private", "location", "setup_provider", "eth1_node_client", "eth2_node_client"),
    *("ssv_client", "mev_relays", "description", "website_url", "twitter_url", "linkedin_url"),
    *("dkg_address", "logo", "type", "name", "performance", "is_valid", "is_deleted"),
    *("is_active", "status", "validators_count", "effective_balance", "migrated", "block"),
    *("created_at", "updated_at", "version", "network"),
}
VALIDATOR = {
    *("id", "public_key", "cluster", "owner_address", "status", "is_valid", "is_deleted"),
    *("is_liquidated", "is_public_key_valid", "is_shares_valid", "is_operators_valid"),
    *("operators", "block", "created_at", "updated_at", "validator_info", "version", "network"),
}
CLUSTER = {
    *("id", "clusterId", "ownerAddress", "operators", "validatorCount", "networkFeeIndex"),
    *("index", "balance", "ethBalance", "active", "isLiquidated", "migrated"),
    *("effectiveBalance", "name", "blockNumber", "createdAt", "updatedAt", "version", "network"),
}


def every(get: Get, path: str, field: str, **params: Any) -> list[Any]:
    """All pages of a list."""
    found: list[Any] = []
    page = 1
    while True:
        body = get(path, page=page, perPage=7, **params)
        found += body[field]
        told = body["pagination"]
        assert set(told) == PAGINATION
        assert (told["page"], told["per_page"]) == (page, 7)
        assert told["pages"] == -(-told["total"] // 7)
        assert told["current_last"] == len(found)
        if not told["has_next_page"]:
            assert told["total"] == len(found)
            return found
        page += 1


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_operators_with_their_fees_and_lists(get: Get, state: RegistryState, api: Api) -> None:
    found = every(get, "operators", "operators")
    live = [each for each in state.operators.values() if each.removed_at is None]
    assert [each["id"] for each in found] == sorted(each.operator_id for each in live)
    for shown in found:
        each = state.operators[shown["id"]]
        assert set(shown) == OPERATOR
        assert shown["eth_fee"] == str(each.fee_units * UNIT)
        declared = each.declared_fee
        assert shown["declared_fee"] == str(0 if declared is None else declared.fee_units * UNIT)
        assert shown["owner_address"] == checksum_address(each.owner)
        assert shown["public_key"] == operator_public_key_text(each.public_key)
        assert shown["validators_count"] == each.validator_count
        assert shown["effective_balance"] == str(each.effective_balance_eth)
        assert shown["is_private"] is each.is_private
        listed = [owner for owner in sorted(OWNERS) if state.admits(each.operator_id, owner)]
        assert set(map(checksum_address, listed)) <= set(shown["whitelist_addresses"])
        assert shown["performance"] == {"24h": None, "30d": None}
        born = api.chain.blocks[shown["block"]]
        assert second(shown["created_at"].removesuffix("Z")) == int(born["timestamp"], 16)
        assert get(f"operators/{each.operator_id}") == shown
    assert len(found) > 5


def test_operators_can_be_filtered_and_ordered(get: Get, state: RegistryState) -> None:
    def ids(**params: Any) -> list[int]:
        return [each["id"] for each in every(get, "operators", "operators", **params)]

    live = {key: each for key, each in state.operators.items() if each.removed_at is None}
    assert ids(ordering="id:desc") == sorted(live, reverse=True)
    by_fee = sorted(live, key=lambda key: (live[key].fee_units, key), reverse=True)
    assert ids(ordering="ethFee:desc") == by_fee
    assert ids(id="1,2,4711") == [1, 2]
    assert ids(isPrivate="true") == sorted(key for key in live if live[key].is_private)
    assert ids(location="Atlantis") == ids(status="active") == []
    assert ids(performance24h="0,100", fee="0,200") == sorted(live)
    assert ids(search="2") == [2]
    owner = live[min(live)].owner
    mine = sorted(key for key in live if live[key].owner == owner)
    assert ids(ownerAddress=checksum_address(owner)) == mine
    owned = every(get, f"operators/owned_by/{checksum_address(owner)}", "operators", withFee="true")
    assert [each["id"] for each in owned] == mine


def test_operators_by_key_and_what_is_not_known(get: Get, state: RegistryState) -> None:
    key = operator_public_key_text(state.operators[min(state.operators)].public_key)
    found = get(f"operators/public_key/{key}")["data"]
    assert (found["id"], found["publicKey"]) == (min(state.operators), key)
    assert "data" not in get("operators/public_key/unknown")
    assert get("operators/locations") == get("operators/nodes/1") == []
    assert get("operators/nodes/all") == {"ETH1_NODE": [], "ETH2_NODE": [], "SSV_NODE": []}


@pytest.mark.parametrize("detail", ["true", "minimal", "false"])
def test_clusters_are_the_struct_that_calls_must_present(
    get: Get, state: RegistryState, detail: str
) -> None:
    found = every(get, "clusters", "clusters", operatorDetails=detail)
    assert len(found) == len(state.clusters) > 5
    for shown in found:
        each = state.clusters[bytes.fromhex(shown["clusterId"][2:])]  # type: ignore[index]
        assert set(shown) == CLUSTER
        snapshot = each.snapshot
        assert shown["validatorCount"] == snapshot.validator_count
        assert shown["networkFeeIndex"] == str(snapshot.network_fee_index)
        assert shown["index"] == str(snapshot.index)
        assert (shown["balance"], shown["ethBalance"]) == ("0", str(snapshot.balance_wei))
        assert shown["active"] is snapshot.active is not shown["isLiquidated"]
        assert shown["ownerAddress"] == checksum_address(each.owner)
        assert shown["effectiveBalance"] == str(each.effective_balance_eth)
        ids = [one if detail == "false" else one["id"] for one in shown["operators"]]
        assert ids == list(each.operator_ids)
        if detail == "true":
            assert set(shown["operators"][0]) == OPERATOR
        name = shown["clusterId"].removeprefix("0x")
        assert get(f"clusters/{name}", operatorDetails=detail)["cluster"] == shown
        total = get(f"clusters/{name}/totalEffectiveBalance")
        assert total["effectiveBalance"] == str(each.effective_balance_eth * GWEI)


def test_clusters_can_be_filtered(get: Get, state: RegistryState) -> None:
    def names(path: str = "clusters", **params: Any) -> set[str]:
        return {each["clusterId"] for each in every(get, path, "clusters", **params)}

    def those(wanted: Any) -> set[str]:
        return {"0x" + key.hex() for key, each in state.clusters.items() if wanted(each)}

    owner = checksum_address(OWNERS[1])
    mine = those(lambda each: each.owner == OWNERS[1])
    assert names(ownerAddress=owner) == names(search=owner.lower()) == mine
    assert names(f"clusters/owner/{owner}", ordering="validatorCount:desc", withFee="true") == mine
    assert names(isLiquidated="true") == those(lambda each: not each.snapshot.active)
    assert names(status="true") == those(lambda each: each.snapshot.active)
    assert names(operators="1,5") == those(lambda each: {1, 5} <= set(each.operator_ids))
    assert names(effectiveBalance="33,200") == those(
        lambda each: 33 <= each.effective_balance_eth <= 200
    )
    assert get("clusters/" + "77" * 32)["cluster"] is None


def test_validators_with_what_nodes_make_of_them(get: Get, state: RegistryState) -> None:
    found = every(get, "validators", "validators", includeOperatorData="minimal")
    assert len(found) == len(state.validators) > 3
    blocks = [each["block"] for each in found]
    assert blocks == sorted(blocks, reverse=True)
    for shown in found:
        owner = next(each for each in OWNERS if checksum_address(each) == shown["owner_address"])
        each = state.validators[owner, bytes.fromhex(shown["public_key"])]
        assert set(shown) == VALIDATOR
        assert shown["is_valid"] is (each.refusal is None)
        cluster = state.clusters[each.cluster_id]
        assert shown["is_liquidated"] is not cluster.snapshot.active
        assert [one["id"] for one in shown["operators"]] == list(cluster.operator_ids)
        assert shown["cluster"] == "0x" + each.cluster_id.hex()
        assert shown["block"] == each.registered_at
        assert shown["validator_info"] == {
            "index": None,
            "effective_balance": each.effective_balance_eth * GWEI,
            "status": None,
            "activation_epoch": None,
        }


def test_a_key_is_shown_as_nodes_act_on_it(get: Get, state: RegistryState) -> None:
    for key in {key for _, key in state.validators}:
        shown = get(f"validators/{key.hex()}")
        held = [each for each in state.validators.values() if each.public_key == key]
        assert shown["is_valid"] is any(each.refusal is None for each in held)
        record = get(f"validators/isRegisteredValidator/0x{key.hex()}")["data"]
        assert record["ownerAddress"] == shown["owner_address"]
        assert len(record["sharesPublicKeys"]) == len(record["encryptedKeys"])
        shares = bytes.fromhex(record["shares"][2:])
        if record["sharesPublicKeys"]:
            parts = [*record["sharesPublicKeys"], *record["encryptedKeys"]]
            assert shares[96:] == b"".join(bytes.fromhex(part[2:]) for part in parts)
        assert record["addedAtBlockNumber"] == shown["block"]


def test_validators_by_operator_cluster_and_keys(api: Api, get: Get, state: RegistryState) -> None:
    def keys(path: str, **params: Any) -> set[str]:
        return {each["public_key"] for each in every(get, path, "validators", **params)}

    def those(wanted: Any) -> set[str]:
        return {key.hex() for (_, key), each in state.validators.items() if wanted(each)}

    with_five = those(lambda each: 5 in state.clusters[each.cluster_id].operator_ids)
    assert keys("validators/in_operator/5") == keys("validators", operator="5") == with_five
    name = next(iter(state.validators.values())).cluster_id
    mine = those(lambda each: each.cluster_id == name)
    assert keys("validators", cluster=name.hex()) == mine
    assert set(get(f"validators/validatorsByClusterHash/0x{name.hex()}")["data"]) == mine
    some = sorted(mine)[0]
    assert keys("validators", search=some) == {some}
    assert keys("validators", status="active") == set()
    sent = ["0x" + KEYS[0].hex(), "ab" * 48]
    known = {key.hex() for _, key in state.validators}
    body = {"publicKeys": sent}
    answer = api.post("/api/v4/31337/validators/registeredByPublicKeys", body)["data"]
    assert answer["registered"] == [each for each in sent if each.removeprefix("0x") in known]
    assert sorted(answer["registered"] + answer["notRegistered"]) == sorted(sent)


def test_totals(get: Get, state: RegistryState) -> None:
    active = [each for each in state.clusters.values() if each.snapshot.active]
    count = sum(each.validator_count for each in active)
    assert get("validators/countActiveValidators", isLiquidated="false")["data"] == count
    eth = str(sum(each.effective_balance_eth for each in active))
    for path in ("validators/totalEffectiveBalance", "statistics/totalEffectiveBalance"):
        assert get(path) == {"total_effective_balance": eth}


def test_accounts_with_their_next_nonce(get: Get, state: RegistryState) -> None:
    found = {each["ownerAddress"]: each for each in every(get, "accounts", "accounts")}
    owners = {each.owner for each in state.operators.values()} | {*state.accounts}
    assert set(found) == set(map(checksum_address, owners))
    for owner in owners:
        mine = [each for each in state.clusters.values() if each.owner == owner]
        operators = [each for each in state.operators.values() if each.owner == owner]
        live = [each for each in operators if each.removed_at is None]
        account = state.account(owner)
        shown = found[checksum_address(owner)]
        held = {
            "operators": len(live),
            "clusters": len(mine),
            "validators": sum(each.validator_count for each in mine),
            "effectiveBalance": str(sum(each.effective_balance_eth for each in mine) * GWEI),
            "totalOperatorEthManaged": str(sum(each.effective_balance_eth for each in live)),
        }
        assert {name: shown[name] for name in held} == held
        assert shown["nonce"] == account.next_nonce
        assert shown["recipientAddress"] == checksum_address(account.fee_recipient or owner)
        text = checksum_address(owner)
        assert get(f"accounts/{text}")["data"] == shown
        assert get(f"accounts/counts/{text}")["data"] == held
    clusters = [each["ownerAddress"] for each in every(get, "accounts", "accounts", clusters="1,9")]
    assert set(clusters) == {name for name, each in found.items() if each["clusters"] >= 1}
    nobody = get("accounts/0x" + "77" * 20)["data"]
    assert (nobody["nonce"], nobody["validators"]) == (0, 0)


def test_events_newest_first(get: Get, told: Reference) -> None:
    named = {
        (log.block_number, log.log_index): type(event).__name__
        for log in told.logs
        if not isinstance(event := decode(log.topics, log.data), Undecodable)
    }
    found = every(get, "events", "data")
    places = [(each["blockNumber"], each["logIndex"]) for each in found]
    assert places == sorted(named, reverse=True)
    assert [each["event"] for each in found] == [named[place] for place in places]
    clusters = every(get, "events", "data", entity="cluster", ordering="blockNumber:asc")
    assert {each["event"][:7] for each in clusters} == {"Cluster"}
    owner = checksum_address(OWNERS[0])
    mine = every(get, f"events/ownerAddress/{owner}", "data")
    assert mine == [each for each in found if each["ownerAddress"] == owner]
    added = get("events/operator/3", event="OperatorAdded", perPage=100)
    assert [each["event"] for each in added] == ["OperatorAdded"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v4/mainnet/operators", 404, "network_unknown"),
        ("/api/v4/31337/operators?page=0", 400, "page_out_of_bounds"),
        ("/api/v4/31337/operators?perPage=101", 400, "page_out_of_bounds"),
        ("/api/v4/31337/validators?page=1001&perPage=10", 400, "page_out_of_bounds"),
        ("/api/v4/31337/validators?page=x", 400, "number_malformed"),
        ("/api/v4/31337/clusters?effectiveBalance=1", 400, "range_malformed"),
        ("/api/v4/31337/clusters/nonsense", 400, "cluster_malformed"),
        ("/api/v4/31337/clusters/" + "77" * 32 + "/totalEffectiveBalance", 404, "cluster_unknown"),
        ("/api/v4/31337/operators/4711", 404, "operator_unknown"),
        ("/api/v4/31337/operators/x", 400, "operator_ids_malformed"),
        ("/api/v4/31337/validators/" + "77" * 48, 404, "validator_unknown"),
        ("/api/v4/31337/validators/12", 400, "key_malformed"),
        ("/api/v4/31337/accounts/0x12", 400, "address_malformed"),
        ("/api/v4/31337/operators?id=" + "1," * 101, 400, "too_many_values"),
        ("/api/v4/31337/duties/12", 404, "route_unknown"),
    ],
)
def test_what_is_wrong_is_said(api: Api, path: str, status: int, code: str) -> None:
    answer = api.ask(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_answers_tell_how_far_the_tables_go(api: Api) -> None:
    answer = api.ask("/api/v4/31337/accounts")
    assert answer.headers["X-Indexed-Block"] == str(api.chain.head)
    assert "max-age" in answer.headers["Cache-Control"]
