"""One phase of a single validator's duty: sign known roots, collect them, recover signatures.

Pure. The roots are known before the first message comes, so a message that signs anything else is
refused; committees, whose members may see different validators, do not use this. Which roots, and
what the recovered signatures are for, is the duty's business.

Source: docs/protocol.md, "Duties" (partial signatures; single-validator roles).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from operator_node.duties.partials import (
    Partials,
    check_known_roots,
    check_signer,
    check_slot,
    complain,
)
from operator_node.duties.types import (
    Command,
    Publish,
    Recover,
    Recovered,
    RecoveryRequest,
    Setting,
    Sign,
    Signed,
    SignItem,
    Withheld,
)
from operator_node.signer.rules import Guard
from operator_node.wire.faults import Fault
from operator_node.wire.messages import (
    PartialKind,
    PartialSignature,
    PartialSignatures,
    ReceivedPartials,
)
from operator_node.wire.records import Share
from sdk.types import OperatorId, Signature, Slot


class Phase:
    """The partial signatures of all operators over one validator's roots.

    Attributes:
        roots: signing roots in the order in which a message lists them; one may repeat, since Alan
            signs a subnet once per position in it.
        partials: what came.
        signatures: the validator's signature by root, verified.
        is_answered: whether the own signer said anything yet.
    """

    def __init__(
        self,
        setting: Setting,
        share: Share,
        *,
        kind: PartialKind,
        slot: Slot,
        roots: Iterable[bytes],
        guard: Guard | None = None,
    ) -> None:
        """A phase that nothing has come for yet.

        Args:
            setting: the committee's.
            share: of the validator.
            kind: of the own message.
            slot: that every message must name.
            roots: see the class.
            guard: of the one root, where the slashing rules apply.
        """
        self.roots: Final = tuple(roots)
        self.partials: Final = Partials(
            committee=setting.committee,
            shares={share.validator_index: share},
            generation=setting.generation,
        )
        self.signatures: dict[bytes, Signature] = {}
        self.is_answered = False
        self._is_asked = False
        self._setting = setting
        self._share = share
        self._kind = kind
        self._slot = slot
        self._guard = guard

    @property
    def is_complete(self) -> bool:
        """Whether every root has the validator's signature."""
        return all(root in self.signatures for root in self.roots)

    @property
    def is_signing(self) -> bool:
        """Whether the own signer has yet to answer. A duty that ended now would never publish what
        it signed, and co-operators may need it.
        """
        return self._is_asked and not self.is_answered

    @property
    def signers(self) -> frozenset[OperatorId]:
        """Whose partial signatures are here for every root."""
        found = [self.partials.signers(self._share.validator_index, root) for root in self.roots]
        return frozenset.intersection(*found) if found else frozenset()

    def sign(self) -> Sign:
        """Asks for the own partial signatures, once per distinct root."""
        self._is_asked = True
        distinct = dict.fromkeys(self.roots)
        return Sign(tuple(SignItem(self._share, root, self._guard) for root in distinct))

    def publish(self, results: Iterable[Signed | Withheld]) -> list[Command]:
        """The own message, unless a part of it was withheld: peers refuse an incomplete one."""
        self.is_answered = True
        signatures = {
            result.item.root: result.signature for result in results if isinstance(result, Signed)
        }
        if not signatures or any(root not in signatures for root in self.roots):
            return []
        items = tuple(
            PartialSignature(signatures[root], root, self._setting.me, self._share.validator_index)
            for root in self.roots
        )
        return [Publish(PartialSignatures(self._kind, self._slot, items))]

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """Stores a message; asks for the recovery of the roots whose quorum it completed.

        Raises:
            ProtocolFault: another slot, a stranger, or not exactly the roots of this phase.
        """
        body = message.body
        check_slot(body, self._slot)
        check_signer(body, self._setting.committee)
        check_known_roots(body, self._share.validator_index, self.roots)
        crossed = self.partials.add(body.items)
        return _recover(self.partials.recovery(*pair) for pair in crossed) if crossed else []

    def recovered(self, results: Iterable[Recovered]) -> list[Command]:
        """Keeps signatures, complains of culprits, and asks again where a quorum is left.

        Answers to nothing that was asked here are passed over.
        """
        complaints: list[Command] = []
        again = []
        for result in filter(self.partials.awaits, results):
            if (request := self.partials.apply(result)) is not None:
                again.append(request)
            if result.signature is not None:
                self.signatures[result.request.root] = result.signature
            is_bad = result.signature is None or result.culprits
            if is_bad and not self.partials.was_doubted(result):
                complaints.append(complain(result, Fault.RECONSTRUCTION_FAILED))
        return _recover(again) + complaints


def _recover(requests: Iterable[RecoveryRequest]) -> list[Command]:
    found = tuple(requests)
    return [Recover(found)] if found else []
