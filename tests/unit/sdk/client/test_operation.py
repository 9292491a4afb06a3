"""Requests are repeated while nobody answers, within bounds, and the failure names them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sdk.client.operation import (
    Operation,
    Patience,
    Pause,
    Refused,
    Reply,
    Request,
    Result,
    Rpc,
    Silent,
    persist,
    result_of,
)
from sdk.errors import NetworkError

PATIENCE = Patience(attempts=4, first_pause_s=1.0, longest_pause_s=3.0)
ASK = Rpc("eth_chainId", (), "chain id")


def drive(operation: Operation[object], replies: Iterable[Reply]) -> tuple[object, list[Request]]:
    """The result, and everything that was asked; pauses are answered by themselves."""
    waiting = iter(replies)
    asked: list[Request] = []
    running = persist(operation, PATIENCE)
    try:
        request = next(running)
        while True:
            asked.append(request)
            reply = Result(None) if isinstance(request, Pause) else next(waiting)
            request = running.send(reply)
    except StopIteration as stop:
        return stop.value, asked


def pauses(asked: list[Request]) -> list[float]:
    return [request.seconds for request in asked if isinstance(request, Pause)]


@pytest.mark.parametrize(
    "obstacle",
    [
        Silent("HTTP status 429", 429),
        Silent("HTTP status 503", 503),
        Silent("timed out", is_timeout=True),
        Silent("connection failed"),
        Refused(429, "slow down"),
        Refused(-32005, "daily request count exceeded, request rate limited"),
        Refused(-32000, "header not found"),
    ],
)
def test_passing_obstacle_is_waited_out(obstacle: Reply) -> None:
    found, asked = drive(result_of(ASK), [obstacle, obstacle, Result("0x1")])
    assert found == "0x1"
    assert [request for request in asked if isinstance(request, Rpc)] == [ASK] * 3
    assert pauses(asked) == [1.0, 2.0]


def test_pause_is_what_the_node_asks_for_within_bounds() -> None:
    _, asked = drive(
        result_of(ASK),
        [Silent("", 429, 2.5), Silent("", 429, 1e9), Silent("", 429, None), Result("0x1")],
    )
    assert pauses(asked) == [2.5, 3.0, 3.0]


def test_last_failure_names_what_was_done() -> None:
    with pytest.raises(NetworkError, match="chain id: eth_chainId asked 4 times") as caught:
        drive(result_of(ASK), [Silent("HTTP status 429", 429)] * 4)
    assert caught.value.code == "rpc_rate_limited"
    assert caught.value.data["attempts"] == 4


def test_what_cannot_pass_is_not_repeated() -> None:
    with pytest.raises(NetworkError, match="asked once") as caught:
        drive(result_of(ASK), [Silent("HTTP status 401", 401)])
    assert caught.value.code == "rpc_forbidden"


def test_request_that_could_act_twice_is_made_once() -> None:
    send = Rpc("eth_sendTransaction", ({},), "sending", repeatable=False)
    with pytest.raises(NetworkError, match="may have arrived"):
        drive(result_of(send), [Silent("timed out", is_timeout=True)])


def test_failure_can_be_caught_by_the_operation() -> None:
    def patient() -> Operation[str]:
        try:
            yield ASK
        except NetworkError as failure:
            reply = yield Rpc("eth_blockNumber", (), "block")
            assert isinstance(reply, Result)
            return f"{failure.data['is_timeout']} {reply.value}"
        return "answered"

    silence = [Silent("timed out", is_timeout=True)] * 4
    assert drive(patient(), [*silence, Result("0x2")])[0] == "True 0x2"


@pytest.mark.parametrize("status", [400, 413])
def test_statuses_for_too_much_reach_the_operation_as_refusal(status: int) -> None:
    def ask() -> Operation[Reply]:
        return (yield ASK)

    found, asked = drive(ask(), [Silent(f"HTTP status {status}", status)])
    assert found == Refused(None, f"HTTP status {status}")
    assert len(asked) == 1


def test_refusal_becomes_an_error_with_the_nodes_words() -> None:
    with pytest.raises(NetworkError, match="refuses eth_chainId: no such method") as caught:
        drive(result_of(ASK), [Refused(-32601, "no such method")])
    assert caught.value.code == "rpc_refused"


def test_hostile_message_is_made_printable_and_short() -> None:
    with pytest.raises(NetworkError) as caught:
        drive(result_of(ASK), [Refused(1, "\x1b[2J" + "a" * 10_000)])
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 600
