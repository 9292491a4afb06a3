"""Why a duty has no record: only what the node knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.api import Known, OwnValidator, absence_of
from operator_node.api.absence import NOT_OPEN
from sdk.types import Address, PublicKey
from tests.unit.operator_node.api.facts import FOUR

OWN = OwnValidator(
    public_key=PublicKey(b"\xaa" * 48),
    index=17,
    status="active_ongoing",
    activation_epoch=2,
    exit_epoch=9,
    owner=Address(b"\x01" * 20),
    committee=FOUR,
    liquidated=False,
    held=False,
)
KNOWN = Known(slot=320, started_slot=100, slots_per_epoch=32, is_working=True, validators=(OWN,))


def cause(known: Known, slot: int = 160, validator: int = 17) -> str:
    return absence_of(known, slot=slot, validator=validator).cause


def test_without_a_chain_nothing_is_claimed() -> None:
    fresh = replace(KNOWN, slot=None, started_slot=None, is_working=False, validators=())
    assert absence_of(fresh, slot=160, validator=17) == NOT_OPEN


@pytest.mark.parametrize(
    ("known", "slot", "validator", "told"),
    [
        (KNOWN, 321, 17, "Slot 321 has not begun; slot 320 is running."),
        (KNOWN, 99, 17, "started in slot 100, after slot 99"),
        (replace(KNOWN, is_working=False), 160, 17, "looked up no duties since it started"),
        (KNOWN, 160, 18, "18 is not known as one of this node's own: it has shares of 1 val"),
        (replace(KNOWN, validators=(replace(OWN, index=None),)), 160, 17, "1 of them with an"),
        (replace(KNOWN, validators=(replace(OWN, liquidated=True),)), 160, 17, "is liquidated now"),
        (replace(KNOWN, started_slot=0), 63, 17, "active from epoch 2 on, the slot is of epoch 1"),
        (KNOWN, 288, 17, "left in epoch 9, the slot is of epoch 9"),
    ],
)
def test_what_stands_against_the_duty_is_told(
    known: Known, slot: int, validator: int, told: str
) -> None:
    found = cause(known, slot, validator)
    assert told in found
    assert "did not hear of the duty" not in found


def test_all_that_is_known_is_told() -> None:
    found = cause(KNOWN, slot=99, validator=18)
    assert "started in slot 100" in found
    assert "18 is not known" in found


@pytest.mark.parametrize("slot", [100, 160, 287, 320])
def test_otherwise_it_is_not_known(slot: int) -> None:
    known = replace(KNOWN, validators=(replace(OWN, exit_epoch=99),))
    assert "which of them is not known" in cause(known, slot)
