"""The operations that the existing SDK sends, with its fields and variables, against the reducer.

Names of fields and arguments are facts of the existing clients; the texts are ours.
"""

from __future__ import annotations

from typing import Any

import pytest

from sdk.events import operator_public_key_bytes
from sdk.registry import BASELINE_ETH, Cluster, Parties, RegistryState, ledger
from sdk.testing import builders
from sdk.types import Address, BlockNumber
from tests.indexer.api.world import Api, Reference
from tests.indexer.chain import CONTRACT, KEYS, OWNERS
from tests.indexer.graphql.conftest import AT, BLOCKS, Ask

NEWEST = BLOCKS - 1
UNIT = 100_000
DAO = "0x" + CONTRACT.hex()
NONCE = "query ($owner: ID!) { account(id: $owner) { nonce } }"
NONCE_AT = """query ($owner: ID!, $block: Int) {
  account(id: $owner, block: {number: $block}) { nonce }
}"""
CLUSTER = """query ($id: ID!) { cluster(id: $id) {
  owner { id } feeAsset active validatorCount balance index networkFeeIndex operatorIds
  effectiveBalance
} }"""
CLUSTERS = """query ($owner: String!) { clusters(where: {owner: $owner}) {
  id feeAsset active validatorCount balance index networkFeeIndex operatorIds effectiveBalance
} }"""
OPERATOR = """query ($id: ID!) { operator(id: $id) {
  id publicKey validatorCount isPrivate whitelistedContract whitelisted { id }
} }"""
OPERATORS = """query ($operatorIds: [String!]!) { operators(where: {id_in: $operatorIds}) {
  id publicKey validatorCount isPrivate whitelistedContract fee feeSSV whitelisted { id }
} }"""
VALIDATOR = "query ($id: ID!) { validator(id: $id) { id } }"
VALIDATORS = "query ($ids: [Bytes!]!) { validators(where: {id_in: $ids}) { id } }"
_DAO_FIELDS = """networkFee networkFeeIndex networkFeeIndexBlockNumber networkFeeSSV
  networkFeeIndexSSV networkFeeIndexBlockNumberSSV liquidationThreshold liquidationThresholdSSV
  minimumLiquidationCollateral minimumLiquidationCollateralSSV"""
DAO_VALUES = f"query ($dao: ID!) {{ daovalues(id: $dao) {{ {_DAO_FIELDS} }} }}"
BALANCE = f"""query ($clusterId: ID!, $daoAddress: ID!, $operatorIds: [String!]!) {{
  _meta {{ block {{ number }} }}
  daovalues(id: $daoAddress) {{ {_DAO_FIELDS} }}
  operators(where: {{id_in: $operatorIds}}) {{
    fee feeIndex feeIndexBlockNumber feeSSV feeIndexSSV feeIndexBlockNumberSSV
  }}
  cluster(id: $clusterId) {{
    feeAsset validatorCount networkFeeIndex index balance effectiveBalance
  }}
}}"""


def name(cluster: Cluster) -> str:
    return "-".join(["0x" + cluster.owner.hex(), *map(str, cluster.operator_ids)])


def struct(cluster: Cluster) -> dict[str, Any]:
    snapshot = cluster.snapshot
    return {
        "feeAsset": "ETH",
        "active": snapshot.active,
        "validatorCount": str(snapshot.validator_count),
        "balance": str(snapshot.balance_wei),
        "index": str(snapshot.index),
        "networkFeeIndex": str(snapshot.network_fee_index),
        "operatorIds": list(map(str, cluster.operator_ids)),
        "effectiveBalance": str(cluster.effective_balance_eth),
    }


def parties(state: RegistryState, cluster: Cluster) -> Parties:
    operators = tuple(state.operators[each] for each in cluster.operator_ids)
    return Parties(cluster, operators, state.network)


