"""Every route that tells of the registry, against the reducer's own state, to the wei."""

from __future__ import annotations

import pytest

from sdk.registry import RegistryState, ledger, runway
from sdk.types import BlockNumber, OperatorId, checksum_address
from sdk.units import units_to_wei
from tests.indexer.api.conftest import AT
from tests.indexer.api.world import Api, Reference

pytestmark = pytest.mark.slow


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


@pytest.mark.parametrize("at", AT)
def test_operators_are_those_of_the_state_at_any_block(api: Api, told: Reference, at: int) -> None:
    state = told.states[at]
    shown = api.every("/v1/operators", at=at, limit=3)
    assert [each["id"] for each in shown] == sorted(state.operators)
    for each in shown:
        operator = state.operators[OperatorId(each["id"])]
        settled = ledger.settle_operator(operator, at=BlockNumber(at))
        assert each["owner"] == checksum_address(operator.owner)
        assert each["fee_wei"] == str(units_to_wei(operator.fee_units))
        assert each["earnings_wei"] == str(units_to_wei(settled.credit_units))
        assert each["validators"] == operator.validator_count
        assert each["effective_balance_eth"] == operator.effective_balance_eth
        assert each["is_private"] == operator.is_private
        assert each["removed_at_block"] == operator.removed_at
        alone = api.get(f"/v1/operators/{each['id']}", at=at)
        assert alone["data"] == each
        assert alone["meta"]["block"]["number"] == at


@pytest.mark.parametrize("at", AT)
def test_clusters_have_balance_and_runway_of_the_ledger_at_any_block(
    api: Api, told: Reference, at: int
) -> None:
    state, block = told.states[at], BlockNumber(at)
    shown = api.every("/v1/clusters", at=at, limit=2)
    known = sorted(state.clusters.values(), key=lambda each: each.sequence)
    assert [each["id"] for each in shown] == [hexed(each.cluster_id) for each in known]
    for each, cluster in zip(shown, known, strict=True):
        parties = state.parties(cluster)
        settled = ledger.settle_cluster(parties, at=block).snapshot
        assert each["balance_wei"] == str(settled.balance_wei)
        assert each["burn_rate_wei"] == str(ledger.burn_rate_wei(parties))
        assert each["runway_blocks"] == runway.runway_blocks(parties, at=block)
        assert each["liquidation_block"] == runway.liquidation_block(parties, at=block)
        assert each["withdrawable_wei"] == str(runway.withdrawable_wei(parties, at=block))
        assert each["is_liquidatable"] == ledger.is_liquidatable(parties, at=block)
        assert each["snapshot"] == {
            "validator_count": cluster.snapshot.validator_count,
            "network_fee_index": str(cluster.snapshot.network_fee_index),
            "index": str(cluster.snapshot.index),
            "active": cluster.snapshot.active,
            "balance_wei": str(cluster.snapshot.balance_wei),
        }
        ids = "-".join(map(str, cluster.operator_ids))
        by_owner = api.get(f"/v1/clusters/{checksum_address(cluster.owner)}-{ids}", at=at)["data"]
        assert {name: by_owner[name] for name in each} == each
        snapshot = api.get(f"/v1/clusters/{each['id']}/snapshot", at=at)["data"]
        assert snapshot["snapshot"] == each["snapshot"]


@pytest.mark.parametrize("at", AT)
def test_validators_are_those_of_the_state_with_what_nodes_make_of_them(
    api: Api, told: Reference, at: int
) -> None:
    state = told.states[at]
    shown = api.every("/v1/validators", at=at, limit=4)
    assert {(each["owner"], each["public_key"]) for each in shown} == {
        (checksum_address(owner), hexed(key)) for owner, key in state.validators
    }
    by_key = {
        (checksum_address(each.owner), hexed(each.public_key)): each
        for each in state.validators.values()
    }
    for each in shown:
        record = by_key[each["owner"], each["public_key"]]
        assert each["accepted"] == (record.refusal is None)
        assert each["rejected_reason"] == record.refusal
        assert each["nonce"] == record.nonce
        assert each["effective_balance_eth"] == record.effective_balance_eth
        assert each["shares_digest"] == hexed(record.shares_digest)
        assert each["exit_requested_at_block"] == record.exit_requested_at
    refused = api.every("/v1/validators", at=at, accepted="false")
    assert len(refused) == sum(each.refusal is not None for each in state.validators.values())


