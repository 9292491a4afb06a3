"""The signer of a simulated operator: the slashing record first, then the partial signature.

The record outlives restarts, as the one on disk does. A validator that was active when its shares
came is watched before it is signed for (SAF-24): as long as the beacon chain still sees somebody
attest with its key, its former committee may not know of the move.

Source: docs/slashing.md; docs/protocol.md, "Slashing protection".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.signer.record import Intent, Protection
from operator_node.signer.rules import Guard, NotSafe, bounds, may_sign
from operator_node.testing.faults import SLOT_MS, SLOTS_PER_EPOCH
from operator_node.testing.standin import Signatures
from operator_node.wire.records import Share
from sdk.types import Epoch, OperatorId, PublicKey, Slot

WATCHED_EPOCHS: Final = 2
"""Full epochs without a sign of life before a moved validator is signed for."""


class Liveness:
    """What the beacon chain shows of validators: the epochs that each attested in."""

    def __init__(self) -> None:
        self._epochs: dict[int, set[int]] = {}

    def saw(self, validator: int, epoch: int) -> None:
        """An attestation of the validator was submitted."""
        self._epochs.setdefault(validator, set()).add(epoch)

    def is_quiet(self, validator: int, first: int, last: int) -> bool:
        """Whether the validator attested in none of these epochs."""
        seen = self._epochs.get(validator, set())
        return all(epoch not in seen for epoch in range(first, last + 1))


class Signer:
    """Signs with the shares of one operator.

    Attributes:
        protection: the slashing record, kept across restarts.
    """

    def __init__(
        self,
        operator: OperatorId,
        signatures: Signatures,
        now_ms: Callable[[], int],
        released: Callable[[OperatorId, Share, Guard], None],
        liveness: Liveness,
    ) -> None:
        """A signer without shares.

        Args:
            operator: whose.
            signatures: the cryptography.
            now_ms: the operator's clock.
            released: told of every guarded signature that leaves.
            liveness: what the beacon chain shows.
        """
        self.protection = Protection()
        self._operator = operator
        self._signatures = signatures
        self._now_ms = now_ms
        self._released = released
        self._liveness = liveness
        self._watched_from: dict[PublicKey, int] = {}

    def add(self, share: Share, watched: bool) -> None:
        """Take a share into use now.

        Args:
            share: of this operator.
            watched: whether to wait for signs of another user of its key.
        """
        slot = self._now_ms() // SLOT_MS
        epoch = slot // SLOTS_PER_EPOCH
        self.protection.arm(
            share.share_key, share.validator_key, epoch=Epoch(epoch), slot=Slot(slot)
        )
        if watched:
            self._watched_from[share.share_key] = epoch

    def is_slashable(self, share: Share, guard: Guard) -> bool:
        """What signing would come to now; records nothing."""
        intent = Intent(share.share_key, share.validator_key, guard)
        return not may_sign(self.protection.check((intent,))[0])

    def sign(self, items: Iterable[SignItem], duty_slot: int) -> tuple[Signed | Withheld, ...]:
        """Check, record and sign, in this order; refusals leave the others alone."""
        items = tuple(items)
        guarded = [item for item in items if item.guard is not None]
        refused: dict[int, Withheld] = {}
        intents: list[tuple[SignItem, Intent]] = []
        for item in guarded:
            if (withheld := self._hold(item, duty_slot)) is not None:
                refused[id(item)] = withheld
            elif item.guard is not None:
                share = item.share
                intents.append((item, Intent(share.share_key, share.validator_key, item.guard)))
        asked = [intent for _, intent in intents]
        verdicts = self.protection.check_and_record(asked) if asked else ()
        for (item, _), verdict in zip(intents, verdicts, strict=True):
            if isinstance(verdict, NotSafe):
                refused[id(item)] = Withheld(item, Reason.SLASHING_REFUSED, verdict.reason)
        return tuple(refused.get(id(item)) or self._signed(item) for item in items)

    def _signed(self, item: SignItem) -> Signed:
        if item.guard is not None:
            self._released(self._operator, item.share, item.guard)
        return Signed(item, self._signatures.sign_root(item.share.share_key, item.root))

    def _hold(self, item: SignItem, duty_slot: int) -> Withheld | None:
        """Why an item is not even asked of the record."""
        now_slot = self._now_ms() // SLOT_MS
        epoch = now_slot // SLOTS_PER_EPOCH
        began = self._watched_from.get(item.share.share_key)
        if began is not None:
            first = max(began + 1, epoch - WATCHED_EPOCHS)
            is_over = epoch > began + WATCHED_EPOCHS and self._liveness.is_quiet(
                item.share.validator_index, first, epoch - 1
            )
            if not is_over:
                return Withheld(item, Reason.DOPPELGANGER_HOLD)
            del self._watched_from[item.share.share_key]
        if item.guard is None:
            return None
        present = bounds(
            item.guard,
            duty_slot=Slot(duty_slot),
            current_slot=Slot(now_slot),
            current_epoch=Epoch(epoch),
        )
        if isinstance(present, NotSafe):
            return Withheld(item, Reason.SLASHING_REFUSED, present.reason)
        return None
