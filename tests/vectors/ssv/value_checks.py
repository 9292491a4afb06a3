"""The families about value checks: one value, one role, and what the role's duty says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from operator_node.duties.aggregation import read_value
from operator_node.duties.aggregator import AggregatorDuty
from operator_node.duties.committee import VoteDuty
from operator_node.duties.proposal_rules import BlockCheck, ProposalRules, RecipientCheck
from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.sync_contribution import ContributionDuty
from operator_node.duties.types import CheckpointView, CommitteeDuty, Duty, Setting, ValueCheck
from operator_node.signer.rules import Guard
from operator_node.wire.committee import Committee
from operator_node.wire.ids import BeaconRole, DomainType, RunnerRole
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import Checkpoint, ValidatorDuty
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot
from tests.vectors.case import expect
from tests.vectors.ssv import reading
from tests.vectors.ssv.archive import States, Vectors
from tests.vectors.ssv.errors import expected_fault, fault_of
from tests.vectors.ssv.pretend_beacon import chain_of
from tests.vectors.ssv.types_families import Checks, Data

ME = OperatorId(1)
NOW = Slot(12_000_000)
"""The cases were made when their network's clock stood there; far-off duties are far beyond."""
NETWORK_RULES = ProposalRules(frozenset(), BlockCheck.NETWORK, RecipientCheck.OFF)
"""What the cases judge by: the network's rules and nothing stricter."""
_BEACON_ROLES = {
    RunnerRole.AGGREGATOR: BeaconRole.AGGREGATOR,
    RunnerRole.PROPOSER: BeaconRole.PROPOSER,
    RunnerRole.SYNC_CONTRIBUTION: BeaconRole.SYNC_CONTRIBUTION,
}


def run_several(vectors: Vectors, _states: States, _file: str, data: Data) -> Checks:
    """A file of several cases."""
    for row in data["Tests"]:
        yield row["Name"], partial(run_value_check, vectors, row)


def run_value_check(vectors: Vectors, data: Data) -> None:
    """One case."""
    found = fault_of(partial(_check, vectors, data, reading.raw(data["Input"])))
    if data["AnyError"]:
        expect(found != 0, True, "any fault")
        return
    expect(found, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")


def _check(vectors: Vectors, data: Data, value: bytes) -> None:
    slot, role = Slot(reading.number(data["DutySlot"])), RunnerRole(data["RunnerRole"])
    setting = _setting(vectors, data, slot)
    share = _share(vectors)
    match role:
        case RunnerRole.COMMITTEE:
            _check_vote(setting, share, data, value, slot)
            return
        case RunnerRole.AGGREGATOR_COMMITTEE:
            read_value(value, setting.chain.preset)
            return
    _duty(setting, share, role, slot).check_value(value, round_number=1)


def _duty(setting: Setting, share: Share, role: RunnerRole, slot: Slot) -> Duty:
    duty = ValidatorDuty(_BEACON_ROLES[role], share.validator_key, slot, share.validator_index)
    match role:
        case RunnerRole.PROPOSER:
            return ProposerDuty(setting, duty, share, now=NOW, rules=NETWORK_RULES)
        case RunnerRole.AGGREGATOR:
            return AggregatorDuty(setting, duty, share, now=NOW)
        case _:
            return ContributionDuty(setting, duty, share, now=NOW)


def _check_vote(setting: Setting, share: Share, data: Data, value: bytes, slot: Slot) -> None:
    keys = [PublicKey(reading.raw(each)) for each in reading.rows(data.get("ShareValidatorsPK"))]
    shares = {
        index: replace(share, validator_index=index, share_key=key)
        for index, key in enumerate(keys or [share.share_key], start=1)
    }
    duties = tuple(
        ValidatorDuty(BeaconRole.ATTESTER, each.validator_key, slot, index, committee_length=1)
        for index, each in shares.items()
    )
    view = CheckpointView(_checkpoint(data["ExpectedSource"]), _checkpoint(data["ExpectedTarget"]))
    duty = VoteDuty(setting, CommitteeDuty(slot, duties), shares, view=view)
    duty.check_value(value, round_number=1)


def _checkpoint(row: Data) -> Checkpoint:
    return Checkpoint(Epoch(reading.number(row["epoch"])), reading.hexed(row["root"]))


def _setting(vectors: Vectors, data: Data, slot: Slot) -> Setting:
    slashable: Mapping[bytes, set[int]] = {
        reading.hexed(key): {reading.number(each) for each in slots}
        for key, slots in (data["SlashableSlots"] or {}).items()
    }

    def is_slashable(share: Share, _guard: Guard) -> bool:
        return slot in slashable.get(share.share_key, ())

    return Setting(
        committee=Committee.of((1, 2, 3, 4)),
        me=ME,
        chain=chain_of(vectors),
        generation=vectors.generation,
        is_slashable=is_slashable,
        value_check=ValueCheck.NETWORK,
    )


def _share(vectors: Vectors) -> Share:
    """The local operator's share of the set with four operators; other keys are not looked at."""
    key = PublicKey(bytes.fromhex(vectors.keys["sets"]["4"]["validator_pk"]))
    return Share(
        validator_index=1,
        validator_key=key,
        share_key=PublicKey(bytes(48)),
        committee=tuple(ShareMember(OperatorId(each), key) for each in range(1, 5)),
        domain=DomainType(bytes.fromhex("00000301")),
        fee_recipient=Address(bytes(20)),
        graffiti=bytes(32),
    )
