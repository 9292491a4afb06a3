"""The last look before a signature is used: whether the lease is still held, and who was slashed.

It stands before whatever signs, in this process or another. A signature that was made in time and
comes back late is withheld. So a process that was stopped and goes on, or waited long for a disk,
says nothing any more.

Source: docs/slashing.md, "Two instances and a lease" and "After a slashing".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from operator_node.duties import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.signer.rules import Guard
from operator_node.wire.records import Share
from sdk.types import PublicKey, Slot


class Signer(Protocol):
    """The share keys behind the slashing record."""

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        """A result per item, in order."""
        ...

    def is_slashable(self, share: Share, guard: Guard, /) -> bool:
        """Whether the record forbids this now."""
        ...


class Gate:
    """A signer behind this last look."""

    def __init__(
        self,
        signer: Signer,
        why_not: Callable[[], str],
        is_slashed: Callable[[PublicKey], bool] = lambda key: False,
    ) -> None:
        """Nothing is cached.

        Args:
            signer: behind the gate.
            why_not: why nothing may be signed at this moment, empty if it may; from any thread.
            is_slashed: whether nothing is signed for a validator any more; likewise.
        """
        self._signer = signer
        self._why_not = why_not
        self._is_slashed = is_slashed

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        """See `ShareSigner.sign`; nothing is signed, or given out, without the lease.

        Raises:
            StorageError: the record could not be made durable; nothing was signed.
        """
        if why := self._why_not():
            return _withheld(items, why)
        asked = tuple(item for item in items if not self._is_slashed(item.share.validator_key))
        results = iter(self._signer.sign(asked, slot=slot) if asked else ())
        if why := self._why_not():
            return _withheld(items, why)
        kept = {id(item) for item in asked}
        return tuple(
            next(results)
            if id(item) in kept
            else Withheld(item, Reason.VALIDATOR_NOT_ACTIVE, "slashed")
            for item in items
        )

    def is_slashable(self, share: Share, guard: Guard) -> bool:
        """See `ShareSigner.is_slashable`."""
        return self._signer.is_slashable(share, guard)


def _withheld(items: tuple[SignItem, ...], why: str) -> tuple[Withheld, ...]:
    return tuple(Withheld(item, Reason.FENCED, why) for item in items)
