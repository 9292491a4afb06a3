"""Sessions in the state of a case's dump."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operator_node.duties.aggregator import AggregatorDuty
from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.committee import VoteDuty
from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.registration import RegistrationDuty
from operator_node.duties.sync_contribution import ContributionDuty
from operator_node.duties.types import CommitteeDuty, Duty, Recover
from operator_node.duties.voluntary_exit import ExitDuty
from operator_node.session import Consensus, Session
from operator_node.spec.presets import Preset
from operator_node.wire.ids import (
    COMMITTEE_ROLES,
    RunnerRole,
    committee_id,
    committee_message_id,
    validator_message_id,
)
from operator_node.wire.messages import PartialSignature
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.types import OperatorId, Slot
from tests.vectors.ssv.qbft_harness import CUT_OFF, always_first
from tests.vectors.ssv.qbft_projection import load_state
from tests.vectors.ssv.reading import number, raw, rows, validator_duty
from tests.vectors.ssv.runner_harness import ME, NETWORK_RULES, World
from tests.vectors.ssv.runner_projection import Container, container, stores_of

DUTY_KEYS = ("ValidatorDuty", "CommitteeDuty", "AggregatorCommitteeDuty")
COMMITTEE_KEYS = {
    "CommitteeRunners": RunnerRole.COMMITTEE,
    "Runners": RunnerRole.COMMITTEE,
    "AggregatorCommitteeRunners": RunnerRole.AGGREGATOR_COMMITTEE,
}
"""Where a dumped committee keeps its runners; the second name is Alan's."""


def duty_in(data: dict[str, Any]) -> dict[str, Any]:
    """The dumped duty of a case or of a runner's state, of whichever kind."""
    return next(data[key] for key in DUTY_KEYS if data.get(key) is not None)


def slot_in(data: dict[str, Any]) -> int:
    """The slot of a case's or a state's duty."""
    return number(duty_in(data)["Slot"])


def committee_duty(data: dict[str, Any]) -> CommitteeDuty:
    """`CommitteeDuty` and `AggregatorCommitteeDuty`."""
    duties = tuple(validator_duty(each) for each in rows(data["ValidatorDuties"]))
    return CommitteeDuty(Slot(number(data["Slot"])), duties)


def make_duty(world: World, role: RunnerRole, data: dict[str, Any]) -> Duty:
    """The duty of a dump, for all of its validators with a share."""
    if role in COMMITTEE_ROLES:
        return make_committee_duty(world, role, committee_duty(data))
    return make_validator_duty(world, role, validator_duty(data), next(iter(world.shares.values())))


def make_committee_duty(world: World, role: RunnerRole, duty: CommitteeDuty) -> Duty:
    """A duty that a committee does together."""
    if role is RunnerRole.COMMITTEE:
        return VoteDuty(world.setting, duty, world.shares, view=world.view)
    return AggregationDuty(world.setting, duty, world.shares)


def make_validator_duty(world: World, role: RunnerRole, duty: ValidatorDuty, share: Share) -> Duty:
    """A duty of one validator, by the network's rules alone."""
    setting = world.setting
    gas_limit = world.vectors.fixtures["constants"]["gas_limit"]
    match role:
        case RunnerRole.PROPOSER:
            return ProposerDuty(setting, duty, share, rules=NETWORK_RULES)
        case RunnerRole.AGGREGATOR:
            return AggregatorDuty(setting, duty, share, selection=world.selection)
        case RunnerRole.SYNC_CONTRIBUTION:
            spread = one_subnet_each(duty)
            return ContributionDuty(setting, spread, share, selection=world.selection)
        case RunnerRole.VALIDATOR_REGISTRATION:
            return RegistrationDuty(setting, duty, share, gas_limit=gas_limit)
        case RunnerRole.VOLUNTARY_EXIT:
            return ExitDuty(setting, duty, share)
    raise AssertionError(f"no duty of {role.name}")


def one_subnet_each(duty: ValidatorDuty) -> ValidatorDuty:
    """Alan's pretend beacon node takes a position for its subnet; moves each position there."""
    seats = Preset.MAINNET.sizes.sync_subcommittee_size
    spread = tuple(position * seats for position in duty.sync_committee_indices)
    return replace(duty, sync_committee_indices=spread)


def _with_subnets_as_positions(world: World, duty: ValidatorDuty) -> ValidatorDuty:
    """The beacon node of these cases takes a position for its subnet: the first position of it."""
    size = world.vectors.fixtures["constants"]["sync_subnet_size"]
    positions = tuple(size * position for position in duty.sync_committee_indices)
    return replace(duty, sync_committee_indices=positions)


def new_session(world: World, duty: Duty, consensus: Consensus | None = None) -> Session:
    """A session that has not begun; a committee's gets a consensus of its own."""
    if duty.role not in COMMITTEE_ROLES:
        share = next(iter(world.shares.values()))
        return Session(
            duty, validator_message_id(world.domain, duty.role, share.validator_key), consensus
        )
    message_id = committee_message_id(
        world.domain, duty.role, committee_id(world.committee.operators)
    )
    own = Consensus(
        committee=world.committee,
        me=ME,
        identifier=message_id,
        leader=always_first,
        verify=world.verify,
        generation=world.vectors.generation,
        cut_off=CUT_OFF,
    )
    return Session(duty, message_id, consensus or own)


def load(world: World, session: Session, base: dict[str, Any]) -> None:
    """Brings a new session, and its consensus, to where the dumped runner stands.

    The runner's steps are taken again with what its containers hold; then consensus is put into
    the dumped state. What the steps led to outside is forgotten.
    """
    state, controller = base["State"], base["QBFTController"]
    consensus = session.consensus
    if state is not None:
        world.run(session, session.begin())
        held = container(state["PreConsensusContainer"])
        world.run(session, _refill(session, held, is_first=True))
    if consensus is not None:
        consensus.serve(session.duty)
        consensus.restore(controller["Height"], _instances(state, controller))
    if state is not None:
        _go_on(world, session, state)
    world.forget()


def _instances(state: dict[str, Any] | None, controller: dict[str, Any]) -> list[Any]:
    dumps = {each["State"]["Height"]: each for each in rows(controller["StoredInstances"]) if each}
    running = state["RunningInstance"] if state is not None else None
    if running is not None:
        dumps[running["State"]["Height"]] = running
    return [load_state(dump) for dump in dumps.values()]


def _go_on(world: World, session: Session, state: dict[str, Any]) -> None:
    """After consensus, as far as the dump says."""
    decided = raw(state["DecidedValue"])
    if decided:
        world.run(session, session._continue(lambda: session.duty.decide(decided)))
    _refill(session, container(state["PostConsensusContainer"]), is_first=False)
    if state["Finished"]:
        world.run(session, session.expire())


def _refill(session: Session, held: Container, *, is_first: bool) -> list[Recover]:
    """Stores dumped partial signatures; the recovery of what they complete."""
    store = stores_of(session.duty)[0 if is_first else 1]
    if store is None:
        return []
    crossed = store.add(
        PartialSignature(bytes.fromhex(signature), bytes.fromhex(root), OperatorId(signer), index)
        for (index, root, signer), signature in held.items()
    )
    return [Recover(tuple(store.recovery(*pair) for pair in crossed))] if crossed else []
