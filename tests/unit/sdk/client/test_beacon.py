"""Answers of beacon nodes, good and bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sdk.client.beacon import (
    ATTEMPTS,
    INDICES_IN_ADDRESS,
    MAX_QUEUE_BYTES,
    BeaconNode,
    PendingWithdrawals,
)
from sdk.errors import BeaconError, ConfigError
from sdk.types import PublicKey

KEY = PublicKey(48 * b"\x11")


def node(handle: Callable[[httpx.Request], httpx.Response]) -> tuple[BeaconNode, list[float]]:
    pauses: list[float] = []
    transport = httpx.MockTransport(handle)
    url = "http://beacon.example/secret-path"
    return BeaconNode(url, pause=pauses.append, transport=transport), pauses


def answering(data: Any, status: int = 200) -> BeaconNode:
    content = json.dumps({"data": data})
    return node(lambda request: httpx.Response(status, text=content))[0]


def test_transient_faults_are_waited_out_and_bounded() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) < ATTEMPTS:
            return httpx.Response(503)
        return httpx.Response(200, json={"data": {"head_slot": "7", "is_syncing": False}})

    beacon, pauses = node(handle)
    assert beacon.synced_head() == 7
    assert pauses == [0.5, 1.0, 2.0]
    dead, _ = node(lambda request: httpx.Response(502))
    with pytest.raises(BeaconError) as caught:
        dead.synced_head()
    assert caught.value.code == "beacon_unreachable"
    assert "secret-path" not in f"{caught.value} {caught.value.data} {dead!r}"


def test_broken_connection_names_no_address() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("http://beacon.example/secret-path refused", request=request)

    with pytest.raises(BeaconError) as caught:
        node(handle)[0].finalized_epoch()
    assert caught.value.code == "beacon_unreachable"
    assert "secret-path" not in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [
        {"head_slot": "7", "is_syncing": True},
        {"head_slot": "7"},
        {"head_slot": "7", "is_syncing": False, "is_optimistic": True},
        {"head_slot": "7", "is_syncing": False, "el_offline": True},
    ],
)
def test_node_that_does_not_follow_the_chain_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(BeaconError) as caught:
        answering(state).synced_head()
    assert caught.value.code == "beacon_not_synced"


def test_liveness_needs_an_answer_for_each_validator() -> None:
    rows = [{"index": "1", "is_live": True}, {"index": "2", "is_live": False}]
    assert answering(rows).liveness(5, [1, 2]) == {1: True, 2: False}
    other = {"index": "3", "is_live": False}
    answers: list[Any] = [rows[:1], [*rows, other], [{"index": "1"}], {}, None]
    for bad in answers:
        with pytest.raises(BeaconError) as caught:
            answering(bad).liveness(5, [1, 2])
        assert caught.value.code == "beacon_answer_malformed"


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_node_without_liveness_is_told(status: int) -> None:
    with pytest.raises(BeaconError) as caught:
        answering(None, status).liveness(5, [1])
    assert caught.value.code == "beacon_liveness_unsupported"
    assert "switch its tracking of liveness on" in caught.value.hint


def test_pending_partial_withdrawals_are_added_up_for_each_validator() -> None:
    def row(index: int, epoch: int) -> dict[str, str]:
        numbers = {"validator_index": index, "amount": 5, "withdrawable_epoch": epoch}
        return {name: str(number) for name, number in numbers.items()}

    rows = [row(1, 9), row(2, 8), row(1, 7), row(3, 6)]
    found = answering(rows).pending_partial_withdrawals([1, 3, 4])
    assert found == {1: PendingWithdrawals(10, 9), 3: PendingWithdrawals(5, 6)}
    assert answering([]).pending_partial_withdrawals([1]) == {}
    bad_answers: list[Any] = [None, {}, [1], [{"validator_index": "1"}], [{**rows[0], "amount": 5}]]
    for bad in bad_answers:
        with pytest.raises(BeaconError) as caught:
            answering(bad).pending_partial_withdrawals([1])
        assert caught.value.code == "beacon_answer_malformed"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_node_without_pending_partial_withdrawals_tells_nothing(status: int) -> None:
    assert answering(None, status).pending_partial_withdrawals([1]) is None


def test_queue_may_be_longer_than_other_answers_but_not_endless() -> None:
    long = b'{"data": []' + b" " * (5 * 1024 * 1024) + b"}"
    beacon, _ = node(lambda request: httpx.Response(200, content=long))
    assert beacon.pending_partial_withdrawals([1]) == {}
    endless, _ = node(lambda request: httpx.Response(200, content=b" " * (MAX_QUEUE_BYTES + 1)))
    with pytest.raises(BeaconError, match="more than"):
        endless.pending_partial_withdrawals([1])


def test_validator_that_the_state_lacks_is_left_out() -> None:
    assert answering(None, 404).validators([KEY]) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"pubkey": "0x" + 96 * "2"},
        {"withdrawal_credentials": "0x00"},
        {"activation_epoch": 5},
        {"exit_epoch": "-1"},
    ],
)
def test_malformed_validator_is_refused(change: dict[str, Any]) -> None:
    record = {
        "pubkey": "0x" + KEY.hex(),
        "withdrawal_credentials": "0x01" + 62 * "0",
        "activation_epoch": "1",
        "exit_epoch": str(2**64 - 1),
    }
    good = {"index": "4", "status": "active_ongoing", "validator": record}
    assert answering(good).validators([KEY])[KEY].index == 4
    with pytest.raises(BeaconError) as caught:
        answering({**good, "validator": {**record, **change}}).validators([KEY])
    assert caught.value.code == "beacon_answer_malformed"


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"data": []}', b"{"])
def test_answer_that_is_no_document_is_refused(content: bytes) -> None:
    beacon, _ = node(lambda request: httpx.Response(200, content=content))
    with pytest.raises(BeaconError) as caught:
        beacon.finalized_epoch()
    assert caught.value.code == "beacon_answer_malformed"


def test_endless_answer_is_cut_off() -> None:
    beacon, _ = node(lambda request: httpx.Response(200, content=b" " * (5 * 1024 * 1024)))
    with pytest.raises(BeaconError, match="more than"):
        beacon.finalized_epoch()


def test_address_must_be_a_url() -> None:
    for bad in ("beacon", "ftp://x", ""):
        with pytest.raises(ConfigError) as caught:
            BeaconNode(bad)
        assert caught.value.code == "beacon_url"


def test_node_without_the_route_of_the_standard_is_asked_in_the_older_form() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        if request.method == "POST":
            return httpx.Response(404)
        indices = request.url.params.get_list("indices")
        rows = [{"index": int(index), "is_live": index == "7"} for index in indices]
        return httpx.Response(200, json={"data": rows})

    many = range(INDICES_IN_ADDRESS + 1)
    live = node(handle)[0].liveness(5, many)
    assert live == {index: index == 7 for index in many}
    assert len(asked) == 3
    assert asked[2] == (
        f"GET /secret-path/eth/v1/validator/liveness?epoch=5&indices={INDICES_IN_ADDRESS}"
    )
