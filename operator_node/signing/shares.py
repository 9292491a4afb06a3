"""The shares in the signing process: what `ShareSigner` does, asked of that process.

This side knows shares by their public keys, and keeps what the chain has of them, encrypted, to
hand them to a process that was started again. It withholds what it is told to withhold; what the
slashing rules forbid, the process withholds by itself.

Source: docs/security.md, "The signing process"; docs/slashing.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Lock
from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.shares import Withholding
from operator_node.signer.rules import AttestationGuard, Guard
from operator_node.signing import words
from operator_node.signing.process import SigningProcess
from operator_node.signing.words import (
    Arm,
    Check,
    Checked,
    Done,
    DropShares,
    Item,
    MessagesSigned,
    OpenShares,
    PartsSigned,
    SealedShare,
    SharesOpened,
    SignMessages,
    SignShares,
    TakeShares,
)
from operator_node.wire.records import Share
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.errors import KeysharesError
from sdk.types import PublicKey, Signature, Slot

CHECK_WITHIN_S: Final = 0.05
"""The event loop waits for this, and for as much in a second, however many validators a value is
checked for. Without an answer the signer itself still judges."""
TAKING_S: Final = 20.0
"""For some shares to be decrypted, armed and written."""

_REASONS: Final = {reason.word: reason for reason in Reason}

_log = logging.getLogger(__name__)


class RemoteKey:
    """The operator's key in the signing process."""

    def __init__(self, process: SigningProcess) -> None:
        self._process = process

    @property
    def public_key(self) -> OperatorPublicKey:
        """What is registered on the chain."""
        return self._process.public_key

    def sign(self, data: bytes) -> bytes:
        """256 bytes: PKCS#1 v1.5 over SHA-256 of `data`. Waits for the process: use a thread.

        Raises:
            StorageError: `signer_down`.
        """
        return self._process.ask(SignMessages((data,)), MessagesSigned).signatures[0]


