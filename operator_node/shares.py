"""Signing with the shares of one operator: what must be withheld, the record, then the signature.

The narrow interface to every share's secret. Nothing leaves it unless the slashing record took it
first, and a secret never leaves it at all. It does not fetch, send or decide what is worth signing.

A signature takes a quarter to half a millisecond and is made where `sign` is called: in the signing
process (`operator_node.signing`), or in a worker thread of the node where the settings say so. The
library holds the interpreter for one signature at a time, so that other work goes on between two.

Source: docs/slashing.md; docs/protocol.md, "Slashing protection".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Protocol

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.signer.record import Intent, SlashingProtection
from operator_node.signer.rules import Guard, NotSafe, bounds, may_sign
from operator_node.wire.records import Share
from sdk.crypto import bls
from sdk.crypto.backend import G2
from sdk.crypto.secret import SecretKey
from sdk.errors import StorageError
from sdk.types import Epoch, PublicKey, Slot

logger = logging.getLogger(__name__)


class Clock(Protocol):
    """The present; negative before genesis."""

    def slot(self) -> int: ...

    def epoch(self) -> int: ...


class Record(SlashingProtection, Protocol):
    """The slashing record, and whether it has heard of a share."""

    def knows(self, share_key: PublicKey, /) -> bool: ...


class Arming(Protocol):
    """Raises the bounds of shares, wherever they are."""

    def arm(self, validator_key: PublicKey, /) -> None:
        """See `ShareSigner.arm`."""


class Withholding:
    """What is withheld by this node's own word, whatever the slashing rules say."""

    def __init__(self) -> None:
        """Nothing."""
        self._holding = Lock()
        self._held: frozenset[PublicKey] = frozenset()
        self._fenced_by = ""

    def hold(self, validator_key: PublicKey) -> None:
        """Withholds every partial signature for a validator that is watched.

        Also those that no slashing rule is about: an aggregate of ours would count as a sign of
        life, and the watch would never end.
        """
        with self._holding:
            self._held |= {validator_key}

    def release(self, validator_key: PublicKey) -> None:
        """Ends `hold`."""
        with self._holding:
            self._held -= {validator_key}

    def fence(self, why: str) -> None:
        """Withholds everything from now on, also what is being signed: a twin was seen."""
        self._fenced_by = why or "fenced"

    @property
    def fenced_by(self) -> str:
        """Why everything is withheld; empty if it is not."""
        return self._fenced_by

    def unfence(self) -> None:
        """Ends `fence`."""
        self._fenced_by = ""

    def withheld(self, item: SignItem) -> Withheld | None:
        """The refusal of an item that is withheld now."""
        if self._fenced_by:
            return Withheld(item, Reason.FENCED, self._fenced_by)
        if item.share.validator_key in self._held:
            return Withheld(item, Reason.DOPPELGANGER_HOLD)
        return None


