"""The live view: a row for each duty as it ends, in 80 columns, coloured on terminals alone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from deploy.devnet.duty_rows import (
    HEADING,
    KEPT_SLOTS,
    LEGEND,
    PATIENCE_SLOTS,
    Row,
    Rows,
    text_of,
)
from deploy.devnet.inclusion import Attested, AttesterDuty, Report
from deploy.devnet.live import LEFT_OUT_SHOWN, Live, StartUp, report_lines
from deploy.devnet.misses import Miss, misses_of
from deploy.devnet.screen import Screen
from operator_node.duties.reasons import Reason
from operator_node.engine.records import Ending
from operator_node.wire.ids import RunnerRole
from sdk.errors import BeaconError, NetworkError
from sdk.types import OperatorId

COMMITTEE = tuple(map(OperatorId, (1, 2, 3, 4)))
WIDTH = 80


def record(
    *,
    slot: int = 9,
    role: str = "committee",
    validators: Sequence[int] = (32, 33),
    outcome: str = "done",
    reason: str | None = "done",
    submitted_ms: int | None = 1400,
) -> dict[str, Any]:
    """As `/v2/duties` tells it."""
    who = f"v{validators[0]}" if role == "proposer" else "1_2_3_4"
    steps = [{"step": "started", "ms": 1000}, {"step": "decided", "ms": 1200}]
    if submitted_ms is not None:
        steps.append({"step": "submitted", "ms": submitted_ms})
    return {
        "id": f"{role.upper()}-{who}-s{slot}",
        "role": role,
        "slot": slot,
        "committee": list(COMMITTEE),
        "validators": list(validators),
        "outcome": outcome,
        "reason": None if outcome == "running" else reason,
        "steps": steps,
    }


def missed(reason: str = "no_quorum", **facts: Any) -> dict[str, Any]:
    return record(outcome="missed", reason=reason, submitted_ms=None, **facts)


def running(**facts: Any) -> dict[str, Any]:
    return record(outcome="running", submitted_ms=None, **facts)


Told = Mapping[OperatorId, Sequence[dict[str, Any]] | None]


def by_all(*records: dict[str, Any]) -> Told:
    return dict.fromkeys(COMMITTEE, records)


def shown(told: Told, *, slot_now: int = 9) -> list[Row]:
    """What is new after two looks that found the same."""
    rows = Rows()
    assert rows.take(told, slot_now=slot_now) == []
    return rows.take(told, slot_now=slot_now)


def test_duty_is_shown_once_when_it_is_settled() -> None:
    rows, told = Rows(), by_all(record())
    assert [rows.take(told, slot_now=9) for _ in range(4)] == [
        [],
        [Row(9, "committee", (32, 33), 4, 4, "done", "", 1400)],
        [],
        [],
    ]


def test_duty_that_still_runs_somewhere_is_waited_for() -> None:
    rows = Rows()
    told = {**by_all(record()), COMMITTEE[3]: [running()]}
    for _ in range(3):
        assert rows.take(told, slot_now=9) == []
    assert rows.first_slot(12) == 9
    assert rows.take(by_all(record()), slot_now=12) == []
    assert [row.outcome for row in rows.take(by_all(record()), slot_now=12)] == ["done"]
    assert rows.first_slot(12) == 11


def test_duty_too_old_to_wait_for_is_shown_as_it_is() -> None:
    rows, told = Rows(), by_all(running())
    assert rows.take(told, slot_now=9) == []
    (row,) = rows.take(told, slot_now=9 + PATIENCE_SLOTS)
    assert (row.outcome, row.done_by, row.at_ms) == ("running", 0, 1200)


def test_what_is_left_at_the_end_is_shown_as_it_is() -> None:
    rows = Rows()
    rows.take(by_all(running()), slot_now=9)
    assert [row.outcome for row in rows.rest()] == ["running"]
    assert rows.rest() == []


@pytest.mark.parametrize(
    ("others", "fourth", "wanted"),
    [
        ([record()], [record(submitted_ms=900)], (4, "done", "", 900)),
        ([record()], [missed("bn_late")], (3, "done", "bn_late", 1400)),
        ([record()], None, (3, "done", "operator 4 silent", 1400)),
        ([record()], [], (3, "done", "operator 4 without it", 1400)),
        ([missed()], [record(outcome="partly", reason="x")], (0, "partly", "no_quorum", 1400)),
        ([missed()], [missed("bn_late")], (0, "missed", "no_quorum", 1200)),
        ([missed()], None, (0, "missed", "no_quorum", 1200)),
        ([record(reason="nothing_selected")], None, (3, "done", "operator 4 silent", 1400)),
    ],
)
def test_row_tells_the_best_outcome_and_why_not_all_had_it(
    others: list[dict[str, Any]], fourth: list[dict[str, Any]] | None, wanted: tuple[object, ...]
) -> None:
    (row,) = shown({**dict.fromkeys(COMMITTEE[:3], others), COMMITTEE[3]: fourth})
    assert (row.done_by, row.outcome, row.reason, row.at_ms) == wanted


def test_several_that_said_nothing_are_counted() -> None:
    (row,) = shown({COMMITTEE[0]: [record()], **dict.fromkeys(COMMITTEE[1:], None)})
    assert row.reason == "3 silent"


def test_done_with_nothing_to_do_says_so() -> None:
    (row,) = shown(by_all(record(reason="nothing_selected", submitted_ms=None)))
    assert (row.outcome, row.reason, row.at_ms) == ("done", "nothing_selected", 1200)


def test_alike_duties_of_a_slot_are_one_row() -> None:
    alike = [record(role="proposer", validators=(v,), submitted_ms=v) for v in (40, 41, 42)]
    rows = shown(by_all(*alike, missed(role="proposer", validators=(43,))))
    assert [(row.validators, row.outcome, row.at_ms) for row in rows] == [
        ((43,), "missed", 1200),
        ((40, 41, 42), "done", 42),
    ]


def test_memory_has_a_bound() -> None:
    rows = Rows()
    for slot in range(4 * KEPT_SLOTS):
        for _ in range(2):
            rows.take(by_all(record(slot=slot)), slot_now=slot)
    assert len(rows._shown) <= KEPT_SLOTS + 1
    assert rows._waiting == {}


def test_every_role_outcome_and_reason_fits_into_80_columns() -> None:
    assert all(len(line) <= WIDTH for line in (HEADING, *LEGEND.split("\n")))
    for role in RunnerRole:
        for outcome in Ending:
            for reason in [*map(str, Reason), "operator 13 without it"]:
                row = Row(9999, role.name.lower(), (2047,), 13, 13, outcome, reason, 99_999)
                if role is not RunnerRole.UNKNOWN:
                    assert len("".join(text_of(row))) <= WIDTH, row


def test_columns_stand_under_their_heading() -> None:
    text = "".join(text_of(Row(17, "proposer", (41,), 3, 4, "done", "bn_late", 638)))
    for word, value in {
        "duty": "block",
        "validators": "index 41",
        "operators": "3 of 4",
        "outcome": "done",
        "reason": "bn_late",
    }.items():
        assert text.index(value) == HEADING.index(word)
    assert text.index("638") + 3 == HEADING.index("ms") + 2


# --- live --------------------------------------------------------------------------------


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
