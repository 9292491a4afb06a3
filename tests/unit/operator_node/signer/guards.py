"""Short builders for guards, keys and histories."""

from __future__ import annotations

from operator_node.signer.record import Intent, Protection
from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard, History
from sdk.types import Epoch, PublicKey, Slot

GENESIS = bytes([7]) * 32


def root(number: int) -> bytes:
    return number.to_bytes(32, "big")


def vote(source: int, target: int, number: int | None = 1) -> AttestationGuard:
    """An attestation; `number` tells different data apart, None is data without signing root."""
    signing_root = None if number is None else root(number)
    return AttestationGuard(Epoch(source), Epoch(target), signing_root)


def block(slot: int, number: int | None = 1) -> BlockGuard:
    return BlockGuard(Slot(slot), None if number is None else root(number))


def signed(*guards: Guard) -> History:
    history = History()
    for guard in guards:
        history = history.recording(guard)
    return history


def key(number: int) -> PublicKey:
    return PublicKey(number.to_bytes(48, "big"))


SHARE, OTHER_SHARE, VALIDATOR, OTHER_VALIDATOR = key(1), key(2), key(101), key(102)


def intent(guard: Guard, share: PublicKey = SHARE, validator: PublicKey = VALIDATOR) -> Intent:
    return Intent(share, validator, guard)


def armed(epoch: int = 10, slot: int = 320, *shares: PublicKey) -> Protection:
    """A record in memory, with these shares of one validator (else the first) armed."""
    protection = Protection()
    for share in shares or (SHARE,):
        protection.arm(share, VALIDATOR, epoch=Epoch(epoch), slot=Slot(slot))
    return protection