def cumulated_wei(found: Any) -> int:
    """What 32 ETH used since the last settlement, computed as clients do from the answers."""
    at, net, own = found["_meta"]["block"]["number"], found["daovalues"], found["cluster"]
    network = (
        int(net["networkFeeIndex"])
        + (at - int(net["networkFeeIndexBlockNumber"])) * int(net["networkFee"])
        - int(own["networkFeeIndex"]) * UNIT
    )
    operators = sum(
        int(each["feeIndex"]) + (at - int(each["feeIndexBlockNumber"])) * int(each["fee"])
        for each in found["operators"]
    )
    return int(network + operators - int(own["index"]) * UNIT)


@pytest.mark.parametrize("owner", OWNERS)
def test_the_nonce_is_the_next_one_now_and_at_past_blocks(
    ask: Ask, told: Reference, owner: Address
) -> None:
    for at in AT:
        expected = str(told.states[at].account(owner).next_nonce)
        found = ask(NONCE_AT, owner="0x" + owner.hex(), block=at)["account"]
        assert (found or {"nonce": "0"})["nonce"] == expected
    newest = str(told.states[NEWEST].account(owner).next_nonce)
    assert ask(NONCE, owner="0x" + owner.hex()) == {"account": {"nonce": newest}}
    # Clients send addresses in any case.
    assert ask(NONCE, owner="0x" + owner.hex().upper()) == {"account": {"nonce": newest}}


def test_nobody_has_no_account(ask: Ask) -> None:
    assert ask(NONCE, owner="0x" + "77" * 20) == {"account": None}


def test_a_cluster_is_the_struct_that_calls_must_present(ask: Ask, told: Reference) -> None:
    clusters = list(told.states[NEWEST].clusters.values())
    assert len(clusters) > 5
    for each in clusters:
        found = ask(CLUSTER, id=name(each))["cluster"]
        assert found == {"owner": {"id": "0x" + each.owner.hex()}, **struct(each)}


def test_unknown_and_malformed_clusters_are_null(ask: Ask) -> None:
    for text in ("0x" + "77" * 20 + "-1-2-3-4", "nonsense", "0x12-1-2-3-4", "0x" + "7" * 64, "-"):
        assert ask(CLUSTER, id=text) == {"cluster": None}


@pytest.mark.parametrize("owner", OWNERS)
def test_clusters_of_an_owner(ask: Ask, told: Reference, owner: Address) -> None:
    mine = [each for each in told.states[NEWEST].clusters.values() if each.owner == owner]
    found = ask(CLUSTERS, owner="0x" + owner.hex())["clusters"]
    assert found == sorted(({"id": name(each), **struct(each)} for each in mine), key=_id)


def test_operators_alone_and_together(ask: Ask, told: Reference) -> None:
    state = told.states[NEWEST]
    addresses = {*OWNERS, *(builders.address(number) for number in range(100))}
    expected: list[dict[str, Any]] = [
        {
            "id": str(each.operator_id),
            "publicKey": "0x" + each.public_key.hex(),
            "validatorCount": str(each.validator_count),
            "isPrivate": each.is_private,
            "whitelistedContract": "0x" + (each.whitelisting_contract or bytes(20)).hex(),
            "whitelisted": [
                {"id": "0x" + address.hex()}
                for address in sorted(addresses)
                if state.admits(each.operator_id, address)
            ],
        }
        for each in state.operators.values()
    ]
    assert any(each["whitelisted"] for each in expected)
    for each in expected:
        assert ask(OPERATOR, id=each["id"])["operator"] == each
    fees = {str(each.operator_id): str(each.fee_units * UNIT) for each in state.operators.values()}
    ids = [each["id"] for each in expected]
    found = ask(OPERATORS, operatorIds=[*ids, "4711", "x"])["operators"]
    wanted = [{**each, "fee": fees[each["id"]], "feeSSV": "0"} for each in expected]
    assert found == sorted(wanted, key=_id)
    assert ask(OPERATOR, id="4711") == {"operator": None}


