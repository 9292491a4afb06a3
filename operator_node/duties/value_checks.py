"""Whether a single validator's value is for the duty at hand: the rules of the network.

Pure. The network's own rules leave open whether a value is of the duty's slot, which
`check_slot` closes for aggregates and contributions, and whether a block is of the duty's slot,
carries the committee's RANDAO reveal, or pays the validator, which `proposal_rules` closes.

Source: docs/protocol.md, "Value checks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from operator_node.duties.values import content_of, decode_value
from operator_node.spec.chain import ChainSpec
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.errors import InvariantBroken
from sdk.types import PublicKey, Slot

_Content = TypeVar("_Content")
_EPOCHS_AHEAD: Final = 1
"""Clocks of operators differ; nothing that is due begins more than an epoch from now."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The duty that a value has to be for.

    Attributes:
        now: the current slot, by the clock of whoever runs the duty.
    """

    role: BeaconRole
    public_key: PublicKey
    validator_index: int
    now: Slot


def open_value(
    data: bytes,
    expected: Expected,
    kind: type[_Content],
    *,
    chain: ChainSpec,
    generation: Generation,
) -> tuple[ValidatorValue, _Content]:
    """A value and the object in it, if both are for the expected duty.

    Args:
        data: full data of a proposal.
        expected: the duty at hand.
        kind: of the object that its role signs.
        chain: bounds what the object may hold.
        generation: of the duty.

    Raises:
        ProtocolFault: the first rule that the value breaks.
    """
    value = decode_value(data, generation)
    try:
        content = content_of(value, generation=generation, preset=chain.preset)
    except ProtocolFault as problem:
        raise ProtocolFault(Fault.VALUE_INVALID, problem.message) from problem
    check_duty(value.duty, expected, chain)
    if not isinstance(content, kind):
        raise InvariantBroken(f"a value of role {expected.role.name} opened to no {kind.__name__}")
    return value, content


def check_duty(duty: ValidatorDuty, expected: Expected, chain: ChainSpec) -> None:
    """Returns if the duty inside a value is the expected one.

    Raises:
        ProtocolFault: too far ahead, another role, another key or another index, in this order.
    """
    if chain.epoch_of(duty.slot) > chain.epoch_of(expected.now) + _EPOCHS_AHEAD:
        raise ProtocolFault(
            Fault.DUTY_TOO_FAR_AHEAD, f"the duty is of slot {duty.slot}, now is {expected.now}"
        )
    if duty.role != expected.role:
        raise ProtocolFault(
            Fault.WRONG_BEACON_ROLE, f"beacon role {duty.role}, expected {expected.role}"
        )
    if duty.public_key != expected.public_key:
        raise ProtocolFault(
            Fault.WRONG_VALIDATOR_KEY,
            f"validator {duty.public_key.hex()}, expected {expected.public_key.hex()}",
        )
    if duty.validator_index != expected.validator_index:
        raise ProtocolFault(
            Fault.WRONG_VALIDATOR_INDEX,
            f"validator index {duty.validator_index}, expected {expected.validator_index}",
        )


def check_slot(duty: ValidatorDuty, slot: Slot) -> None:
    """Returns if the duty inside a value is of the slot at hand (`ValueCheck.DUTY`).

    What is signed after consensus names the slot of the value. Peers take messages of another slot
    than the consensus for those of another duty, and the right ones of that duty for repetitions.

    Raises:
        ProtocolFault: `VALUE_INVALID`.
    """
    if duty.slot != slot:
        raise ProtocolFault(
            Fault.VALUE_INVALID, f"the value's slot is {duty.slot}, the duty's {slot}"
        )