@pytest.mark.parametrize("at", AT)
def test_accounts_know_their_next_nonce_and_how_many_registrations_were_refused(
    api: Api, told: Reference, at: int
) -> None:
    state = told.states[at]
    for owner, account in state.accounts.items():
        shown = api.get(f"/v1/accounts/{checksum_address(owner)}", at=at)["data"]
        held = [each for each in state.clusters.values() if each.owner == owner]
        assert shown["nonce"]["next"] == shown["nonce"]["burned"] == account.next_nonce
        assert shown["fee_recipient"] == checksum_address(account.fee_recipient or owner)
        assert shown["clusters"] == len(held)
        assert shown["validators"] == sum(each.validator_count for each in held)
        nonce = api.get(f"/v1/accounts/{checksum_address(owner)}/nonce", at=at)
        assert nonce["data"] == shown["nonce"]
        assert nonce["data"]["block"] == nonce["meta"]["block"]["number"] == at
        events = api.every(f"/v1/accounts/{checksum_address(owner)}/events", at=at, limit=50)
        rejected = [each for each in events if each["rejected_reason"]]
        assert shown["nonce"]["rejected"] == len(rejected)


@pytest.mark.parametrize("at", AT)
def test_the_network_adds_up_as_in_the_ledger(api: Api, told: Reference, at: int) -> None:
    state = told.states[at]
    shown = api.get("/v1/network", at=at)["data"]
    settled = ledger.settle_network(state.network, at=BlockNumber(at))
    assert shown["network_fee_wei"] == str(units_to_wei(state.network.fee_units))
    assert shown["earnings_wei"] == str(units_to_wei(settled.credit_units))
    assert shown["uncovered_debt_wei"] == str(units_to_wei(settled.uncovered_debt_units))
    assert shown["totals"]["validators"] == state.network.validator_count
    active = [each for each in state.clusters.values() if each.snapshot.active]
    assert shown["totals"]["clusters"] == len(active)
    assert shown["totals"]["operators"] == sum(
        each.removed_at is None for each in state.operators.values()
    )
    limit = shown["parameters"]["validators_per_operator_limit"]
    assert limit == {"value": 500, "since_block": 2}


def test_history_of_the_network_has_the_states_at_its_blocks(api: Api, told: Reference) -> None:
    shown = api.get("/v1/network/history", metric="validators", interval="hour")["data"]
    assert [point["block"] for point in shown["points"]] == [219]
    for metric, value in (
        ("validators", lambda state: state.network.validator_count),
        ("operators", lambda state: sum(not op.removed_at for op in state.operators.values())),
        ("clusters", lambda state: sum(it.snapshot.active for it in state.clusters.values())),
        ("fee", lambda state: units_to_wei(state.network.fee_units)),
    ):
        for at in AT:
            points = api.get("/v1/network/history", metric=metric, at=at)["data"]["points"]
            assert points[-1]["value"] == str(value(told.states[at]))


@pytest.mark.parametrize("at", AT)
def test_liquidations_are_all_that_become_liquidatable_soonest_first(
    api: Api, told: Reference, at: int
) -> None:
    state, block = told.states[at], BlockNumber(at)
    horizon = 5_000
    expected = _liquidations(state, block, horizon)
    shown = api.get("/v1/liquidations", at=at, horizon_blocks=horizon)["data"]
    assert shown["within_horizon"] == len(expected)
    found = [(each["liquidation_block"], each["cluster_id"]) for each in shown["clusters"]]
    assert found == expected
    assert all(each["calldata"].startswith("0x") for each in shown["clusters"])


def _liquidations(state: RegistryState, at: BlockNumber, horizon: int) -> list[tuple[int, str]]:
    found = []
    for cluster in state.clusters.values():
        if not cluster.snapshot.active or cluster.validator_count == 0:
            continue
        block = runway.liquidation_block(state.parties(cluster), at=at)
        if block is not None and block <= at + horizon:
            found.append((block, cluster.sequence, hexed(cluster.cluster_id)))
    return [(block, name) for block, _, name in sorted(found)]


