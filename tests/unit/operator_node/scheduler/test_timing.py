"""When duties start and end, in fractions of the chain's own slot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.scheduler.timing import Timing
from operator_node.wire.ids import RunnerRole
from tests.unit.operator_node.scheduler.world import CHAIN, GLOAS_CHAIN, TIMING

DUE_MS = 3_999


def test_the_wait_after_a_head_is_the_operators_choice() -> None:
    assert replace(TIMING, head_settle_ms=0).committee_start_ms(5, head_ms=1_000) == 1_000
    assert replace(TIMING, head_settle_ms=9_000).committee_start_ms(5, head_ms=1_000) == DUE_MS


def test_attestations_are_due_after_a_third_and_aggregates_after_two() -> None:
    assert TIMING.attestation_due_ms(0) == DUE_MS
    assert TIMING.aggregate_due_ms(0) == 8_000
    two_seconds = Timing(replace(CHAIN, seconds_per_slot=2))
    assert (two_seconds.attestation_due_ms(0), two_seconds.aggregate_due_ms(0)) == (666, 1_333)


def test_from_gloas_on_they_are_due_earlier() -> None:
    timing = Timing(GLOAS_CHAIN)
    assert [timing.attestation_due_ms(slot) for slot in (15, 16)] == [DUE_MS, 3_000]
    assert [timing.aggregate_due_ms(slot) for slot in (15, 16)] == [8_000, 6_000]


@pytest.mark.parametrize(
    ("head_ms", "block_ms", "start_ms"),
    [
        (None, None, DUE_MS),
        (1_000, None, 1_300),
        (-20, None, 300),
        (3_900, None, DUE_MS),
        (DUE_MS, None, DUE_MS),
        (None, 2_000, DUE_MS + 400),
        (4_100, 2_000, 4_100),
        (4_600, 2_000, DUE_MS + 400),
        (4_100, None, DUE_MS),
        (None, 4_050, DUE_MS),
    ],
    ids=[
        "nothing seen: the due time",
        "300 ms after the head",
        "a head before the slot, by clock error",
        "a head just before the due time",
        "a head at the due time",
        "a block in time, no head: the grace",
        "the head within the grace",
        "the head after the grace",
        "a head after the due time without a block in time",
        "a block after the due time",
    ],
)
def test_committees_start_after_the_head_or_when_due(
    head_ms: int | None, block_ms: int | None, start_ms: int
) -> None:
    assert TIMING.committee_start_ms(5, head_ms=head_ms, block_ms=block_ms) == start_ms


def test_the_grace_can_be_switched_off_and_has_a_bound() -> None:
    off, long = (Timing(CHAIN, late_block_grace_ms=each) for each in (0, 9_000))
    assert off.committee_start_ms(5, block_ms=10) == DUE_MS
    assert long.committee_start_ms(5, block_ms=10) == DUE_MS + 1_000


@pytest.mark.parametrize(
    ("role", "slots"),
    [
        (RunnerRole.COMMITTEE, 32),
        (RunnerRole.AGGREGATOR, 32),
        (RunnerRole.AGGREGATOR_COMMITTEE, 32),
        (RunnerRole.PROPOSER, 1),
        (RunnerRole.SYNC_CONTRIBUTION, 2),
        (RunnerRole.VALIDATOR_REGISTRATION, 32),
        (RunnerRole.VOLUNTARY_EXIT, 7_200),
    ],
)
def test_duties_end_after_so_many_slots(role: RunnerRole, slots: int) -> None:
    assert TIMING.deadline_ms(role, 10) == TIMING.start_ms(10 + slots)


def test_blocks_are_asked_for_after_the_proposer_delay() -> None:
    timing = Timing(CHAIN, proposer_delay_ms=700)
    assert timing.data_ms(RunnerRole.PROPOSER, 3) == 700
    assert timing.data_ms(RunnerRole.AGGREGATOR_COMMITTEE, 3) == 8_000
    assert timing.data_ms(RunnerRole.VOLUNTARY_EXIT, 3) == 0


def test_with_a_clock_that_is_far_off_no_block_is_late_on_purpose() -> None:
    off = [False]
    timing = Timing(CHAIN, proposer_delay_ms=700, ignores_delay=lambda: off[0])
    assert timing.data_ms(RunnerRole.PROPOSER, 3) == 700
    off[0] = True
    assert timing.data_ms(RunnerRole.PROPOSER, 3) == 0