class ProcessShares(Withholding):
    """Signs with the shares in the signing process. Safe to use from several threads."""

    def __init__(self, process: SigningProcess) -> None:
        """Without shares."""
        super().__init__()
        self._process = process
        self._lock = Lock()
        self._shares: dict[PublicKey, SealedShare] = {}
        """By validator."""
        self._dropped: set[tuple[PublicKey, PublicKey]] = set()
        self._free: dict[PublicKey, _Free] = {}
        """By share: which votes nothing that was signed speaks against, as far as is known."""
        self._waited_in, self._waited_s = 0, 0.0
        """A second, and how long the event loop waited in it."""

    def __repr__(self) -> str:
        return f"ProcessShares({len(self._shares)} shares)"

    # --- which shares -----------------------------------------------------------------------

    def open_share(self, ciphertext: bytes, share_key: bytes) -> SealedShare:
        """The share as it is, proven to be decryptable to the secret of this public key.

        Raises:
            KeysharesError: `share_undecryptable`.
            StorageError: `signer_down`.
        """
        sealed = SealedShare(share_key, ciphertext)
        opened = self._process.ask(OpenShares((sealed,)), SharesOpened, timeout_s=TAKING_S)
        for problem in opened.problems.values():
            raise KeysharesError(problem, code="share_undecryptable")
        return sealed

    def keep_share(self, validator_key: PublicKey, sealed: SealedShare) -> PublicKey:
        """Takes a share into use; see `ShareSigner.keep_share`.

        Raises:
            UsageError: `share_of_another`.
            StorageError: the record could not be written, or `signer_down`.
        """
        self._tell_dropped()
        self._take([(validator_key, sealed)])
        share_key = PublicKey(sealed.share_key)
        with self._lock:
            self._shares[validator_key] = sealed
            self._free.pop(share_key, None)
        return share_key

    def drop_share(self, validator_key: PublicKey, share_key: PublicKey) -> None:
        """Forgets a validator's share at once; the process is told with the next request."""
        with self._lock:
            sealed = self._shares.get(validator_key)
            if sealed is not None and sealed.share_key == share_key:
                del self._shares[validator_key]
                self._free.pop(share_key, None)
                self._dropped.add((validator_key, share_key))

    def arm(self, validator_key: PublicKey) -> None:
        """Raises a share's bounds to the present; see `ShareSigner.arm`.

        Raises:
            StorageError: the record could not be written, or `signer_down`.
        """
        with self._lock:
            sealed = self._shares.get(validator_key)
        if sealed is None:
            return
        # First, as it arms what the process does not have after a new start.
        self._take([(validator_key, sealed)])
        self._process.ask(Arm(validator_key), Done, timeout_s=TAKING_S)
        with self._lock:
            self._free.pop(PublicKey(sealed.share_key), None)

    def share_keys(self) -> dict[PublicKey, PublicKey]:
        """The public keys of the shares in use, by validator."""
        with self._lock:
            return {key: PublicKey(each.share_key) for key, each in self._shares.items()}

    def _take(self, shares: Sequence[tuple[PublicKey, SealedShare]]) -> None:
        """Nothing is ever decrypted here: the process has the key."""
        taken = self._process.ask(TakeShares(tuple(shares)), SharesOpened, timeout_s=TAKING_S)
        for problem in taken.problems.values():
            _log.error("a share that was usable before is not any more: %s", problem)

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, set()
            gone = tuple(pair for pair in dropped if pair[0] not in self._shares)
        for start in range(0, len(gone), words.ITEMS_MOST):
            self._process.ask(DropShares(gone[start : start + words.ITEMS_MOST]), Done)

    # --- signing ----------------------------------------------------------------------------

    def is_slashable(self, share: Share, guard: Guard) -> bool:
        """Whether the record forbids it now; for the event loop, so it hardly waits.

        That nobody answers forbids nothing: what is prepared is not signed yet, and the process
        judges again before it signs.
        """
        free = self._free.get(share.share_key)
        if isinstance(guard, AttestationGuard) and free is not None and free.permits(guard):
            return False
        began_s = time.monotonic()
        if int(began_s) != self._waited_in:
            self._waited_in, self._waited_s = int(began_s), 0.0
        if self._waited_s > CHECK_WITHIN_S:
            return False
        request = Check(share.share_key, share.validator_key, words.from_guard(guard))
        checked = self._process.ask_at_once(request, Checked, timeout_s=CHECK_WITHIN_S)
        self._waited_s += time.monotonic() - began_s
        if checked is None:
            return False
        if checked.is_new and isinstance(guard, AttestationGuard):
            with self._lock:
                self._free[share.share_key] = _Free(guard.source_epoch, guard.target_epoch - 1)
        return not checked.may_sign

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        """One answer per item, in order; see `ShareSigner.sign`. Use a thread.

        Raises:
            StorageError: `signer_down`; nothing was signed.
            InvariantBroken: the record contradicts itself; nothing was signed.
        """
        self._tell_dropped()
        results: dict[int, Signed | Withheld] = {}
        asked = []
        for place, item in enumerate(items):
            refusal = self._refusal(item)
            if refusal is None:
                asked.append(place)
            else:
                results[place] = refusal
        results |= self._ask(items, asked, slot)
        lacking = [place for place in asked if _is_missing(results[place])]
        if lacking:
            # A process that was started again has only what it was handed since.
            self._hand_over([items[place] for place in lacking])
            results |= self._ask(items, lacking, slot)
        if self.fenced_by:
            return tuple(Withheld(item, Reason.FENCED, self.fenced_by) for item in items)
        return tuple(results[place] for place in range(len(items)))

    def _refusal(self, item: SignItem) -> Withheld | None:
        with self._lock:
            sealed = self._shares.get(item.share.validator_key)
        if sealed is None or sealed.share_key != item.share.share_key:
            return self.withheld(item) or Withheld(item, Reason.SHARE_MISSING)
        return self.withheld(item)

    def _ask(
        self, items: Sequence[SignItem], places: Sequence[int], slot: Slot
    ) -> dict[int, Signed | Withheld]:
        if not places:
            return {}
        request = SignShares(slot, tuple(_words(items[place]) for place in places))
        answer = self._process.ask(request, PartsSigned)
        results: dict[int, Signed | Withheld] = {}
        for place, result in zip(places, answer.results, strict=True):
            item = items[place]
            if isinstance(result, bytes):
                results[place] = Signed(item, Signature(result))
                self._note(item)
            else:
                results[place] = Withheld(item, _REASONS[result.reason], result.detail)
        return results

    def _note(self, item: SignItem) -> None:
        guard = item.guard
        if isinstance(guard, AttestationGuard):
            with self._lock:
                free = self._free.get(item.share.share_key)
                if free is not None:
                    self._free[item.share.share_key] = free.without(guard)

    def _hand_over(self, items: Sequence[SignItem]) -> None:
        with self._lock:
            shares = [
                (key, self._shares[key])
                for key in dict.fromkeys(item.share.validator_key for item in items)
                if key in self._shares
            ]
        self._take(shares)


class _Free:
    """Votes above these epochs are newly signed: a source not below, a target above.

    Known from one that the record permitted, lowered by one in its target, and raised by every
    vote signed since; only one process signs with a record.
    """

    __slots__ = ("source", "target")

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.target = target

    def permits(self, guard: AttestationGuard) -> bool:
        return self.source <= guard.source_epoch <= guard.target_epoch > self.target

    def without(self, guard: AttestationGuard) -> _Free:
        return _Free(max(self.source, guard.source_epoch), max(self.target, guard.target_epoch))


def _words(item: SignItem) -> Item:
    share, guard = item.share, item.guard
    told = None if guard is None else words.from_guard(guard)
    return Item(share.share_key, share.validator_key, item.root, told)


def _is_missing(result: Signed | Withheld) -> bool:
    return isinstance(result, Withheld) and result.reason is Reason.SHARE_MISSING