class ShareSigner(Withholding):
    """Signs with this operator's shares. Safe to use from several threads."""

    def __init__(self, *, record: Record, clock: Clock) -> None:
        """A signer without shares.

        Args:
            record: the slashing record.
            clock: tells slot and epoch.
        """
        super().__init__()
        self._record = record
        self._clock = clock
        self._lock = Lock()
        self._secrets: dict[PublicKey, tuple[PublicKey, SecretKey]] = {}
        """Share key and secret by validator: share keys are public, and anybody can register them
        a second time."""

    def __repr__(self) -> str:
        return f"ShareSigner({len(self._secrets)} shares)"

    # --- which shares -----------------------------------------------------------------------

    def keep_share(self, validator_key: PublicKey, secret: SecretKey) -> PublicKey:
        """Takes a share into use, and arms it if the record has never heard of it.

        Args:
            validator_key: whose share it is, proven before: its committee's share keys recombine
                to this key.
            secret: the share, decrypted.

        Returns:
            The share's public key.

        Raises:
            UsageError: `share_of_another`, armed for another validator.
            StorageError: the record could not be written; the share is not in use.
        """
        share_key = bls.public_key(secret)
        if not self._record.knows(share_key):
            self._arm(share_key, validator_key)
        with self._lock:
            self._secrets[validator_key] = (share_key, secret)
        return share_key

    def drop_share(self, validator_key: PublicKey, share_key: PublicKey) -> None:
        """Forgets the secret of a validator's share, unless another one took its place.

        The record stays.
        """
        with self._lock:
            if self._share_key(validator_key) == share_key:
                del self._secrets[validator_key]

    def _share_key(self, validator_key: PublicKey) -> PublicKey | None:
        held = self._secrets.get(validator_key)
        return None if held is None else held[0]

    def arm(self, validator_key: PublicKey) -> None:
        """Raises a share's bounds to the present, when it was added again or reactivated.

        Nothing happens for a validator without a share here.

        Raises:
            StorageError: the record could not be written.
        """
        share_key = self._share_key(validator_key)
        if share_key is not None:
            self._arm(share_key, validator_key)

    def share_keys(self) -> dict[PublicKey, PublicKey]:
        """The public keys of the shares in use, by validator."""
        with self._lock:
            return {validator: share_key for validator, (share_key, _) in self._secrets.items()}

    # --- signing ----------------------------------------------------------------------------

    def is_slashable(self, share: Share, guard: Guard) -> bool:
        """Whether the record forbids it now; records nothing. Seldom waits for the disk.

        Raises:
            StorageError: the record could not be read.
        """
        intent = Intent(share.share_key, share.validator_key, guard)
        return not may_sign(self._record.check((intent,))[0])

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        """One answer per item, in order. Waits for the disk and for arithmetic: use a thread.

        All guarded items are judged and recorded in one durable step before any is signed. If
        that step fails, they are withheld and the others signed.

        Args:
            items: what to sign.
            slot: of the duty; guarded items must be of the present by the clock.

        Raises:
            InvariantBroken: the record contradicts itself; nothing was signed.
        """
        withheld = {
            place: refusal
            for place, item in enumerate(items)
            if (refusal := self._refusal(item, slot)) is not None
        }
        guarded = [
            (place, item, item.guard)
            for place, item in enumerate(items)
            if item.guard is not None and place not in withheld
        ]
        withheld |= self._record_all(guarded)
        points: dict[bytes, G2] = {}
        return tuple(
            withheld.get(place) or self._signed(item, points) for place, item in enumerate(items)
        )

    def _refusal(self, item: SignItem, slot: Slot) -> Withheld | None:
        """Why an item is not even asked of the record."""
        if (refusal := self.withheld(item)) is not None:
            return refusal
        share = item.share
        if self._share_key(share.validator_key) != share.share_key:
            return Withheld(item, Reason.SHARE_MISSING)
        if item.guard is None:
            return None
        present = bounds(
            item.guard,
            duty_slot=slot,
            current_slot=Slot(self._clock.slot()),
            current_epoch=Epoch(self._clock.epoch()),
        )
        if isinstance(present, NotSafe):
            return Withheld(item, Reason.SLASHING_REFUSED, present.reason)
        return None

    def _record_all(
        self, guarded: Sequence[tuple[int, SignItem, Guard]]
    ) -> Iterable[tuple[int, Withheld]]:
        """What the record refuses, by place; the rest is in it for good."""
        if not guarded:
            return ()
        intents = [
            Intent(item.share.share_key, item.share.validator_key, guard)
            for _, item, guard in guarded
        ]
        try:
            verdicts = self._record.check_and_record(intents)
        except StorageError as problem:
            logger.error("the slashing record failed, nothing guarded is signed: %s", problem)
            down = problem.code
            return [(place, Withheld(item, Reason.SIGNER_DOWN, down)) for place, item, _ in guarded]
        return [
            (place, Withheld(item, Reason.SLASHING_REFUSED, verdict.reason))
            for (place, item, _), verdict in zip(guarded, verdicts, strict=True)
            if isinstance(verdict, NotSafe)
        ]

    def _signed(self, item: SignItem, points: dict[bytes, G2]) -> Signed | Withheld:
        """The signature; `points` keeps messages as points, since validators share most roots."""
        if self._fenced_by:
            return Withheld(item, Reason.FENCED, self._fenced_by)
        share_key, secret = self._secrets.get(item.share.validator_key, (None, None))
        if secret is None or share_key != item.share.share_key:
            return Withheld(item, Reason.SHARE_MISSING)
        backend = bls.active()
        if item.root not in points:
            points[item.root] = backend.hash_to_g2(item.root)
        point = backend.g2_multiply(points[item.root], secret.reveal())
        return Signed(item, bls.signature_of_point(point).data)

    def _arm(self, share_key: PublicKey, validator_key: PublicKey) -> None:
        epoch, slot = max(self._clock.epoch(), 0), max(self._clock.slot(), 0)
        self._record.arm(share_key, validator_key, epoch=Epoch(epoch), slot=Slot(slot))