def test_events_are_all_logs_in_the_order_of_the_chain(api: Api, told: Reference) -> None:
    shown = api.every("/v1/events", asc="true", limit=37)
    assert [(each["block"], each["log_index"]) for each in shown] == [
        (log.block_number, log.log_index) for log in told.logs
    ]
    refused = {
        (each["block"], each["log_index"]): each["rejected_reason"]
        for each in shown
        if each["rejected_reason"]
    }
    assert refused == told.refusals
    backwards = api.every("/v1/events", limit=500)
    assert backwards == shown[::-1]


def test_events_are_filtered_by_everything_they_name(api: Api) -> None:
    shown = api.every("/v1/events", asc="true", limit=500)
    added = [each for each in shown if each["name"] == "ValidatorAdded"]
    one = added[-1]
    tx = one["transaction_hash"]
    refused = next(each for each in added if each["rejected_reason"])
    for query, matches in (
        ({"name": "ValidatorAdded"}, lambda each: each["name"] == "ValidatorAdded"),
        ({"owner": one["owner"]}, lambda each: each["owner"] == one["owner"]),
        ({"operator": 7}, lambda each: 7 in each["operator_ids"]),
        ({"cluster": one["cluster_id"]}, lambda each: each["cluster_id"] == one["cluster_id"]),
        ({"validator": one["validator"]}, lambda each: each["validator"] == one["validator"]),
        (
            {"tx": tx},
            lambda each: each["transaction_hash"] == tx,
        ),
        ({"from_block": 30, "to_block": 60}, lambda each: 30 <= each["block"] <= 60),
        (
            {"rejected": "true"},
            lambda each: each["rejected_reason"],
        ),
        (
            {"rejected": "true", "owner": refused["owner"]},
            lambda each: each["rejected_reason"] and each["owner"] == refused["owner"],
        ),
    ):
        expected = [each for each in shown if matches(each)]
        assert expected
        assert api.every("/v1/events", asc="true", limit=11, **query) == expected
        counted = api.get("/v1/events", count="true", limit=1, **query)
        assert counted["page"]["total"] == len(expected)
    # Two names are either of them.
    both = api.ask("/v1/events?name=ValidatorAdded&name=ValidatorRemoved&limit=500").json()
    assert {each["name"] for each in both["data"]} == {"ValidatorAdded", "ValidatorRemoved"}


def test_a_key_shows_all_its_registrations_with_reasons_and_shares(
    api: Api, told: Reference
) -> None:
    state = told.states[219]
    keys = {each.public_key for each in state.validators.values()}
    for key in keys:
        shown = api.get(f"/v1/validators/{hexed(key)}", shares="true")["data"]
        present = [each["record"] for each in shown["registrations"] if each["record"]]
        assert {each["owner"] for each in present} == {
            checksum_address(owner) for owner, held in state.validators if held == key
        }
        accepted = [each for each in present if each["accepted"]]
        assert bool(accepted) == (state.accepted_validator(key) is not None)
        for each in shown["registrations"]:
            assert each["rejected_reason"] == told.refusals.get((each["block"], each["log_index"]))
            if each["record"]:
                assert len(each["shares"]["encrypted_shares"]) == len(each["operator_ids"])
    statuses = {
        each["status"]
        for key in keys
        for each in api.get(f"/v1/validators/{hexed(key)}")["data"]["registrations"]
    }
    assert {"registered", "removed"} <= statuses


def test_a_lookup_tells_of_every_key_in_the_order_asked(api: Api, told: Reference) -> None:
    state = told.states[219]
    keys = [hexed(key) for _, key in sorted(state.validators)]
    asked = [hexed(b"\x01" * 48), *keys]
    found = api.post("/v1/validators/lookup", {"public_keys": asked})["data"]["validators"]
    assert [each["public_key"] for each in found] == asked
    assert found[0] == {"public_key": asked[0], "registered": False, "registrations": []}
    for each in found[1:]:
        accepted = state.accepted_validator(bytes.fromhex(each["public_key"][2:]))
        assert each["registered"] == (accepted is not None)


def test_the_history_of_a_cluster_explains_every_balance(api: Api, told: Reference) -> None:
    for cluster in told.states[219].clusters.values():
        steps = api.every(f"/v1/clusters/{hexed(cluster.cluster_id)}/history", limit=5)[::-1]
        assert steps[-1]["balance_wei"] == str(cluster.snapshot.balance_wei)
        balance = 0
        for step in steps:
            if step["fees_wei"] is not None and step["out_wei"] is not None:
                paid = int(step["in_wei"]) - int(step["out_wei"]) - int(step["fees_wei"])
                assert balance + paid == int(step["balance_wei"])
            balance = int(step["balance_wei"])


