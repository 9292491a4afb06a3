"""Duty records are kept whole, found by what people ask for, and forgotten by age."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from operator_node.duties import Reason
from operator_node.duties.types import Step
from operator_node.engine import DutyRecord, Ending, Filter, Heard, History
from operator_node.engine import history as history_module
from operator_node.wire.ids import RunnerRole
from sdk.errors import StorageError
from sdk.types import OperatorId, Slot

IDS = tuple(OperatorId(each) for each in (1, 2, 3, 4))
VOTES = DutyRecord(
    id="COMMITTEE-1_2_3_4-e5-s160",
    role=RunnerRole.COMMITTEE,
    slot=Slot(160),
    committee=IDS,
    validators=(7, 17),
    started_ms=4_000,
    steps=((Step.STARTED, 4_001), (Step.DATA, 4_044)),
    round=2,
    leader=OperatorId(3),
    sent=4,
    heard=(Heard(OperatorId(2), 3, 4_005, 5_400),),
    reason=Reason.POST_QUORUM_MISSING,
    submitted=(7,),
    detail={"operators": [3, 4]},
)
BLOCK = DutyRecord(
    id="PROPOSER-e5-s161-v117",
    role=RunnerRole.PROPOSER,
    slot=Slot(161),
    committee=IDS,
    validators=(117,),
    started_ms=1,
    reason=Reason.DONE,
    submitted=(117,),
)


@pytest.fixture(params=["memory", "file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    return History(None if request.param == "memory" else tmp_path / "duties.sqlite")


def test_a_record_comes_back_whole_written_or_not(history: History) -> None:
    history.add(VOTES)
    assert not history.is_written
    assert history.find(Filter()) == (VOTES,)
    assert history.is_written
    history.flush()
    assert history.named(VOTES.id) == VOTES
    assert history.named("PROPOSER-e0-s0-v0") is None


def test_a_record_that_is_told_again_replaces_the_first(history: History) -> None:
    later = replace(VOTES, heard=(*VOTES.heard, Heard(OperatorId(3), 1, 9_000, 9_000)))
    history.add(VOTES)
    history.flush()
    history.add(later)
    assert history.find(Filter()) == (later,)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), [BLOCK, VOTES]),
        (Filter(first=161), [BLOCK]),
        (Filter(last=160), [VOTES]),
        (Filter(validator=17), [VOTES]),
        (Filter(validator=117), [BLOCK]),
        (Filter(validator=1), []),
        (Filter(role=RunnerRole.PROPOSER), [BLOCK]),
        (Filter(outcome=Ending.PARTLY), [VOTES]),
        (Filter(outcome=Ending.DONE, validator=7), []),
    ],
)
def test_records_are_found_latest_first(
    history: History, wanted: Filter, found: list[DutyRecord]
) -> None:
    history.add(VOTES)
    history.add(BLOCK)
    assert list(history.find(wanted)) == found
    assert list(history.find(wanted, limit=1)) == found[:1]


def test_old_records_are_forgotten(tmp_path: Path) -> None:
    history = History(tmp_path / "duties.sqlite", kept_slots=10)
    history.add(VOTES)
    history.add(BLOCK)
    history.flush()
    history.prune(171)
    assert history.find(Filter()) == (BLOCK,)


def test_the_oldest_make_room_when_there_is_too_much(tmp_path: Path) -> None:
    history = History(tmp_path / "duties.sqlite", most_bytes=800_000)
    for slot in range(400):
        record = replace(VOTES, id=f"COMMITTEE-1_2_3_4-e0-s{slot}", slot=Slot(slot))
        history.add(replace(record, detail={"why": "w" * 1000}))
    history.flush()
    history.prune(400)
    left = [record.slot for record in history.find(Filter())]
    assert left == list(range(399, 399 - len(left), -1))
    assert 100 < len(left) < 200
    History(None, most_bytes=0).prune(1)


def test_records_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "duties.sqlite"
    history = History(path)
    history.add(VOTES)
    history.close()
    assert History(path).find(Filter()) == (VOTES,)


def test_what_waits_for_the_disk_is_bounded(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "PENDING_KEPT", 1)
    history.add(VOTES)
    history.add(BLOCK)
    assert history.find(Filter()) == (BLOCK,)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "duties.sqlite"
    path.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StorageError, match=r"duties\.sqlite.*not a database"):
        History(path)


def test_records_that_could_not_be_written_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "duties.sqlite"
    history = History(path)
    history.add(VOTES)
    other = sqlite3.connect(path)
    other.execute("DROP TABLE duties")
    other.close()
    with pytest.raises(StorageError, match="no such table"):
        history.flush()
    assert not history.is_written


def test_adding_does_not_wait_for_the_disk(history: History) -> None:
    with history._lock:  # as while a batch is written
        history.add(VOTES)
    assert history.find(Filter()) == (VOTES,)


def test_one_line_tells_a_duty() -> None:
    assert VOTES.line == (
        "duty=COMMITTEE-1_2_3_4-e5-s160 outcome=partly reason=post_quorum_missing round=2 "
        "last_step=data at_ms=4044 submitted=1 due=2 operators=[3, 4]"
    )
    assert replace(BLOCK, reason=None).line == (
        "duty=PROPOSER-e5-s161-v117 outcome=running reason=none round=0 last_step=none at_ms=1 "
        "submitted=1 due=1"
    )
