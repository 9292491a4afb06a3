"""Every checker can fail: a history made by hand that breaks its rule, beside one that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import DutyOutcome
from operator_node.signer.rules import AttestationGuard, BlockGuard
from operator_node.testing.bounds import find_excess
from operator_node.testing.checkers import (
    Agreement,
    Endings,
    Slashing,
    Validity,
    is_slashable_pair,
)
from operator_node.testing.clock import Timeline
from operator_node.testing.cluster import Simulation
from operator_node.testing.fake_beacon import block_root, checkpoints_at
from operator_node.testing.faults import SLOT_MS, slot_start_ms
from operator_node.testing.liveness import LivenessCheck
from operator_node.testing.network import Packet
from operator_node.testing.standin import StandIns
from operator_node.testing.truth import value_checker
from operator_node.testing.watch import Course, Watch
from operator_node.testing.world import DutyKey, World
from operator_node.validation.rules import Rule
from operator_node.validation.verdict import Reject
from operator_node.wire.ids import MessageId, RunnerRole
from operator_node.wire.messages import Envelope, EnvelopeKind
from operator_node.wire.value_codec import encode_beacon_vote
from operator_node.wire.values import BeaconVote
from sdk.errors import InvariantBroken
from sdk.types import Epoch, OperatorId, PublicKey, Slot
from tests.simulation.textbook import HAPPY, OPERATORS, SLOT

ONE, TWO, THREE, FOUR = OPERATORS
KEY = DutyKey(MessageId(bytes(56)), SLOT, 0)
VALIDATOR = PublicKey(b"v" * 48)
SHARES = {each: PublicKey(bytes([each]) * 48) for each in OPERATORS}
OTHER_SHARES = {each: PublicKey(bytes([each + 50]) * 48) for each in OPERATORS}
QUORUM = 3


def vote(source: int, target: int, root: bytes = b"a") -> AttestationGuard:
    return AttestationGuard(Epoch(source), Epoch(target), root * 32)


def block(slot: int, root: bytes = b"a") -> BlockGuard:
    return BlockGuard(Slot(slot), root * 32)


# --- agreement and validity ----------------------------------------------------------------


def test_two_operators_that_decide_differently_break_agreement() -> None:
    checker = Agreement()
    assert checker.decided(ONE, KEY, b"a") is None
    assert checker.decided(TWO, KEY, b"a") is None
    found = checker.decided(THREE, KEY, b"b")
    assert found is not None
    assert found.is_safety


def test_one_operator_that_decides_twice_breaks_agreement() -> None:
    checker = Agreement()
    checker.decided(ONE, KEY, b"a")
    assert checker.decided(ONE, KEY, b"b") is not None


def test_other_duties_may_decide_otherwise() -> None:
    checker = Agreement()
    checker.decided(ONE, KEY, b"a")
    assert checker.decided(TWO, KEY._replace(slot=SLOT + 1), b"b") is None


def test_a_decided_value_that_the_judge_refuses_breaks_validity() -> None:
    checker = Validity(lambda key, value: "it is bad" if value == b"bad" else "")
    assert checker.decided(ONE, KEY, b"good") is None
    assert checker.decided(ONE, KEY, b"bad") is not None


@pytest.mark.parametrize(
    "change", ["source epoch", "target epoch", "malformed", "source root", "nothing"]
)
def test_the_judge_of_votes_knows_the_chain(change: str) -> None:
    world = World(replace(HAPPY, compare_roots=True), StandIns())
    source, target = checkpoints_at(SLOT)
    if change == "source epoch":
        source = replace(source, epoch=Epoch(source.epoch - 1))
    if change == "target epoch":
        target = replace(target, epoch=Epoch(target.epoch + 1))
    if change == "source root":
        source = replace(source, root=bytes(32))
    value = encode_beacon_vote(BeaconVote(block_root(SLOT), source, target))
    value = value[:-1] if change == "malformed" else value
    key = world.key_of(HAPPY.duties[0], world.clusters[0])
    assert bool(value_checker(world)(key, value)) is (change != "nothing")


# --- slashing ------------------------------------------------------------------------------

SLASHABLE = [
    (vote(3, 4, b"a"), vote(3, 4, b"b")),
    (vote(3, 4), vote(2, 5)),
    (vote(2, 5), vote(3, 4)),
    (block(9, b"a"), block(9, b"b")),
]
HARMLESS = [
    (vote(3, 4), vote(3, 4)),
    (vote(3, 4), vote(4, 5)),
    (vote(3, 4), vote(3, 5)),
    (block(9), block(9)),
    (block(9), block(10)),
    (block(4), vote(3, 4)),
]


@pytest.mark.parametrize(("one", "other"), SLASHABLE)
def test_slashable_pairs_are_known(one: BlockGuard, other: BlockGuard) -> None:
    assert is_slashable_pair(one, other)


@pytest.mark.parametrize(("one", "other"), HARMLESS)
def test_harmless_pairs_are_known(one: BlockGuard, other: BlockGuard) -> None:
    assert not is_slashable_pair(one, other)


@pytest.mark.parametrize(("one", "other"), SLASHABLE)
def test_an_operator_that_signs_both_is_found(one: BlockGuard, other: BlockGuard) -> None:
    checker = Slashing(frozenset())
    assert checker.signed(ONE, VALIDATOR, one, SHARES, QUORUM) is None
    assert checker.signed(ONE, VALIDATOR, other, SHARES, QUORUM) is not None


def test_an_operator_that_signs_both_with_two_shares_of_one_validator_is_found() -> None:
    checker = Slashing(frozenset())
    checker.signed(ONE, VALIDATOR, vote(3, 4, b"a"), SHARES, QUORUM)
    assert checker.signed(ONE, VALIDATOR, vote(3, 4, b"b"), OTHER_SHARES, QUORUM) is not None


def test_two_quorums_of_different_committees_are_found() -> None:
    checker = Slashing(frozenset())
    for operator in (ONE, TWO, THREE):
        assert checker.signed(operator, VALIDATOR, vote(3, 4, b"a"), SHARES, QUORUM) is None
    others = [OperatorId(each) for each in (11, 12, 13, 14)]
    shares = {each: PublicKey(bytes([each]) * 48) for each in others}
    found = [
        checker.signed(each, VALIDATOR, vote(3, 4, b"b"), shares, QUORUM) for each in others[:3]
    ]
    assert [each is not None for each in found] == [False, False, True]


def test_liars_are_taken_to_have_signed_everything() -> None:
    checker = Slashing(frozenset({FOUR}))
    one, other = vote(3, 4, b"a"), vote(3, 4, b"b")
    two_quorums = [(ONE, one), (TWO, one), (THREE, other), (OperatorId(5), other)]
    committee = {**SHARES, OperatorId(5): PublicKey(b"5" * 48)}
    found = [checker.signed(who, VALIDATOR, what, committee, QUORUM) for who, what in two_quorums]
    assert [each is not None for each in found] == [False, False, False, True]


def test_other_validators_may_vote_otherwise() -> None:
    checker = Slashing(frozenset())
    checker.signed(ONE, VALIDATOR, vote(3, 4, b"a"), SHARES, QUORUM)
    other = PublicKey(b"w" * 48)
    assert checker.signed(ONE, other, vote(3, 4, b"b"), SHARES, QUORUM) is None


# --- endings and conduct -------------------------------------------------------------------


def outcome(reason: Reason, submitted: tuple[int, ...] = (100, 101)) -> DutyOutcome:
    return DutyOutcome("id", RunnerRole.COMMITTEE, SLOT, reason, {}, submitted, (100, 101))


def test_a_duty_that_ends_twice_is_found() -> None:
    checker = Endings()
    checker.began(ONE, KEY)
    assert checker.ended(ONE, KEY, done=True, complete=True) is None
    assert checker.ended(ONE, KEY, done=False, complete=False) is not None


def test_a_duty_that_never_ends_is_found() -> None:
    checker = Endings()
    checker.began(ONE, KEY)
    assert [found.is_safety for found in checker.unfinished()] == [False]


def test_a_duty_of_a_former_life_need_not_end() -> None:
    checker = Endings()
    checker.began(ONE, KEY)
    checker.forgotten(ONE)
    assert list(checker.unfinished()) == []


def watch(**facts: object) -> Watch:
    return Watch(
        now_ms=lambda: 0,
        liars=frozenset({FOUR}),
        is_valid=lambda key, value: "",
        checks_consensus=True,
    )


def test_done_without_everything_sent_is_found() -> None:
    seen = watch()
    seen.began(ONE, KEY)
    seen.ended(ONE, KEY, outcome(Reason.DONE, submitted=(100,)))
    assert [found.rule for _, found in seen.violations] == ["endings"]


def test_a_reason_other_than_done_may_leave_something_out() -> None:
    seen = watch()
    seen.began(ONE, KEY)
    seen.ended(ONE, KEY, outcome(Reason.POST_QUORUM_MISSING, submitted=(100,)))
    assert seen.violations == []


@pytest.mark.parametrize(("origin", "findings"), [(ONE, 1), (FOUR, 0), (TWO, 0)])
def test_blame_for_an_honest_message_is_found(origin: OperatorId, findings: int) -> None:
    seen = watch()
    packet = Packet(b"", "", origin, Envelope(EnvelopeKind.CONSENSUS, MessageId(bytes(56)), b""))
    seen.rejected(THREE, packet, Reject(Rule.REPEATED_STEP, ""))
    seen.close(frozenset({TWO}))
    assert len(seen.violations) == findings


# --- liveness ------------------------------------------------------------------------------


def finished_run() -> tuple[Simulation, LivenessCheck, DutyKey]:
    simulation = Simulation(HAPPY, StandIns(), with_transcript=False)
    assert simulation.run().violations == ()
    world = simulation.world
    check = LivenessCheck(world, simulation.watch, simulation.network)
    return simulation, check, world.key_of(HAPPY.duties[0], world.clusters[0])


def test_a_duty_that_was_done_fails_nothing() -> None:
    _, check, _ = finished_run()
    assert [owed.sound for owed in check.owed()] == [frozenset(OPERATORS)]
    assert list(check.failures()) == []


def test_an_operator_that_never_began_is_found() -> None:
    simulation, check, key = finished_run()
    del simulation.watch.courses[TWO, key]
    assert ["never began" in found.text for found in check.failures()] == [True]


def test_an_operator_that_ended_badly_is_found() -> None:
    simulation, check, key = finished_run()
    course = simulation.watch.courses[TWO, key]
    course.outcome = outcome(Reason.COMMIT_QUORUM_MISSING)
    assert ["commit_quorum_missing" in found.text for found in check.failures()] == [True]


def test_an_operator_that_never_learned_the_decision_is_found() -> None:
    simulation, check, key = finished_run()
    simulation.watch.courses[TWO, key] = Course(slot_start_ms(SLOT))
    assert {found.rule for found in check.failures()} == {"liveness", "left behind"}


def test_nothing_is_owed_when_partial_signatures_were_lost() -> None:
    simulation, _, key = finished_run()
    envelope = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, key.message_id, b"")
    simulation.network.lost.append((Packet(b"", "", ONE, envelope), TWO))
    check = LivenessCheck(simulation.world, simulation.watch, simulation.network)
    assert list(check.owed()) == []


@pytest.mark.parametrize("calm_ms", [0, slot_start_ms(SLOT + 33)])
def test_a_duty_is_owed_only_if_it_was_calm_in_time(calm_ms: int) -> None:
    plan = replace(HAPPY, calm_ms=calm_ms)
    simulation = Simulation(plan, StandIns(), with_transcript=False)
    simulation.run()
    check = LivenessCheck(simulation.world, simulation.watch, simulation.network)
    assert len(list(check.owed())) == (1 if calm_ms == 0 else 0)


# --- bounds --------------------------------------------------------------------------------


def test_a_store_that_grows_with_messages_is_found() -> None:
    simulation, _, _ = finished_run()
    assert list(find_excess(simulation.nodes)) == []
    (job,) = simulation.nodes[ONE].desk.jobs
    assert job.session.consensus is not None
    state = job.session.consensus.state_at(SLOT)
    assert state is not None
    state.commits[1] = state.commits[1] * 10
    assert [found.rule for found in find_excess(simulation.nodes)] == ["bounds"]


def test_a_run_that_never_calms_down_is_stopped() -> None:
    timeline = Timeline()

    def again() -> None:
        timeline.after(1, again)

    again()
    with pytest.raises(InvariantBroken, match="more to come"):
        timeline.run(10 * SLOT_MS, most_events=1_000)
