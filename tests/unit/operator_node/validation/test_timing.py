"""Early, late and estimated rounds, at their edges."""

from __future__ import annotations

import pytest

from operator_node.qbft.rounds import QUICK_ROUNDS
from operator_node.validation import timing
from operator_node.wire.ids import RunnerRole
from tests.unit.operator_node.validation.world import SLOT_MS


@pytest.mark.parametrize(("since_ms", "early"), [(-51, True), (-50, False), (0, False)])
def test_messages_may_come_50_ms_before_their_slot(since_ms: int, early: bool) -> None:
    assert timing.is_early(since_ms) is early


@pytest.mark.parametrize(
    ("role", "slots"), [(0, 34), (1, 34), (6, 34), (2, 3), (3, 3), (4, 34), (5, 7_200)]
)
def test_messages_are_late_when_their_duty_is_over(role: int, slots: int) -> None:
    latest_ms = slots * SLOT_MS + 3_050
    assert not timing.is_late(role, latest_ms, slot_ms=SLOT_MS)
    assert timing.is_late(role, latest_ms + 1, slot_ms=SLOT_MS)


@pytest.mark.parametrize(
    ("since_ms", "round_"),
    [
        (-12_000, 1),
        (0, 1),
        (1_999, 1),
        (2_000, 2),
        (15_999, 8),
        (16_000, 9),
        (135_999, 9),
        (136_000, 10),
        (376_000, 12),
    ],
)
def test_rounds_are_estimated_from_the_start_of_the_slot(since_ms: int, round_: int) -> None:
    assert timing.estimated_round(since_ms) == round_


def test_duties_that_agree_on_blocks_have_no_slow_rounds() -> None:
    """In each of these a late operator is given a decided message, with the value, once more."""
    assert timing.CUT_OFF_ROUND[RunnerRole.PROPOSER] <= QUICK_ROUNDS
