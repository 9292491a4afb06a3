"""Duties and states of validators come from the best node that answers."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
import trio

from operator_node.beacon import (
    BeaconPool,
    EpochDuties,
    LivenessUnavailable,
    ProposerDuty,
    SyncDuty,
    ValidatorState,
)
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey, Slot
from tests.unit.operator_node.beacon.fake_node import (
    DEPENDENT,
    FakeNode,
    hexed,
)
from tests.unit.operator_node.beacon.pools import (
    EPOCH,
    KEY,
    root,
    with_pool,
)


def duty(index: int) -> dict[str, str]:
    return {
        "pubkey": hexed(KEY),
        "validator_index": str(index),
        "committee_index": "1",
        "committee_length": "8",
        "committees_at_slot": "2",
        "validator_committee_index": "5",
        "slot": "18",
    }


ATTESTERS = f"/eth/v1/validator/duties/attester/{EPOCH}"


def attesters(request: httpx.Request) -> Any:
    indices = msgspec.json.decode(request.content)
    return {"dependent_root": hexed(DEPENDENT), "data": [duty(int(index)) for index in indices]}


def test_duties_are_asked_for_in_chunks() -> None:
    node = FakeNode({ATTESTERS: attesters})
    indices = list(range(1001))
    found = with_pool(lambda pool: pool.attester_duties(EPOCH, indices), node)
    assert found.dependent_root == DEPENDENT
    assert [each.validator_index for each in found.duties] == indices
    assert [len(body) for body in node.bodies(ATTESTERS)] == [1000, 1]


def test_duties_come_from_the_next_node_when_the_first_hangs() -> None:
    slow, quick = FakeNode({ATTESTERS: attesters}), FakeNode({ATTESTERS: attesters})

    async def use(pool: BeaconPool) -> float:
        slow.delay_s = 100
        began = trio.current_time()
        await pool.attester_duties(EPOCH, [1])
        return trio.current_time() - began

    assert round(with_pool(use, slow, quick), 1) == 0.7


def test_nobody_answering_is_an_error_that_says_so() -> None:
    node = FakeNode()

    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.sync_duties(EPOCH, [1])
        return caught.value.code

    assert with_pool(use, node) == "beacon_unreachable"


def test_a_reorg_between_two_chunks_is_an_error() -> None:
    roots = iter([root(1), root(2)])
    node = FakeNode(
        {ATTESTERS: lambda request: attesters(request) | {"dependent_root": hexed(next(roots))}}
    )

    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.attester_duties(EPOCH, list(range(1001)))
        return caught.value.code

    assert with_pool(use, node) == "beacon_reorg"


def test_liveness_of_whom_the_node_leaves_out_is_unknown() -> None:
    path = f"/eth/v1/validator/liveness/{EPOCH}"
    node = FakeNode({path: {"data": [{"index": "1", "is_live": True}]}})
    assert with_pool(lambda pool: pool.liveness(EPOCH, [1]), node) == {1: True}

    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.liveness(EPOCH, [1, 2])
        return caught.value.message

    assert "no liveness of validators [2]" in with_pool(use, node)


def test_proposals_of_others_are_left_out() -> None:
    rows = [
        {"pubkey": hexed(KEY), "validator_index": str(index), "slot": str(16 + index)}
        for index in range(8)
    ]
    path = f"/eth/v1/validator/duties/proposer/{EPOCH}"
    node = FakeNode({path: {"dependent_root": hexed(DEPENDENT), "data": rows}})
    found = with_pool(lambda pool: pool.proposer_duties(EPOCH, [3, 5]), node)
    assert found == EpochDuties(
        DEPENDENT, (ProposerDuty(3, KEY, Slot(19)), ProposerDuty(5, KEY, Slot(21)))
    )


def test_positions_in_the_sync_committee_are_read() -> None:
    def row(index: int, *positions: int) -> dict[str, Any]:
        return {
            "pubkey": hexed(KEY),
            "validator_index": str(index),
            "validator_sync_committee_indices": [str(each) for each in positions],
        }

    path = f"/eth/v1/validator/duties/sync/{EPOCH}"
    node = FakeNode({path: {"data": [row(1, 4, 30), row(2), row(9, 7)]}})
    found = with_pool(lambda pool: pool.sync_duties(EPOCH, [1, 2]), node)
    assert found == EpochDuties(b"", (SyncDuty(1, KEY, (4, 30)),))


VALIDATORS = "/eth/v1/beacon/states/head/validators"
OTHER_KEY = PublicKey(bytes([3]) * 48)


def state(key: PublicKey, index: int) -> dict[str, Any]:
    return {
        "index": str(index),
        "balance": "32000000001",
        "status": "active_ongoing",
        "validator": {
            "pubkey": hexed(key),
            "effective_balance": "32000000000",
            "activation_epoch": "1",
            "exit_epoch": str(2**64 - 1),
        },
    }


@pytest.mark.parametrize("is_old", [False, True])
def test_states_are_those_of_the_keys_asked_for(is_old: bool) -> None:
    def answer(request: httpx.Request) -> Any:
        if is_old and request.method == "POST":
            return 404, {"message": "Route POST not found"}
        return {"data": [state(KEY, 5), state(PublicKey(bytes(48)), 6)]}

    node = FakeNode({VALIDATORS: answer})
    found = with_pool(lambda pool: pool.validators([KEY, OTHER_KEY]), node)
    assert found == {
        KEY: ValidatorState(5, "active_ongoing", Epoch(1), Epoch(2**64 - 1), 32_000_000_000)
    }
    last = node.asked[-1]
    told = last.url.params.get_list("id") or msgspec.json.decode(last.content)["ids"]
    assert told == [hexed(KEY), hexed(OTHER_KEY)]


def test_an_old_node_is_asked_for_liveness_in_the_address() -> None:
    def answer(request: httpx.Request) -> Any:
        indices = request.url.params.get_list("indices")
        assert request.url.params["epoch"] == str(EPOCH)
        return {"data": [{"index": int(each), "is_live": each == "7"} for each in indices]}

    node = FakeNode({"/eth/v1/validator/liveness": answer})
    found = with_pool(lambda pool: pool.liveness(EPOCH, range(300)), node)
    assert [index for index, is_live in found.items() if is_live] == [7]
    assert len(found) == 300


LIVENESS = f"/eth/v1/validator/liveness/{EPOCH}"


def unavailable_liveness(*nodes: FakeNode) -> tuple[list[str], tuple[str, ...]]:
    """Who answers and does not tell, and who is silent."""

    async def use(pool: BeaconPool) -> tuple[list[str], tuple[str, ...]]:
        await trio.sleep(1)
        for node in nodes[1:]:
            node.delay_s = 100
        with pytest.raises(LivenessUnavailable) as caught:
            await pool.liveness(EPOCH, [1])
        assert "liveness tracking" in caught.value.hint
        return list(caught.value.without), caught.value.silent

    return with_pool(use, *nodes, is_running=True)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_node_with_neither_form_of_the_liveness_route_says_so(status: int) -> None:
    refusal = (status, {"message": "no"})
    node = FakeNode({LIVENESS: refusal, "/eth/v1/validator/liveness": refusal})
    assert unavailable_liveness(node) == (["a:5052"], ())
    methods = [request.method for request in node.asked if "liveness" in request.url.path]
    assert methods == ["POST", "GET"]


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_synced_node_that_does_not_track_liveness_says_so(status: int) -> None:
    node = FakeNode({LIVENESS: (status, {"message": "not enabled"})})
    assert unavailable_liveness(node) == (["a:5052"], ())


def test_a_node_that_may_tell_later_is_named_beside_one_that_never_will() -> None:
    assert unavailable_liveness(FakeNode(), FakeNode()) == (["a:5052"], ("b:5052",))


def test_a_syncing_node_may_tell_later() -> None:
    node = FakeNode({LIVENESS: (503, {"message": "syncing"})})

    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.liveness(EPOCH, [1])
        return caught.value.code

    assert with_pool(use, node) == "beacon_unreachable"


def test_another_node_tells_what_the_best_one_does_not() -> None:
    live = {"data": [{"index": "1", "is_live": True}]}
    nodes = FakeNode(), FakeNode({LIVENESS: live})
    assert with_pool(lambda pool: pool.liveness(EPOCH, [1]), *nodes) == {1: True}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"data": {}},
        {"data": [duty(1) | {"slot": "-1"}], "dependent_root": hexed(DEPENDENT)},
        {"data": [duty(1) | {"slot": str(2**64)}], "dependent_root": hexed(DEPENDENT)},
        {"data": [duty(1) | {"pubkey": "0x11"}], "dependent_root": hexed(DEPENDENT)},
        {"data": [duty(1)], "dependent_root": "0x11"},
        {"data": [duty(1)]},
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b"\xff"),
    ],
)
def test_an_answer_that_is_none_is_refused(wrong: Any) -> None:
    node = FakeNode({ATTESTERS: wrong})

    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.attester_duties(EPOCH, [1])
        return caught.value.message

    assert "malformed" in with_pool(use, node)