def test_an_operators_key_is_as_it_was_registered(ask: Ask, told: Reference) -> None:
    """Clients decode it as an ABI-encoded text, which is what registrations write."""
    assert operator_public_key_bytes("key")[:32] == (32).to_bytes(32, "big")
    found = ask(OPERATOR, id="1")["operator"]["publicKey"]
    assert bytes.fromhex(found[2:]) == next(iter(told.states[NEWEST].operators.values())).public_key


def test_keys_that_were_registered_are_found(ask: Ask, told: Reference) -> None:
    known = {key for _, key in told.states[NEWEST].validators}
    assert known
    for key in known:
        assert ask(VALIDATOR, id="0x" + key.hex()) == {"validator": {"id": "0x" + key.hex()}}
    unknown = b"\x99" * 48
    assert ask(VALIDATOR, id=unknown.hex()) == {"validator": None}
    asked = [each.hex() for each in (*KEYS, unknown)]
    found = {each["id"] for each in ask(VALIDATORS, ids=asked)["validators"]}
    assert {"0x" + key.hex() for key in known} <= found
    assert "0x" + unknown.hex() not in found


def test_the_networks_values(ask: Ask, told: Reference) -> None:
    network = told.states[NEWEST].network
    parameters = network.parameters
    found = ask(DAO_VALUES, dao=DAO)["daovalues"]
    assert found == {
        "networkFee": str(network.fee_units * UNIT),
        "networkFeeIndex": str(network.index_units * UNIT),
        "networkFeeIndexBlockNumber": str(network.block),
        "liquidationThreshold": str(parameters.liquidation_period_blocks),
        "minimumLiquidationCollateral": str(parameters.minimum_collateral_wei),
        **dict.fromkeys(each for each in _DAO_FIELDS.split() if each.endswith("SSV")) | _NO_TOKEN,
    }
    assert ask(DAO_VALUES, dao="0x" + "11" * 20) == {"daovalues": None}


def test_the_clients_formula_gives_the_ledgers_balance(ask: Ask, told: Reference) -> None:
    """The SDK counts whole multiples of 32 ETH only; there it must agree to the wei."""
    state = told.states[NEWEST]
    active = [each for each in state.clusters.values() if each.snapshot.active]
    whole = 0
    for each in active:
        found = ask(
            BALANCE,
            clusterId=name(each),
            daoAddress=DAO,
            operatorIds=list(map(str, each.operator_ids)),
        )
        assert found["_meta"]["block"]["number"] == NEWEST
        settled = ledger.settle_cluster(parties(state, each), at=BlockNumber(NEWEST)).snapshot
        units, rest = divmod(int(found["cluster"]["effectiveBalance"]), BASELINE_ETH)
        exact = -(-cumulated_wei(found) // UNIT * (units * BASELINE_ETH + rest) // BASELINE_ETH)
        balance = int(found["cluster"]["balance"])
        assert max(0, balance - exact * UNIT) == settled.balance_wei
        if rest == 0:
            assert max(0, balance - cumulated_wei(found) * units) == settled.balance_wei
            whole += 1
    assert len(active) > 2
    assert whole > 0


@pytest.mark.parametrize("at", AT)
def test_the_formula_holds_at_past_blocks(ask: Ask, told: Reference, api: Api, at: int) -> None:
    state = told.states[at]
    dated = BALANCE.replace("_meta {", f"_meta(block: {{number: {at}}}) {{")
    for root in ("daovalues(", "operators(", "cluster("):
        dated = dated.replace(root, f"{root}block: {{number: {at}}}, ")
    for each in state.clusters.values():
        if not each.snapshot.active:
            continue
        ids = list(map(str, each.operator_ids))
        found = ask(dated, clusterId=name(each), daoAddress=DAO, operatorIds=ids)
        assert found["_meta"]["block"]["number"] == at
        accrued = ledger.accrued_per_baseline_units(parties(state, each), at=BlockNumber(at))
        assert cumulated_wei(found) == accrued * UNIT


def _id(entry: dict[str, Any]) -> Any:
    return entry["id"]


_NO_TOKEN = {each: "0" for each in _DAO_FIELDS.split() if each.endswith("SSV")}
