"""One phase of a committee's duty: sign for many validators, collect, recover what crosses.

Pure. Operators may see different validators, so that roots are not checked on arrival: what this
node has no duty for is stored and never used. Single validators' phases, whose roots are known in
advance, are in `phase`.

Source: docs/protocol.md, "Duties" (partial signatures).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from operator_node.duties.partials import Pair, Partials, check_signer, check_slot, complain
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
from operator_node.wire.faults import Fault
from operator_node.wire.messages import (
    PartialKind,
    PartialSignature,
    PartialSignatures,
    ReceivedPartials,
)
from operator_node.wire.records import Share
from sdk.types import OperatorId, Signature, Slot


class CommitteePhase:
    """The partial signatures of all operators over many validators' roots.

    Attributes:
        due: what this node has duties for; nothing else is recovered.
        partials: everything that came.
        is_answered: whether the own signer has answered.
        seen: operators that sent a message of this phase.
    """

    def __init__(
        self,
        setting: Setting,
        shares: Mapping[int, Share],
        *,
        kind: PartialKind,
        slot: Slot,
        fault: Fault,
    ) -> None:
        """A phase that nothing has come for yet.

        Args:
            setting: the committee's.
            shares: by validator index.
            kind: of the messages.
            slot: that messages must name.
            fault: what a quorum with bad signatures is called here.
        """
        self.due: frozenset[Pair] = frozenset()
        self.is_answered = False
        self._is_asked = False
        self.seen: set[OperatorId] = set()
        self.partials = Partials(
            committee=setting.committee,
            shares=shares,
            generation=setting.generation,
        )
        self._setting = setting
        self._kind = kind
        self._slot = slot
        self._fault = fault

    def sign(self, items: Iterable[SignItem]) -> Sign:
        """Asks for the own partial signatures."""
        self._is_asked = True
        return Sign(tuple(items))

    @property
    def is_signing(self) -> bool:
        """Whether the own signer has yet to answer. A duty that ended now would never publish what
        it signed, and co-operators may need it.
        """
        return self._is_asked and not self.is_answered

    def publish(self, results: Iterable[Signed | Withheld]) -> list[Command]:
        """The own message, without what was withheld; nothing if all was."""
        self.is_answered = True
        items = tuple(
            PartialSignature(
                result.signature,
                result.item.root,
                self._setting.me,
                result.item.share.validator_index,
            )
            for result in results
            if isinstance(result, Signed)
        )
        return [Publish(PartialSignatures(self._kind, self._slot, items))] if items else []

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """Stores a message; asks for the recovery of what it completed, in order of the roots.

        Raises:
            ProtocolFault: of another slot, or from a stranger.
        """
        self.check(message)
        self.seen.add(message.body.items[0].signer)
        crossed = self.partials.add(message.body.items, self.due)
        if not crossed:
            return []
        crossed = [pair for pair in crossed if pair in self.due]
        crossed.sort(key=lambda pair: (pair.root, pair.validator_index))
        return _recover(self.partials.recovery(*pair) for pair in crossed)

    def check(self, message: ReceivedPartials) -> None:
        """Returns for a message of this slot and committee.

        Raises:
            ProtocolFault: it is not.
        """
        check_slot(message.body, self._slot)
        check_signer(message.body, self._setting.committee)

    @property
    def is_recovering(self) -> bool:
        """Whether a request has not been answered yet."""
        return self.partials.is_recovering

    def recovered(
        self, results: Iterable[Recovered]
    ) -> tuple[list[tuple[Pair, Signature]], list[Command]]:
        """Takes answers; those to nothing that was asked here are passed over.

        Returns:
            The validators' signatures; and what to ask or complain about where there is none.
        """
        complete: list[tuple[Pair, Signature]] = []
        again: list[RecoveryRequest] = []
        complaints: list[Command] = []
        for result in filter(self.partials.awaits, results):
            request = self.partials.apply(result)
            if request is not None:
                again.append(request)
            if result.signature is not None:
                complete.append((pair_of(result), result.signature))
            elif not self.partials.was_doubted(result):
                complaints.append(complain(result, self._fault))
        return complete, [*_recover(again), *complaints]

    def owns(self, result: Recovered) -> bool:
        """Whether an answer is about something of this phase."""
        return pair_of(result) in self.due

    def incomplete(self) -> list[Pair]:
        """What is due and not recovered."""
        return [pair for pair in self.due if not self.partials.is_complete(*pair)]

    def present(self, pairs: Iterable[Pair]) -> frozenset[OperatorId]:
        """Whose partial signatures are here for all of the pairs; for no pairs, nobody's."""
        found = [self.partials.signers(*pair) for pair in pairs]
        return frozenset.intersection(*found) if found else frozenset()


def pair_of(result: Recovered) -> Pair:
    """What an answer is about."""
    return Pair(result.request.validator_index, result.request.root)


def _recover(requests: Iterable[RecoveryRequest]) -> list[Command]:
    found = tuple(requests)
    return [Recover(found)] if found else []