def test_what_belongs_to_an_operator_is_listed_with_it(api: Api, told: Reference) -> None:
    state = told.states[219]
    for operator_id, operator in state.operators.items():
        held = state.clusters_of_operator(operator_id)
        clusters = api.every(f"/v1/operators/{operator_id}/clusters", limit=2)
        assert {each["id"] for each in clusters} == {hexed(each) for each in held}
        validators = api.every(f"/v1/operators/{operator_id}/validators", limit=5)
        assert len(validators) == sum(len(state.validators_of_cluster(each)) for each in held)
        listed = api.every(f"/v1/operators/{operator_id}/whitelist")
        assert {each["address"] for each in listed} == {
            checksum_address(owner) for owner in state.accounts if state.admits(operator_id, owner)
        }
        fees = api.every(f"/v1/operators/{operator_id}/fees", limit=2)
        assert fees[-1]["name"] == "OperatorAdded"
        executed = [each for each in fees if each["name"] == "OperatorFeeExecuted"]
        if executed and operator.removed_at is None:
            assert executed[0]["args"]["fee"] == str(units_to_wei(operator.fee_units))
        earned = api.get(f"/v1/operators/{operator_id}/earnings")["data"]
        withdrawn = sum(
            int(each["args"]["value"])
            for each in api.every("/v1/events", name="OperatorWithdrawn", operator=operator_id)
        )
        assert earned["withdrawn_wei"] == str(withdrawn)


def test_search_finds_everything_by_its_name(api: Api, told: Reference) -> None:
    state = told.states[219]
    (owner, key), cluster = next(iter(state.validators)), next(iter(state.clusters.values()))
    event = api.get("/v1/events", limit=1)["data"][0]
    for text, kind, found in (
        ("3", "operator", "3"),
        ("219", "block", "219"),
        (checksum_address(owner), "account", hexed(owner)),
        (hexed(cluster.cluster_id), "cluster", hexed(cluster.cluster_id)),
        (event["transaction_hash"], "transaction", event["transaction_hash"]),
        (key.hex()[:7], "validator", hexed(key)),
        (hexed(key), "validator", hexed(key)),
    ):
        hits = api.get("/v1/search", q=text)["data"]["hits"]
        assert (kind, found) in {(each["kind"], each["id"]) for each in hits}
    for text in ("nothing here", "0x", key.hex()[:5], "9" * 30, "0x" + "0" * 64):
        assert api.get("/v1/search", q=text)["data"]["hits"] == []


def test_filters_of_operators_and_clusters_are_those_of_the_state(
    api: Api, told: Reference
) -> None:
    state = told.states[219]
    allowed = next(iter(state.accounts))
    for query, matches in (
        ({"private": "true"}, lambda each: each.is_private),
        ({"removed": "false"}, lambda each: each.removed_at is None),
        ({"max_fee_wei": "1500000000"}, lambda each: each.fee_units <= 15_000),
        ({"ids": "2,4,99"}, lambda each: each.operator_id in (2, 4)),
        ({"min_free_capacity": 495}, lambda each: each.validator_count <= 5),
        (
            {"allows": checksum_address(allowed)},
            lambda each: not each.is_private or state.admits(each.operator_id, allowed),
        ),
    ):
        shown = api.every("/v1/operators", limit=3, **query)
        expected = [key for key, each in sorted(state.operators.items()) if matches(each)]
        assert [each["id"] for each in shown] == expected
    by_fee = api.every("/v1/operators", sort="fee", desc="true", limit=3)
    fees = [(int(each["fee_wei"]), each["id"]) for each in by_fee]
    assert fees == sorted(fees, reverse=True)
    assert len(fees) == len(state.operators)
    for query, holds in (
        ({"active": "false"}, lambda each: not each.snapshot.active),
        ({"operator": 7}, lambda each: 7 in each.operator_ids),
        ({"has_validators": "true"}, lambda each: each.validator_count > 0),
    ):
        shown = api.every("/v1/clusters", sort="validators", limit=2, **query)
        expected_ids = {hexed(key) for key, each in state.clusters.items() if holds(each)}
        assert {each["id"] for each in shown} == expected_ids
