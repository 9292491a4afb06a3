"""The network's rules about the duty inside a value, in their order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.value_checks import Expected, check_duty, open_value
from operator_node.duties.values import Aggregate
from operator_node.spec.blocks import ProposedBlock
from operator_node.spec.networks import MAINNET
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.errors import InvariantBroken
from sdk.types import PublicKey, Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    KEY,
    SLOTS_PER_EPOCH,
    block_bytes,
    duty_of,
    first_slot,
)

NOW = first_slot(FULU)
EXPECTED = Expected(BeaconRole.PROPOSER, KEY, INDEX, NOW)
DUTY = duty_of(BeaconRole.PROPOSER, NOW)
TOO_FAR = Slot(MAINNET.first_slot(NOW // SLOTS_PER_EPOCH + 2))
WRONG_ALL = ValidatorDuty(BeaconRole.ATTESTER, PublicKey(bytes(48)), TOO_FAR, INDEX + 1)


def fault_of(duty: ValidatorDuty) -> Fault | None:
    try:
        check_duty(duty, EXPECTED, MAINNET)
    except ProtocolFault as found:
        return found.fault
    return None


def test_rules_break_in_their_order() -> None:
    duty, seen = WRONG_ALL, []
    for repair in (
        {"slot": NOW},
        {"role": BeaconRole.PROPOSER},
        {"public_key": KEY},
        {"validator_index": INDEX},
    ):
        seen.append(fault_of(duty))
        duty = replace(duty, **repair)
    assert seen == [
        Fault.DUTY_TOO_FAR_AHEAD,
        Fault.WRONG_BEACON_ROLE,
        Fault.WRONG_VALIDATOR_KEY,
        Fault.WRONG_VALIDATOR_INDEX,
    ]
    assert fault_of(duty) is None


def test_next_epoch_is_not_too_far_and_the_one_after_is() -> None:
    assert fault_of(replace(DUTY, slot=Slot(TOO_FAR - 1))) is None
    assert fault_of(replace(DUTY, slot=TOO_FAR)) is Fault.DUTY_TOO_FAR_AHEAD
    assert fault_of(replace(DUTY, slot=Slot(2**64 - 1))) is Fault.DUTY_TOO_FAR_AHEAD


def test_past_duties_are_not_too_far() -> None:
    assert fault_of(replace(DUTY, slot=Slot(0))) is None


@pytest.mark.parametrize("generation", list(Generation))
def test_object_is_judged_before_the_duty(generation: Generation) -> None:
    value = encode_validator_value(ValidatorValue(replace(DUTY, slot=TOO_FAR), FULU, b""))
    with pytest.raises(ProtocolFault) as found:
        open_value(value, EXPECTED, ProposedBlock, chain=MAINNET, generation=generation)
    assert found.value.fault is Fault.VALUE_INVALID


def test_role_is_judged_by_what_the_duty_in_the_value_says() -> None:
    data = block_bytes(FULU, slot=NOW)
    value = encode_validator_value(ValidatorValue(DUTY, FULU, data))
    aggregator = replace(EXPECTED, role=BeaconRole.AGGREGATOR)
    with pytest.raises(ProtocolFault) as found:
        open_value(value, aggregator, Aggregate, chain=MAINNET, generation=Generation.ALAN)
    assert found.value.fault is Fault.WRONG_BEACON_ROLE


def test_good_value_opens_to_its_duty_and_object() -> None:
    data = block_bytes(FULU, slot=NOW)
    encoded = encode_validator_value(ValidatorValue(DUTY, FULU, data))
    value, _ = open_value(
        encoded, EXPECTED, ProposedBlock, chain=MAINNET, generation=Generation.BOOLE
    )
    assert (value.duty, value.version, value.data) == (DUTY, FULU, data)


def test_kind_that_is_not_the_roles_is_a_fault_of_our_own() -> None:
    data = block_bytes(FULU, slot=NOW)
    value = encode_validator_value(ValidatorValue(DUTY, FULU, data))
    with pytest.raises(InvariantBroken):
        open_value(value, EXPECTED, Aggregate, chain=MAINNET, generation=Generation.BOOLE)
