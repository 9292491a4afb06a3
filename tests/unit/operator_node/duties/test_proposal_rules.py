"""What a node asks of a block beyond the network's rules."""

from __future__ import annotations

import pytest

from operator_node.duties.proposal_rules import (
    NOBODY,
    BlockCheck,
    ProposalRules,
    RecipientCheck,
    check_block,
    check_recipient,
    deviation,
)
from operator_node.spec.blocks import ProposedBlock, find_block
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import ValidatorValue
from sdk.types import Address, Signature
from tests.unit.operator_node.duties.single_validator import (
    OWNER_RECIPIENT,
    block_bytes,
    duty_of,
    first_slot,
)

SLOT = first_slot(FULU)
DUTY = duty_of(BeaconRole.PROPOSER, SLOT)
THIEF = Address(b"\x66" * 20)
STRICT = ProposalRules(frozenset({OWNER_RECIPIENT}))


def block_paying(recipient: bytes, *, is_blinded: bool = False) -> ProposedBlock:
    data = block_bytes(FULU, slot=SLOT, recipient=recipient, is_blinded=is_blinded)
    return find_block(FULU, data)


def test_strictest_rules_are_the_default() -> None:
    assert (STRICT.block, STRICT.recipient) == (BlockCheck.DUTY, RecipientCheck.STRICT)


def test_refusal_names_who_is_paid_and_who_may_be() -> None:
    with pytest.raises(ProtocolFault) as found:
        check_recipient(block_paying(THIEF), STRICT, 1)
    assert found.value.fault is Fault.FEE_RECIPIENT_REFUSED
    assert "0x6666666666666666666666666666666666666666" in found.value.message
    assert "0x5353535353535353535353535353535353535353" in found.value.message


@pytest.mark.parametrize("check", [RecipientCheck.WARN, RecipientCheck.OFF])
def test_only_strict_refuses(check: RecipientCheck) -> None:
    rules = ProposalRules(frozenset({OWNER_RECIPIENT}), recipient=check)
    check_recipient(block_paying(THIEF), rules, 1)
    assert deviation(block_paying(THIEF), rules) == (
        THIEF if check is RecipientCheck.WARN else None
    )


def test_deviation_is_of_full_blocks_only() -> None:
    assert deviation(block_paying(OWNER_RECIPIENT), STRICT) is None
    assert deviation(block_paying(NOBODY), STRICT) == NOBODY
    assert deviation(block_paying(THIEF, is_blinded=True), STRICT) is None


def test_reveal_is_not_compared_while_it_is_not_known() -> None:
    data = block_bytes(FULU, slot=SLOT, reveal=b"\x05" * 96)
    value, block = ValidatorValue(DUTY, FULU, data), find_block(FULU, data)
    check_block(value, block, DUTY, None)
    check_block(value, block, DUTY, Signature(b"\x05" * 96))
    with pytest.raises(ProtocolFault) as found:
        check_block(value, block, DUTY, Signature(b"\x06" * 96))
    assert found.value.fault is Fault.VALUE_INVALID
