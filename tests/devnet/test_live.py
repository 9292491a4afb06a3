"""The live view: plain lines, 80 columns on terminals, and the report at the end."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from deploy.devnet.duty_rows import (
    HEADING,
    LEGEND,
)
from deploy.devnet.inclusion import Attested, AttesterDuty, Report
from deploy.devnet.live import LEFT_OUT_SHOWN, Live, StartUp, report_lines
from deploy.devnet.misses import Miss, misses_of
from deploy.devnet.screen import Screen
from sdk.errors import BeaconError, NetworkError
from sdk.types import OperatorId
from tests.devnet.told import (
    COMMITTEE,
    Told,
    by_all,
    missed,
    record,
)


class FakeNode:
    """Tells what it was given."""

    def __init__(self, *records: dict[str, Any], answers: bool = True) -> None:
        self.records, self.answers = list(records), answers
        self.asked: list[dict[str, object]] = []

    async def ask(self, path: str, **query: object) -> Any:
        self.asked.append({"path": path, **query})
        await trio.lowlevel.checkpoint()
        if not self.answers:
            raise NetworkError("it is down")
        return {"data": self.records}


class Hanging(FakeNode):
    async def ask(self, path: str, **query: object) -> Any:
        await trio.sleep_forever()


class FakeChain:
    """A chain by trio's clock, with slots of a second."""

    def __init__(self, *, genesis: float = 0.0, answers: bool = True) -> None:
        self._begun = trio.current_time() + genesis
        self.answers = answers

    def current_slot(self) -> int:
        return max(0, int(trio.current_time() - self._begun))

    def seconds_to_genesis(self) -> float:
        return max(0.0, self._begun - trio.current_time())

    async def head_slot(self) -> int:
        await trio.lowlevel.checkpoint()
        if not self.answers:
            raise BeaconError("no node answers")
        return self.current_slot()

    async def finalized_epoch(self) -> int:
        await trio.lowlevel.checkpoint()
        return max(0, self.current_slot() // 8 - 2)


def run_live(
    nodes: Mapping[OperatorId, FakeNode],
    *,
    seconds: float,
    genesis: float = 0.0,
    is_terminal: bool = False,
    answers: bool = True,
    last_slot: int | None = None,
) -> str:
    out = io.StringIO()

    async def main() -> None:
        chain = FakeChain(genesis=genesis, answers=answers)
        live = Live(nodes, chain, Screen(out, is_terminal=is_terminal), last_slot=last_slot)
        with trio.move_on_after(seconds):
            await live.run()
        live.finish()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return out.getvalue()


def test_duties_and_epochs_are_told_as_plain_lines() -> None:
    nodes = {each: FakeNode(record(slot=1)) for each in COMMITTEE}
    assert run_live(nodes, seconds=8.5, genesis=0.0).splitlines() == [
        "epoch 0 begins with slot 0; head slot 0, finalized epoch 0",
        *LEGEND.split("\n"),
        HEADING,
        "   1  votes         2           4 of 4     done     1400",
        "epoch 1 begins with slot 8; head slot 8, finalized epoch 0",
    ]
    assert nodes[COMMITTEE[0]].asked[0] == {"path": "/v2/duties", "from": 0, "limit": 1000}
    assert nodes[COMMITTEE[0]].asked[-1]["from"] == 7


def test_terminal_shows_countdown_and_how_far_the_chain_is() -> None:
    told = run_live({}, seconds=5.5, genesis=2.5, is_terminal=True, last_slot=1)
    states = [part for part in told.split("\r\033[K") if part and not part.startswith("epoch")]
    assert states[0] == "genesis in 2 s"
    assert "slot 1 of 1; head slot 1, finalized epoch 0" in states
    assert (
        states[-1] == "slot 2: awaiting blocks with votes of slot 1; head slot 2, finalized epoch 0"
    )
    assert told.endswith("\r\033[K")


def test_dead_and_hanging_nodes_are_silent_and_hold_nothing_up() -> None:
    nodes: dict[OperatorId, FakeNode] = {
        COMMITTEE[0]: FakeNode(record()),
        COMMITTEE[1]: FakeNode(record()),
        COMMITTEE[2]: FakeNode(answers=False),
        COMMITTEE[3]: Hanging(),
    }
    assert "2 of 4     done     1400  2 silent" in run_live(nodes, seconds=10)


def test_beacon_nodes_that_do_not_answer_are_told() -> None:
    assert run_live({}, seconds=1.5, answers=False).splitlines() == [
        "epoch 0 begins with slot 0; no beacon node answers yet"
    ]


def test_duties_after_the_last_slot_are_left_out() -> None:
    nodes = {each: FakeNode(record(slot=2), record(slot=3)) for each in COMMITTEE}
    told = run_live(nodes, seconds=4.5, last_slot=2)
    assert "\n   2  votes" in told
    assert "\n   3  votes" not in told


@pytest.mark.parametrize(
    ("is_terminal", "wanted"),
    [(False, ["==> starting", "    10 s", "    20 s"]), (True, ["==> starting"])],
)
def test_start_counts_the_seconds_of_a_step(is_terminal: bool, wanted: list[str]) -> None:
    out = io.StringIO()

    async def main() -> None:
        start = StartUp(Screen(out, is_terminal=is_terminal))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(start.run)
            await trio.sleep(5)
            start.say("starting")
            await trio.sleep(25.5)
            start.end()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    lines = [line.rsplit("\r\033[K", 1)[-1] for line in out.getvalue().split("\n")[:-1]]
    assert lines == wanted
    if is_terminal:
        assert "\r\033[K    7 s" in out.getvalue()
        assert out.getvalue().endswith("\r\033[K")


def test_report_ends_with_the_closing_line() -> None:
    empty = Report(8, 15, 2, (), (), (), (), frozenset(), frozenset({9}))
    *lines, last = report_lines(empty)
    assert last == "demo: 0 duties due, 0 done, 0 missed, finalized epoch 2"
    assert lines[0] == "in the chain's blocks, of slots 8 to 15:"
    assert lines[-1].endswith("slots without block 1")


def test_report_names_votes_that_are_in_no_block_whether_their_slot_has_one_or_not() -> None:
    votes = tuple(
        Attested(AttesterDuty(slot, slot, 0, 0), None, False, False, is_healthy=slot != 40)
        for slot in range(32, 32 + LEFT_OUT_SHOWN + 4)
    )
    report = Report(8, 99, 0, votes, (), (), (), frozenset(), frozenset())
    lines = list(report_lines(report))
    told = [line for line in lines if "in no block" in line]
    assert lines[1] == "  votes due 54, included 0, missed 54 (100.0%)"
    assert told[0] == (
        "  in no block: the vote of validator 32, slot 32: no operator's node answers"
    )
    assert told[8].startswith("  in no block: the vote of validator 40, slot 40")
    assert len(told) == LEFT_OUT_SHOWN
    assert lines[-2] == "  and 4 votes more"


@pytest.mark.parametrize(
    ("told", "empty", "reason"),
    [
        (by_all(missed("no_quorum", validators=(40,))), (), "no_quorum"),
        (by_all(record(validators=(41,))), (), "no operator has it on record"),
        (by_all(record(role="proposer", validators=(40,))), (), "no operator has it on record"),
        (dict.fromkeys(COMMITTEE, None), (), "no operator's node answers"),
        ({}, (), "no operator's node answers"),
        (
            {**by_all(record(validators=(40,))), COMMITTEE[3]: None},
            (),
            "submitted 1400 ms into the slot by 3 of 4; no block took it",
        ),
        (
            by_all(record(validators=(40,))),
            (9, 10, 17),
            "submitted 1400 ms into the slot by 4 of 4; no block in slots 9, 10",
        ),
    ],
)
def test_every_vote_that_is_in_no_block_has_a_reason(
    told: Told, empty: tuple[int, ...], reason: str
) -> None:
    vote = Attested(AttesterDuty(40, 9, 0, 0), None, False, False, is_healthy=not empty)
    report = Report(8, 20, 0, (vote,), (), (), (), frozenset(), frozenset(empty))
    assert misses_of(report, {9: told}) == (Miss(9, (40,), reason),)


def test_vote_after_the_aggregates_and_empty_slots_behind_the_last_one_are_told() -> None:
    vote = Attested(AttesterDuty(40, 9, 0, 0), None, False, False, is_healthy=True)
    later = frozenset({11, 12})
    report = Report(8, 10, 0, (vote,), (), (), (), frozenset(), frozenset({9}), later)
    told = {9: by_all(record(validators=(40,)))}
    for aggregated_ms, late in (
        (1399, ", after votes are aggregated at 1399 ms"),
        (1400, ""),
        (None, ""),
    ):
        (miss,) = misses_of(report, told, aggregated_ms=aggregated_ms)
        assert miss.reason == (
            f"submitted 1400 ms into the slot by 4 of 4; no block in slots 9, 11, 12{late}"
        )


def test_votes_of_a_slot_that_share_a_reason_are_one_line() -> None:
    votes = tuple(
        Attested(AttesterDuty(index, 9, 0, index), None, False, False, is_healthy=True)
        for index in (41, 40)
    )
    report = Report(8, 15, 0, votes, (), (), (), frozenset(), frozenset())
    told = {9: by_all(missed("no_quorum", validators=(40, 41)))}
    (miss,) = misses_of(report, told)
    assert str(miss) == "2 votes of slot 9, validators 40, 41: no_quorum"
