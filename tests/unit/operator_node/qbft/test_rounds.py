from __future__ import annotations

import pytest

from operator_node.qbft.rounds import (
    Anchor,
    Expiry,
    expiry,
    leader_alan,
    leader_boole,
    leader_of,
)
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from sdk.errors import UsageError

COMMITTEE = Committee.of([30, 10, 40, 20])
SLOT_MS = 12_000


@pytest.mark.parametrize(
    ("height", "round_", "leader"),
    [(0, 1, 10), (0, 2, 20), (0, 5, 10), (1, 1, 20), (3, 1, 40), (32, 1, 10), (35, 2, 10)],
)
def test_alan_leaders_take_turns_by_id_from_the_heights_first(
    height: int, round_: int, leader: int
) -> None:
    assert leader_alan(COMMITTEE, height, round_) == leader


@pytest.mark.parametrize(
    ("height", "round_", "leader"),
    [(0, 1, 10), (31, 1, 40), (32, 1, 20), (33, 1, 30), (64, 1, 30), (64, 3, 10)],
)
def test_boole_leaders_shift_once_more_every_32_heights(
    height: int, round_: int, leader: int
) -> None:
    assert leader_boole(COMMITTEE, height, round_) == leader


def test_the_generation_chooses_the_leader_rule() -> None:
    assert leader_of(COMMITTEE, Generation.ALAN)(32, 1) == 10
    assert leader_of(COMMITTEE, Generation.BOOLE)(32, 1) == 20


@pytest.mark.parametrize(
    ("round_", "ms"),
    [(1, 6_000), (2, 8_000), (8, 20_000), (9, 140_000), (12, 500_000)],
)
def test_committee_rounds_end_at_fixed_times_after_a_third_of_the_slot(
    round_: int, ms: int
) -> None:
    assert expiry(RunnerRole.COMMITTEE, round_, SLOT_MS) == Expiry(Anchor.SLOT_START, ms)


@pytest.mark.parametrize(
    "role",
    [RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION, RunnerRole.AGGREGATOR_COMMITTEE],
)
@pytest.mark.parametrize(("round_", "ms"), [(1, 10_000), (8, 24_000), (10, 264_000)])
def test_aggregation_rounds_end_at_fixed_times_after_two_thirds_of_the_slot(
    role: RunnerRole, round_: int, ms: int
) -> None:
    assert expiry(role, round_, SLOT_MS) == Expiry(Anchor.SLOT_START, ms)


@pytest.mark.parametrize(("round_", "ms"), [(1, 2_000), (8, 2_000), (9, 120_000), (12, 120_000)])
def test_proposer_rounds_last_from_their_own_start(round_: int, ms: int) -> None:
    assert expiry(RunnerRole.PROPOSER, round_, SLOT_MS) == Expiry(Anchor.ROUND_START, ms)


@pytest.mark.parametrize(
    "role", [RunnerRole.VALIDATOR_REGISTRATION, RunnerRole.VOLUNTARY_EXIT, RunnerRole.UNKNOWN]
)
def test_roles_without_consensus_have_no_rounds(role: RunnerRole) -> None:
    with pytest.raises(UsageError):
        expiry(role, 1, SLOT_MS)
