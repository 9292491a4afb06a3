"""What must hold before a duty starts, and before anything that could start duties is built.

Pure. Source: docs/protocol.md, "Duties" (entrance, start) and "Share and committee validity".
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Final

from operator_node.duties.types import CommitteeDuty
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import COMMITTEE_ROLES, BeaconRole, RunnerRole
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.errors import UsageError
from sdk.types import PUBLIC_KEY_BYTES

BEACON_ROLES: Final = {
    RunnerRole.COMMITTEE: frozenset({BeaconRole.ATTESTER, BeaconRole.SYNC_COMMITTEE}),
    RunnerRole.AGGREGATOR_COMMITTEE: frozenset(
        {BeaconRole.AGGREGATOR, BeaconRole.SYNC_CONTRIBUTION}
    ),
}
"""Which duties a committee does together."""
_WITH_COMMITTEE: Final = frozenset({BeaconRole.ATTESTER, BeaconRole.AGGREGATOR})
"""Duties that name a beacon committee and a place in it."""
_KNOWN_ROLES: Final = frozenset(role.value for role in BeaconRole if role != BeaconRole.UNKNOWN)
_NO_KEY: Final = bytes(PUBLIC_KEY_BYTES)


def check_shares(role: RunnerRole, shares: Sized) -> None:
    """Committee roles need at least one share, the others exactly one.

    Raises:
        UsageError: another number.
    """
    if role in COMMITTEE_ROLES:
        if not len(shares):
            raise UsageError(f"{role.name}: no shares", code="no_shares")
    elif len(shares) != 1:
        raise UsageError(f"{role.name}: must have one share, got {len(shares)}", code="one_share")


def own_duties(duty: CommitteeDuty, role: RunnerRole, shares: Mapping[int, Share]) -> CommitteeDuty:
    """The duties of validators with a share here, all of them fit for the role and the slot.

    Raises:
        ProtocolFault: no duties, no duties with a share, or one that does not fit.
    """
    if not duty.duties:
        raise ProtocolFault(Fault.NO_DUTIES, f"slot {duty.slot}: no duties")
    own = tuple(each for each in duty.duties if each.validator_index in shares)
    if not own:
        raise ProtocolFault(Fault.NO_SHARES, f"slot {duty.slot}: no share of any validator")
    for each in own:
        check_duty(each)
        _check_belongs(each, duty.slot, role)
    return CommitteeDuty(duty.slot, own)


def check_duty(duty: ValidatorDuty) -> None:
    """Returns if a duty makes sense by itself.

    Raises:
        ProtocolFault: an unknown role, no key, or a place outside its beacon committee.
    """
    who = f"validator {duty.validator_index}, slot {duty.slot}"
    if duty.role not in _KNOWN_ROLES:
        raise ProtocolFault(Fault.DUTY_INVALID, f"{who}: role {duty.role} is unknown")
    if duty.public_key == _NO_KEY:
        raise ProtocolFault(Fault.DUTY_INVALID, f"{who}: no public key")
    place, length = duty.validator_committee_index, duty.committee_length
    if duty.role in _WITH_COMMITTEE and place >= length:
        raise ProtocolFault(Fault.DUTY_INVALID, f"{who}: place {place} of {length} in a committee")


def _check_belongs(duty: ValidatorDuty, slot: int, role: RunnerRole) -> None:
    is_aggregation = role is RunnerRole.AGGREGATOR_COMMITTEE
    if duty.slot != slot:
        fault = Fault.WRONG_AGGREGATOR_DUTY if is_aggregation else Fault.UNKNOWN_DUTY
        raise ProtocolFault(fault, f"a duty of slot {duty.slot} among those of slot {slot}")
    if duty.role not in BEACON_ROLES[role]:
        fault = Fault.WRONG_AGGREGATOR_DUTY if is_aggregation else Fault.WRONG_BEACON_ROLE
        raise ProtocolFault(fault, f"beacon role {duty.role} is not of {role.name}")
