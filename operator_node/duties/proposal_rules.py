"""What this node asks of a proposed block beyond the network's rules, as settings.

Pure. A byzantine leader can propose a block that the network's rules let pass and that the chain
refuses or that pays somebody else. These rules refuse it before it is prepared, so that another
leader gets its turn. `BlockCheck.NETWORK` with `RecipientCheck.OFF` is exactly the network's rule.

Source: docs/protocol.md, "Value checks"; consensus-specs, phase0/validator.md (block proposal).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from operator_node.spec.blocks import BlockKind, ProposedBlock
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.types import ADDRESS_BYTES, Address, Signature, checksum_address

NOBODY: Final = Address(bytes(ADDRESS_BYTES))
"""What a beacon node writes that was never told a fee recipient."""
NOBODY_FROM_ROUND: Final = 2
"""The first round in which a block that pays nobody is better than no block."""


class BlockCheck(StrEnum):
    """Whether a block must be the one that the duty asks for."""

    DUTY = "duty"
    """Slot, proposer and RANDAO reveal are the duty's; the chain refuses all other blocks."""
    NETWORK = "network"
    """What the network's rules ask, which is none of these."""


class RecipientCheck(StrEnum):
    """What to do about a local block that does not pay the validator's fee recipient."""

    STRICT = "strict"
    """Refuse it; one that pays nobody only in the first round."""
    WARN = "warn"
    """Sign it, and say so in the duty's outcome."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ProposalRules:
    """The settings for one proposal.

    Attributes:
        recipients: who may be paid: the owner's recipient, and for two epochs after a change the
            earlier one too, since operators at different blocks know different ones.
        takes_builder_blocks: whether a blinded block may be signed. What it pays is seen when it
            is public, and not before.
    """

    recipients: frozenset[Address] = field(default=frozenset())
    block: BlockCheck = BlockCheck.DUTY
    recipient: RecipientCheck = RecipientCheck.STRICT
    takes_builder_blocks: bool = True


def check_block(
    value: ValidatorValue, block: ProposedBlock, duty: ValidatorDuty, reveal: Signature | None
) -> None:
    """Returns if the block is the one that the duty asks for (`BlockCheck.DUTY`).

    Args:
        value: whose duty must be of the slot too; it names the slot of what is signed.
        block: found in the value.
        duty: the one at hand.
        reveal: the committee's RANDAO reveal, None while it is not known. It is unique, so that no
            other bytes would verify.

    Raises:
        ProtocolFault: `VALUE_INVALID`.
    """
    for what, found, wanted in (
        ("the value's slot", value.duty.slot, duty.slot),
        ("the block's slot", block.slot, duty.slot),
        ("the block's proposer", block.proposer_index, duty.validator_index),
    ):
        if found != wanted:
            raise ProtocolFault(Fault.VALUE_INVALID, f"{what} is {found}, the duty's {wanted}")
    if reveal is not None and block.randao_reveal != reveal:
        raise ProtocolFault(Fault.VALUE_INVALID, "the block's RANDAO reveal is not the validator's")


def deviation(block: ProposedBlock, rules: ProposalRules) -> Address | None:
    """Whom a full block pays instead of the fee recipient; None if all is well.

    A blinded header names the builder as a rule, so it says nothing about who is paid in the end.
    """
    if rules.recipient is RecipientCheck.OFF or block.kind is BlockKind.BLINDED:
        return None
    recipient = Address(block.fee_recipient)
    return None if recipient in rules.recipients else recipient


def check_recipient(block: ProposedBlock, rules: ProposalRules, round_number: int) -> None:
    """Returns if the block may be signed as far as its fee recipient goes.

    Args:
        block: what is proposed.
        rules: what is wanted.
        round_number: of consensus; from the second on, losing the fees is cheaper than the block.

    Raises:
        ProtocolFault: `FEE_RECIPIENT_REFUSED`.
    """
    if block.kind is BlockKind.BLINDED and not rules.takes_builder_blocks:
        raise ProtocolFault(
            Fault.FEE_RECIPIENT_REFUSED,
            f"the block is the builder's at {checksum_address(Address(block.fee_recipient))}, and "
            "this node takes local blocks alone (node.builder: never)",
        )
    paid = deviation(block, rules)
    if paid is None or rules.recipient is not RecipientCheck.STRICT:
        return
    if paid == NOBODY and round_number >= NOBODY_FROM_ROUND:
        return
    raise ProtocolFault(
        Fault.FEE_RECIPIENT_REFUSED,
        f"the block pays {checksum_address(paid)}, accepted: "
        + ", ".join(sorted(map(checksum_address, rules.recipients))),
    )
