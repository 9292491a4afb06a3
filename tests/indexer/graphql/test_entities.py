"""Entities, filters, orders, blocks and bounds, against the reducer and the logs."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query

from indexer.graphql import limits, loading
from indexer.graphql.entities import MODEL
from sdk.events import Undecodable, decode
from sdk.events.types import OperatorWithdrawn, ValidatorAdded, ValidatorRemoved
from tests.indexer.api.world import Api, Reference
from tests.indexer.chain import CONTRACT, OWNERS
from tests.indexer.graphql.conftest import AT, BLOCKS, Ask
from tests.indexer.graphql.test_operations import name

NEWEST = BLOCKS - 1


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


def said(told: Reference, kind: type[Any]) -> list[tuple[Any, Any]]:
    """Logs of one event with what they say."""
    found = [(log, decode(log.topics, log.data)) for log in told.logs]
    return [(log, event) for log, event in found if isinstance(event, kind)]


@pytest.mark.parametrize("at", AT)
def test_accounts_sum_up_their_active_clusters(ask: Ask, told: Reference, at: int) -> None:
    state = told.states[at]
    query = """query ($at: Int!) { accounts(first: 1000, block: {number: $at}) {
      id nonce validatorCount effectiveBalance feeRecipient stakedAmount
      clusters { id } operators { operatorId }
    } }"""
    found = {each["id"]: each for each in ask(query, at=at)["accounts"]}
    owners = {each.owner for each in state.operators.values()} | {*state.accounts}
    assert set(found) == {hexed(owner) for owner in owners}
    for owner in owners:
        mine = [each for each in state.clusters.values() if each.owner == owner]
        active = [each for each in mine if each.snapshot.active]
        account = state.account(owner)
        ids = [each.operator_id for each in state.operators.values() if each.owner == owner]
        assert found[hexed(owner)] == {
            "id": hexed(owner),
            "nonce": str(account.next_nonce),
            "validatorCount": str(sum(each.validator_count for each in active)),
            "effectiveBalance": str(sum(each.effective_balance_eth for each in active)),
            "feeRecipient": hexed(account.fee_recipient or owner),
            "stakedAmount": "0",
            "clusters": [{"id": each} for each in sorted(map(name, mine))],
            "operators": [{"operatorId": each} for each in sorted(map(str, ids))],
        }


@pytest.mark.parametrize("at", AT)
def test_a_key_shows_the_registration_that_counts(ask: Ask, told: Reference, at: int) -> None:
    state = told.states[at]
    query = """query ($at: Int!) { validators(first: 1000, block: {number: $at}) {
      id owner { id } cluster { id } removed operators { id } shares
    } }"""
    found = {each["id"]: each for each in ask(query, at=at)["validators"]}
    present: dict[bytes, Any] = {}
    for (_, key), each in sorted(
        state.validators.items(),
        key=lambda entry: (entry[1].refusal is None, entry[1].registered_at),
    ):
        present[key] = each
    for key, each in present.items():
        shown = found[hexed(key)]
        assert shown["removed"] is False
        if each.refusal is None:
            assert shown["owner"]["id"] == hexed(each.owner)
            cluster = state.clusters[each.cluster_id]
            assert shown["cluster"]["id"] == name(cluster)
            assert shown["operators"] == [{"id": str(id)} for id in cluster.operator_ids]
            nonces = [
                event.shares
                for log, event in said(told, ValidatorAdded)
                if event.owner == each.owner and log.block_number <= at
            ]
            assert shown["shares"] == hexed(nonces[each.nonce])
    gone = {key: each for key, each in found.items() if each["removed"]}
    assert set(gone) == set(found) - {hexed(key) for key in present}
    removed = {
        hexed(event.public_key)
        for log, event in said(told, ValidatorRemoved)
        if log.block_number <= at
    }
    assert set(gone) <= removed
    assert removed - {hexed(key) for key in present} <= set(gone)


def test_what_an_operator_withdrew_adds_up(ask: Ask, told: Reference) -> None:
    sums: dict[str, int] = {}
    for _, event in said(told, OperatorWithdrawn):
        key = str(event.operator_id)
        sums[key] = sums.get(key, 0) + event.value_wei
    found = ask("{ operators { id totalWithdrawn totalWithdrawnSSV } }")["operators"]
    assert sums
    for each in found:
        assert int(each["totalWithdrawn"]) == sums.get(each["id"], 0)
        assert each["totalWithdrawnSSV"] == "0"


@pytest.mark.parametrize("at", AT)
def test_totals_and_counters(ask: Ask, told: Reference, at: int) -> None:
    state = told.states[at]
    query = """query ($dao: ID!, $at: Int!) { daovalues(id: $dao, block: {number: $at}) {
      totalValidators totalOperators totalEffectiveBalance effectiveBalanceETH totalAccounts
      validatorsAdded validatorsRemoved quorum version latestMerkleRoot
      lastUpdateBlockNumber lastUpdateTransactionHash
    } }"""
    found = ask(query, dao=hexed(CONTRACT), at=at)["daovalues"]
    assert found["totalValidators"] == str(state.network.validator_count)
    live = [each for each in state.operators.values() if each.removed_at is None]
    assert found["totalOperators"] == str(len(live))
    eth = str(state.network.effective_balance_eth)
    assert found["totalEffectiveBalance"] == found["effectiveBalanceETH"] == eth
    for field, kind in (
        ("validatorsAdded", ValidatorAdded),
        ("validatorsRemoved", ValidatorRemoved),
    ):
        logs = [log for log, _ in said(told, kind) if log.block_number <= at]
        assert found[field] == str(len(logs))
    assert (found["quorum"], found["latestMerkleRoot"]) == (0, "0x")
    place = int(found["lastUpdateBlockNumber"])
    hashes = {hexed(each.transaction_hash) for each in told.logs if each.block_number == place}
    assert found["lastUpdateTransactionHash"] in hashes


def test_an_event_entity_is_its_log(ask: Ask, told: Reference) -> None:
    query = """query ($id: ID!) { validatorAdded(id: $id) {
      id owner operatorIds publicKey shares cluster_validatorCount cluster_networkFeeIndex
      cluster_index cluster_active cluster_balance blockNumber transactionHash
    } }"""
    checked = 0
    for log, event in said(told, ValidatorAdded):
        name_ = f"{hexed(log.transaction_hash)}-{log.log_index:05}"
        found = ask(query, id=name_)["validatorAdded"]
        assert found == {
            "id": name_,
            "owner": hexed(event.owner),
            "operatorIds": list(map(str, event.operator_ids)),
            "publicKey": hexed(event.public_key),
            "shares": hexed(event.shares),
            "cluster_validatorCount": str(event.cluster.validator_count),
            "cluster_networkFeeIndex": str(event.cluster.network_fee_index),
            "cluster_index": str(event.cluster.index),
            "cluster_active": event.cluster.active,
            "cluster_balance": str(event.cluster.balance_wei),
            "blockNumber": str(log.block_number),
            "transactionHash": hexed(log.transaction_hash),
        }
        checked += 1
    assert checked > 10


def test_every_kind_of_event_can_be_listed_whole(api: Api, ask: Ask, told: Reference) -> None:
    counts: dict[str, int] = {}
    for log in told.logs:
        event = decode(log.topics, log.data)
        if not isinstance(event, Undecodable):
            counts[type(event).__name__] = counts.get(type(event).__name__, 0) + 1
    listed = 0
    for each in MODEL.entities.values():
        if each.is_event:
            plain = [field.name for field in each.fields.values() if field.target is None]
            found = ask(f"{{ {each.plural}(first: 1000) {{ {' '.join(plain)} }} }}")[each.plural]
            assert len(found) == counts.get(each.name, 0), each.name
            listed += bool(found)
    assert listed > 15


def test_filters_say_what_their_names_say(ask: Ask, told: Reference) -> None:
    clusters = list(told.states[NEWEST].clusters.values())
    owner = hexed(OWNERS[0])

    def ids(where: str) -> set[str]:
        found = ask(f"{{ clusters(first: 1000, where: {where}) {{ id }} }}")["clusters"]
        return {each["id"] for each in found}

    def those(wanted: Any) -> set[str]:
        return {name(each) for each in clusters if wanted(each)}

    everything = those(lambda each: True)
    middle = sorted(each.snapshot.balance_wei for each in clusters)[len(clusters) // 2]
    assert ids(f'{{owner: "{owner}"}}') == those(lambda each: each.owner == OWNERS[0])
    assert ids(f'{{owner_not: "{owner}"}}') == those(lambda each: each.owner != OWNERS[0])
    assert ids(f'{{owner_: {{id: "{owner}"}}}}') == those(lambda each: each.owner == OWNERS[0])
    assert ids('{owner_: {nonce_lt: "0"}}') == set()
    assert ids('{operatorIds_contains: ["5"]}') == those(lambda each: 5 in each.operator_ids)
    assert ids("{operatorIds_contains: [2, 5]}") == those(
        lambda each: {2, 5} <= {*each.operator_ids}
    )
    assert ids("{operatorIds_not_contains: [5]}") == those(lambda each: 5 not in each.operator_ids)
    assert ids("{operatorIds: [1, 2, 3, 4]}") == those(
        lambda each: each.operator_ids == (1, 2, 3, 4)
    )
    assert ids("{active: true}") == those(lambda each: each.snapshot.active)
    assert ids("{active_not: true}") == those(lambda each: not each.snapshot.active)
    assert ids("{active_in: [true, false]}") == everything
    assert ids(f'{{balance_gt: "{middle}"}}') == those(
        lambda each: each.snapshot.balance_wei > middle
    )
    assert ids(f'{{balance_gte: "{middle}", balance_lte: {middle}}}') == those(
        lambda each: each.snapshot.balance_wei == middle
    )
    assert ids(f'{{or: [{{active: true}}, {{owner: "{owner}"}}]}}') == those(
        lambda each: each.snapshot.active or each.owner == OWNERS[0]
    )
    assert ids(f'{{and: [{{active: true}}, {{owner: "{owner}"}}]}}') == those(
        lambda each: each.snapshot.active and each.owner == OWNERS[0]
    )
    one = name(clusters[0])
    assert ids(f'{{id_not_in: ["{one}"]}}') == everything - {one}
    assert ids(f'{{id_gt: "{one}"}}') == {each for each in everything if each > one}
    assert ids("{feeAsset: ETH}") == everything
    assert ids("{feeAsset: SSV}") == set()
    assert ids("{owner: null}") == set()
    assert ids(f"{{_change_block: {{number_gte: {BLOCKS}}}}}") == set()


def test_pages_in_any_order_hold_everything_once(ask: Ask) -> None:
    query = """query ($skip: Int!, $way: OrderDirection) {
      validatorAddeds(first: 7, skip: $skip, orderBy: blockNumber, orderDirection: $way) {
        id blockNumber
      }
    }"""
    for way in ("asc", "desc"):
        found: list[Any] = []
        while more := ask(query, skip=len(found), way=way)["validatorAddeds"]:
            found += more
        ids = [(int(each["blockNumber"]), each["id"]) for each in found]
        assert ids == sorted(ids, reverse=way == "desc")
        assert len(set(ids)) == len(ids) > 20


def test_meta_tells_of_the_block(api: Api, ask: Ask) -> None:
    found = ask("{ _meta { block { number hash timestamp parentHash } deployment } }")["_meta"]
    assert found == {
        "block": {
            "number": NEWEST,
            "hash": api.chain.blocks[NEWEST]["hash"],
            "timestamp": int(api.chain.blocks[NEWEST]["timestamp"], 16),
            "parentHash": None,
        },
        "deployment": f"phalanx-31337-{hexed(CONTRACT)}",
    }


def test_blocks_by_hash_and_at_least(api: Api, ask: Ask, fail: Ask) -> None:
    number = next(each for each in range(40, BLOCKS) if api.chain.blocks[each]["logs"])
    query = "query ($b: Block_height) { _meta(block: $b) { block { number } } }"

    def at(**height: Any) -> Any:
        return ask(query, b=height)["_meta"]["block"]["number"]

    assert at(hash=api.chain.blocks[number]["hash"]) == number
    assert at(number=number) == number
    assert at(number_gte=number) == NEWEST
    for height in ({"number": BLOCKS}, {"number": 0}, {"number_gte": BLOCKS}, {"hash": "0x12"}):
        assert fail(query, b=height)["extensions"]["code"] == "block_not_indexed"
    assert "one of" in fail(query, b={"number": 5, "number_gte": 5})["message"]


def test_the_schema_describes_itself(ask: Ask) -> None:
    found = ask(get_introspection_query())["__schema"]
    names = {each["name"] for each in found["types"]}
    assert {"Account", "Cluster_filter", "Validator_orderBy", "Block_height", "_Meta_"} <= names


def test_it_can_be_asked_by_address(api: Api) -> None:
    params = {"query": "query ($o: ID!) { account(id: $o) { id } }", "variables": '{"o": "0x12"}'}
    answer = api.ask("/graphql", params=params)
    assert answer.json() == {"data": {"account": None}}
    assert answer.headers["X-Indexed-Block"] == str(NEWEST)
    wrong = api.ask("/graphql", params={**params, "variables": "{"})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["message"] == "variables is no JSON"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("{ clusters(first: 1001) { id } }", "between 1 and 1000"),
        ("{ clusters(first: 0) { id } }", "between 1 and 1000"),
        ("{ clusters(skip: 5001) { id } }", "between 0 and 5000"),
        ("{ nothing { id } }", "nothing"),
        ("{ clusters { id", "Syntax Error"),
        ('{ account(id: "0xzz") { id } }', "hex"),
        ('{ clusters(where: {balance_gt: "x"}) { id } }', "whole number"),
        ('{ clusters(where: {owner: "x"}) { id } }', "hex"),
        ("{" + "".join(f" a{n}: accounts {{ id }}" for n in range(31)) + " }", "roots"),
        ("{ accounts {" + " clusters { owner {" * 5 + " id" + " } }" * 5 + " } }", "nested"),
        ("{ accounts {" + "".join(f" a{n}: id" for n in range(600)) + " } }", "fields"),
        ("{ accounts { " + "id " * (limits.MOST_TOKENS + 1) + "} }", "tokens"),
        (
            "{ accounts { ...a } } fragment a on Account { ...b ...b } "
            + " ".join(
                f"fragment {this} on Account {{ ...{following} ...{following} }}"
                for this, following in zip("bcdefghij", "cdefghijk", strict=True)
            )
            + " fragment k on Account { id nonce }",
            "fields",
        ),
        ("{ accounts { ...a } } fragment a on Account { ...a }", "Cannot spread"),
        ("mutation { x }", "mutation"),
        ("{ a" * 1_000 + " }" * 1_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_graphqls_own_shape(api: Api, query: str, word: str) -> None:
    answer = api.ask("/graphql", method="POST", json={"query": query})
    assert answer.status_code in (200, 400), answer.text
    messages = " ".join(each["message"] for each in answer.json()["errors"])
    assert word in messages, messages


def test_an_answer_that_is_too_long_is_refused(fail: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.Session.__init__, "__defaults__", (0.0, 3, 60))
    error = fail("{ accounts { clusters { validators { id } } } }")
    assert "more than" in error["message"]
    monkeypatch.setattr(loading.Session.__init__, "__defaults__", (0.0, 20_000, 1))
    error = fail("{ accounts { clusters { id } } }")
    assert "look-ups" in error["message"]


def test_look_ups_do_not_grow_with_the_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for accounts, one for clusters, one for validators, one for operators."""
    monkeypatch.setattr(loading.Session.__init__, "__defaults__", (0.0, 20_000, 4))
    found = ask("{ accounts { clusters { validators { operators { fee } cluster { id } } } } }")
    assert len(found["accounts"]) > 3


def test_bodies_that_ask_nothing(api: Api) -> None:
    bodies: list[Any] = [[], "text", {}, {"query": 1}, {"query": "{ x }", "variables": []}]
    for body in bodies:
        answer = api.ask("/graphql", method="POST", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"] == {"code": "request"}
