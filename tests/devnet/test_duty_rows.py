"""Rows of duties: when a duty is shown, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.devnet.duty_rows import (
    HEADING,
    KEPT_SLOTS,
    LEGEND,
    PATIENCE_SLOTS,
    Row,
    Rows,
    text_of,
)
from operator_node.duties.reasons import Reason
from operator_node.engine.records import Ending
from operator_node.wire.ids import RunnerRole
from tests.devnet.told import (
    COMMITTEE,
    WIDTH,
    by_all,
    missed,
    record,
    running,
    shown,
)


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
