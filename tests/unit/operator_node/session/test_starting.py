"""What a duty must be to be started, and how many shares a role needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.types import CommitteeDuty
from operator_node.session.starting import check_duty, check_shares, own_duties
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.values import ValidatorDuty
from sdk.errors import UsageError
from sdk.types import PublicKey, Slot
from tests.unit.operator_node.duties.many_validators import SHARES, duty_for

SLOT = Slot(1000)
ATTESTER = duty_for(BeaconRole.ATTESTER, 17, SLOT)
AGGREGATOR = duty_for(BeaconRole.AGGREGATOR, 17, SLOT)


def refusal(role: RunnerRole, *duties: ValidatorDuty) -> Fault:
    with pytest.raises(ProtocolFault) as caught:
        own_duties(CommitteeDuty(SLOT, duties), role, SHARES)
    return caught.value.fault


def test_duties_of_validators_without_a_share_are_left_out() -> None:
    stranger = duty_for(BeaconRole.ATTESTER, 99, SLOT)
    own = own_duties(CommitteeDuty(SLOT, (stranger, ATTESTER)), RunnerRole.COMMITTEE, SHARES)
    assert own.duties == (ATTESTER,)


def test_strangers_need_not_fit() -> None:
    odd = replace(duty_for(BeaconRole.ATTESTER, 99, SLOT), role=77)
    own = own_duties(CommitteeDuty(SLOT, (odd, ATTESTER)), RunnerRole.COMMITTEE, SHARES)
    assert own.duties == (ATTESTER,)


def test_duty_without_validators_is_refused() -> None:
    assert refusal(RunnerRole.COMMITTEE) is Fault.NO_DUTIES


def test_duty_without_own_validators_is_refused() -> None:
    stranger = duty_for(BeaconRole.ATTESTER, 99, SLOT)
    assert refusal(RunnerRole.COMMITTEE, stranger) is Fault.NO_SHARES


@pytest.mark.parametrize(
    ("role", "duty", "slot_fault", "role_fault"),
    [
        (RunnerRole.COMMITTEE, ATTESTER, Fault.UNKNOWN_DUTY, Fault.WRONG_BEACON_ROLE),
        (
            RunnerRole.AGGREGATOR_COMMITTEE,
            AGGREGATOR,
            Fault.WRONG_AGGREGATOR_DUTY,
            Fault.WRONG_AGGREGATOR_DUTY,
        ),
    ],
)
def test_duties_must_be_of_the_slot_and_of_the_committee(
    role: RunnerRole, duty: ValidatorDuty, slot_fault: Fault, role_fault: Fault
) -> None:
    assert refusal(role, duty, replace(duty, slot=Slot(SLOT + 1))) is slot_fault
    assert refusal(role, duty_for(BeaconRole.PROPOSER, 17, SLOT)) is role_fault


@pytest.mark.parametrize(
    "duty",
    [
        replace(ATTESTER, role=7),
        replace(ATTESTER, role=BeaconRole.UNKNOWN),
        replace(ATTESTER, public_key=PublicKey(bytes(48))),
        replace(ATTESTER, committee_length=0),
        replace(ATTESTER, validator_committee_index=64),
        replace(AGGREGATOR, committee_length=0),
    ],
)
def test_duty_that_makes_no_sense_is_refused(duty: ValidatorDuty) -> None:
    with pytest.raises(ProtocolFault) as caught:
        check_duty(duty)
    assert caught.value.fault is Fault.DUTY_INVALID
    assert refusal(RunnerRole.COMMITTEE, duty) is Fault.DUTY_INVALID


def test_sync_committee_duty_needs_no_beacon_committee() -> None:
    check_duty(replace(duty_for(BeaconRole.SYNC_COMMITTEE, 17, SLOT), committee_length=0))


@pytest.mark.parametrize("role", [RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE])
def test_committee_role_needs_a_share(role: RunnerRole) -> None:
    check_shares(role, [1])
    check_shares(role, [1, 2, 3])
    with pytest.raises(UsageError, match="no shares"):
        check_shares(role, [])


@pytest.mark.parametrize("role", [RunnerRole.PROPOSER, RunnerRole.VOLUNTARY_EXIT])
@pytest.mark.parametrize("count", [0, 2])
def test_validator_role_needs_one_share(role: RunnerRole, count: int) -> None:
    check_shares(role, [1])
    with pytest.raises(UsageError, match="must have one share"):
        check_shares(role, [1] * count)
