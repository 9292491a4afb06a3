"""What is slashable is told, every miss has its word, and bars that are broken are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.devnet.inclusion import Attested, AttesterDuty, Proposed, Report, SyncSigned
from tests.chaos.every_fault import FAULTS
from tests.chaos.fault import Fault, Result
from tests.chaos.judging import Judgement, Miss, judge_duties
from tests.chaos.kills import Tally, costs_of
from tests.chaos.serving import Request
from tests.chaos.submitted import Submitted
from tests.chaos.table import closing_line, complaints, has_held, table
from tests.chaos.trial import MOST_GROWTH_MIB, bars_broken
from tests.chaos.watching import Memory

DUTIES = [AttesterDuty(40, 16, 0, 2), AttesterDuty(40, 24, 1, 0), AttesterDuty(41, 16, 0, 0)]


def vote(slot: int, committee: int, position: int, *, source: int, target: int, head: str) -> Any:
    return {
        "aggregation_bits": f"0x{1 << position | 8:02x}",
        "data": {
            "slot": str(slot),
            "index": str(committee),
            "beacon_block_root": head,
            "source": {"epoch": str(source), "root": "0x01"},
            "target": {"epoch": str(target), "root": "0x02"},
        },
    }


def heard(*votes: Any) -> Submitted:
    submitted = Submitted()
    for each in votes:
        body = json.dumps([each]).encode()
        submitted.hear(Request("POST", "/eth/v1/beacon/pool/attestations", (), body))
    assert submitted.unread == 0
    return submitted


def test_votes_of_one_validator_that_go_together_are_no_pair() -> None:
    first = vote(16, 0, 2, source=1, target=2, head="0xaa")
    again = vote(16, 0, 2, source=1, target=2, head="0xaa")
    later = vote(24, 1, 0, source=2, target=3, head="0xbb")
    assert heard(first, again, later).slashable(DUTIES) == []


def test_two_votes_for_a_target_and_a_surrounding_one_are_pairs() -> None:
    first = vote(16, 0, 2, source=1, target=2, head="0xaa")
    double = vote(16, 0, 2, source=1, target=2, head="0xbb")
    assert len(heard(first, double).slashable(DUTIES)) == 1
    surrounding = vote(24, 1, 0, source=0, target=3, head="0xbb")
    (told,) = heard(first, surrounding).slashable(DUTIES)
    assert told.startswith("validator 40")


def test_votes_of_different_validators_are_no_pair() -> None:
    first = vote(16, 0, 2, source=1, target=2, head="0xaa")
    other = vote(16, 0, 0, source=1, target=2, head="0xbb")
    assert heard(first, other).slashable(DUTIES) == []


@pytest.mark.parametrize("is_ssz", [False, True])
def test_two_blocks_for_a_slot_are_a_pair(is_ssz: bool) -> None:
    submitted = Submitted()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    for signature in (b"\x01" * 96, b"\x02" * 96, b"\x02" * 96):
        if is_ssz:
            numbers = (16).to_bytes(8, "little") + (40).to_bytes(8, "little")
            body = (100).to_bytes(4, "little") + signature + numbers
            headers = ((b"content-type", b"application/octet-stream"),)
        else:
            message = {"slot": "16", "proposer_index": "40"}
            document = {"message": message, "signature": "0x" + signature.hex()}
            body = json.dumps(document).encode()
        submitted.hear(Request("POST", "/eth/v2/beacon/blocks", headers, body))
    assert submitted.unread == 0
    assert len(submitted.blocks) == 2
    assert len(submitted.slashable([])) == 1


def report(*, healthy: bool = True, included: bool = False) -> Report:
    attested = Attested(DUTIES[0], 17 if included else None, included, included, healthy)
    return Report(
        first_slot=16,
        last_slot=16,
        finalized_epoch=0,
        attestations=(attested,),
        proposals=(Proposed(16, 41, False),),
        sync=(SyncSigned(16, 42, 2, 2),),
        alone=(),
        exits=frozenset(),
        empty_slots=frozenset(),
    )


def record(**changed: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "slot": 16,
        "role": "committee",
        "validators": [40],
        "submitted": [],
        "outcome": "missed",
        "reason": "no_proposal",
    }
    return known | changed


def test_a_missed_duty_has_the_word_that_most_operators_say() -> None:
    records = [record(), record(), record(reason="bn_down"), record(slot=17, reason="internal")]
    records.append(record(role="proposer", validators=[41], reason="block_fetch_late"))
    judged = judge_duties(report(), records)
    assert (judged.due, judged.done) == (3, 1)
    assert judged.reasons == {"no_proposal": 1, "block_fetch_late": 1}
    assert judged.unexplained == ()


def test_a_vote_that_was_sent_is_not_included_or_had_no_block() -> None:
    sent = [record(), record(outcome="done", reason="done", submitted=[40])]
    judged = judge_duties(report(), sent)
    assert judged.reasons == {"not_included": 1, "not_recorded": 1}
    assert [each.role for each in judged.unexplained] == ["block"]
    judged = judge_duties(report(healthy=False), sent)
    assert judged.reasons["no_block"] == 1
    assert judged.missed_share == pytest.approx(1 / 3)  # the block alone


def test_a_duty_that_goes_on_has_no_reason_yet() -> None:
    judged = judge_duties(report(), [record(outcome="running", reason=None)])
    assert judged.reasons == {"running": 1, "not_recorded": 1}


def judgement(*misses: Miss, due: int = 100) -> Judgement:
    return Judgement(due, misses)


class Strict(Fault):
    name = "strict"
    about = "for tests"
    most_slots = 1


MISS = Miss(16, 40, "vote", "no_proposal")


def test_bars_are_broken_by_misses_silence_and_memory() -> None:
    assert bars_broken(Strict(), judgement(), 1.0) == []
    assert bars_broken(Strict(), judgement(MISS), None) == []
    assert len(bars_broken(Strict(), judgement(MISS, due=50), None)) == 1
    assert len(bars_broken(Strict(), judgement(MISS, replace(MISS, slot=17), due=900), None)) == 1
    assert len(bars_broken(Strict(), judgement(replace(MISS, reason="internal")), None)) == 1
    assert len(bars_broken(Strict(), judgement(), MOST_GROWTH_MIB + 1)) == 1
    assert bars_broken(Strict(), judgement(*10 * [replace(MISS, reason="no_block")]), None) == []


def result(**changed: Any) -> Result:
    known: dict[str, Any] = {
        "fault": "calm",
        "first_slot": 9,
        "last_slot": 20,
        "judgement": judgement(MISS),
        "slashable": (),
        "recovery_slots": 1,
        "growth_mib": None,
        "broken": (),
    }
    return Result(**known | changed)


def test_the_last_line_counts_everything_and_a_pair_or_a_bar_fails() -> None:
    results = [result(), result(slashable=("a pair",)), result(broken=("a bar",))]
    assert closing_line(results) == ("chaos: 3 faults, 300 duties due, 3 missed, 1 slashable pairs")
    assert list(complaints(results)) == ["calm: a pair", "calm: a bar"]
    assert has_held(results[:1])
    assert not has_held(results[:2])
    assert not has_held(results[2:])
    heading, *rows = table(results)
    assert len(rows) == 3
    assert rows[0].endswith("no_proposal 1")
    assert heading.startswith("fault")
    assert json.loads(json.dumps(results[0].as_json()))["missed"] == {"no_proposal": 1}


def test_growth_is_of_nodes_that_ran_all_the_time() -> None:
    before = Memory({1: 100.0, 2: 100.0})
    assert before.growth_mib(Memory({1: 103.0, 2: 101.0, 3: 900.0})) == 3.0
    assert before.growth_mib(Memory({4: 900.0})) is None


def test_every_fault_has_a_name_of_its_own_and_says_what_happens() -> None:
    assert len({each.name for each in FAULTS}) == len(FAULTS)
    assert all(each.about and " " not in each.name for each in FAULTS)


def test_the_page_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs/chaos.md").read_text()
    assert [each.name for each in FAULTS if f"`{each.name}`" not in page] == []


def test_a_kill_may_cost_a_slot_and_no_more() -> None:
    tally = Tally(real=2)
    tally.cost("kill 1", 0)
    tally.cost("kill 2", 1)
    assert tally.has_held
    tally.cost("kill 3", 2)
    assert not tally.has_held
    assert tally.closing_line().endswith("1 cost no slot, 1 one, 1 more")


def test_a_missed_slot_is_the_last_kill_before_it() -> None:
    assert costs_of([10, 12, 12, 15], [9, 10, 11, 12, 14, 20]) == {0: 3, 2: 2, 3: 1}
    assert costs_of([10], []) == {}
