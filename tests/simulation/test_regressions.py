"""Faults that the simulation found, as plans that show them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.testing import (
    BeaconFault,
    BeaconTrouble,
    Liar,
    Lie,
    Muffle,
    Partition,
    Plan,
    PlannedDuty,
    StandIns,
    run,
)
from operator_node.testing.faults import FOREVER_MS, slot_start_ms
from operator_node.wire.ids import RunnerRole
from sdk.types import Epoch, Slot
from tests.simulation.seeds import run_seed
from tests.simulation.textbook import HAPPY, LEADER, OPERATORS, SLOT, VALIDATORS


def with_duty(role: RunnerRole, *, sync: tuple[int, ...] = ()) -> Plan:
    duty = PlannedDuty(SLOT, role, VALIDATORS, sync)
    return replace(HAPPY, boole=Epoch(0), duties=(duty,))


def test_a_beacon_node_that_answers_garbage_for_a_contribution_is_survived() -> None:
    """Encoding the value raised, out of the session of an honest operator."""
    plan = replace(
        with_duty(RunnerRole.AGGREGATOR_COMMITTEE, sync=VALIDATORS),
        beacon_faults=(BeaconFault(LEADER, BeaconTrouble.LYING, 0, FOREVER_MS),),
    )
    report = run(plan, StandIns())
    assert report.violations == ()
    assert report.done == 1


def test_a_bad_selection_proof_for_one_subnet_does_not_end_the_duty() -> None:
    """A contributor counted as checked by its first subnet; others' second chance came too late."""
    slot = Slot(SLOT + 1)
    plan = with_duty(RunnerRole.AGGREGATOR_COMMITTEE, sync=VALIDATORS[:1])
    plan = replace(
        plan,
        first_slot=slot,
        duties=(replace(plan.duties[0], slot=slot, validators=()),),
        liars=(Liar(OPERATORS[1], frozenset({Lie.BAD_PARTIALS})),),
        work_ms=40,
    )
    reports = [run(replace(plan, seed=seed), StandIns()) for seed in range(6)]
    assert [report.violations for report in reports] == [()] * 6
    assert {report.done for report in reports} == {1}


def test_a_late_operator_publishes_its_partials_before_it_ends() -> None:
    """A duty that was done while its own signer still worked never sent its own partials.

    Another operator, to whom a liar had sent bad ones, then had too few for good.
    """
    reports = [
        run(
            replace(
                HAPPY, seed=seed, liars=(Liar(liar, frozenset({Lie.BAD_PARTIALS})),), work_ms=40
            ),
            StandIns(),
        )
        for liar in OPERATORS
        for seed in (17, 27, 35, 52, 55)
    ]
    assert [violation for report in reports for violation in report.violations] == []


def test_an_outage_that_swallows_every_answer_of_the_quick_rounds_leaves_nobody_behind() -> None:
    """Who had answered twice into the outage never answered again, for the life of the duty.

    Half of a committee without a fault decided, and the other half could not do so without them.
    """
    start_ms = slot_start_ms(SLOT)
    decided = (OPERATORS[0], LEADER)
    plan = replace(
        HAPPY,
        muffles=tuple(Muffle(each, start_ms, start_ms + 20_000) for each in decided),
        partitions=(Partition(frozenset(decided), start_ms + 19_000, start_ms + 30_000),),
        calm_ms=start_ms + 40_000,
    )
    reports = [run(replace(plan, seed=seed), StandIns()) for seed in range(4)]
    assert [report.violations for report in reports] == [()] * 4
    assert {report.done for report in reports} == {1}


@pytest.mark.parametrize("seed", [37_179, 43_317, 51_699])
def test_a_seed_that_left_operators_behind_after_an_outage_leaves_none(seed: int) -> None:
    """The same, as found: with a paused operator, with a liar, with gossip that soon gives up."""
    outcome = run_seed(seed, 4)
    assert outcome.findings == ()
    assert outcome.done > 0
