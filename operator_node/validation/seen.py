"""Bounded memory of what was accepted: per message id, per signer, per slot.

Pure. Who delivered a message does not matter. An operator that says two things in one round reaches
different nodes in different orders; each node stays with what it accepted first and never passes
the other version on, so that nobody can be blamed for relaying both.

Whatever is forgotten may be accepted once more. That costs one more forwarding and nothing else:
consensus keeps the first message of each signer by itself. So the memory may drop whatever it
needs to, and drops the streams first that were silent longest.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec import Struct, field

from operator_node.validation.timing import LONG_LIFE_SLOTS
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    PartialKind,
    PartialSignatures,
    SignedMessage,
)
from sdk.types import OperatorId

RETAINED_SLOTS: Final = LONG_LIFE_SLOTS
"""A stream that was silent for so long is dropped: what it remembers is late in most roles."""
MAX_SLOTS: Final = RETAINED_SLOTS + 1
"""Slots kept per signer, the newest ones: as many as can be in time at once."""
MAX_STREAMS: Final = 2**15
"""Message ids: 2,000 committees in two roles, and 840 validators' duties in each of 34 slots."""
MAX_RECORDS: Final = 2**17
"""Records of all streams: four signers in one slot per stream. Full, the memory takes 64 MiB."""


class SlotRecord(Struct, gc=False):
    """What one signer sent for one slot: steps are those of `round`, phases those of the slot."""

    round: int = 0
    steps: int = 0
    proposed_root: bytes = b""
    phases: int = 0

    def took(self, kind: int) -> bool:
        """Whether a consensus message of the kind was accepted in `round`."""
        return bool(self.steps >> kind & 1)

    def sent_partials(self, kind: int) -> bool:
        """Whether partial signatures of the same phase were accepted."""
        return bool(self.phases & _phase(kind))


class SignerRecord(Struct):
    """What one signer sent: records of its newest slots, `MAX_SLOTS` at most."""

    newest_slot: int = -1
    slots: dict[int, SlotRecord] = field(default_factory=dict)


_PROPOSAL: Final = int(ConsensusKind.PROPOSAL)
_POST_CONSENSUS: Final = int(PartialKind.POST_CONSENSUS)


class Stream(Struct):
    """What was accepted of one message id. At most 13 signers: only members get this far."""

    signers: dict[OperatorId, SignerRecord] = field(default_factory=dict)
    decisions: dict[int, int] = field(default_factory=dict)
    """By slot, the most signers of a decided message."""
    records: int = 0
    touched_slot: int = 0
    """Slot of the clock, not of a message."""

    def slot_record(self, signer: OperatorId, slot: int) -> SlotRecord | None:
        """What the signer sent for the slot, None if nothing."""
        record = self.signers.get(signer)
        return None if record is None else record.slots.get(slot)

    def most_signers(self, slot: int) -> int:
        """Signers of the largest decided message accepted for the slot, 0 if there was none."""
        return self.decisions.get(slot, 0)


_EMPTY: Final = Stream()
"""Stands for every stream that does not exist; never written to."""


class Seen:
    """All streams, least recently extended first."""

    __slots__ = ("_max_records", "_max_streams", "_records", "_settled_slot", "_streams")

    def __init__(self, *, max_streams: int = MAX_STREAMS, max_records: int = MAX_RECORDS) -> None:
        self._max_streams = max_streams
        self._max_records = max_records
        self._records = 0
        self._settled_slot = -1
        self._streams: OrderedDict[bytes, Stream] = OrderedDict()

    @property
    def streams(self) -> int:
        """Number of streams remembered."""
        return len(self._streams)

    @property
    def records(self) -> int:
        """Number of slot records and decided slots remembered, over all streams."""
        return self._records

    def past(self, message_id: bytes) -> Stream:
        """What was accepted of a message id so far. To be read only."""
        return self._streams.get(message_id, _EMPTY)

    def note_consensus(
        self, signed: SignedMessage, body: ConsensusMessage, *, now_slot: int
    ) -> None:
        """Remembers an accepted consensus message.

        A decided message shows that its signers were in its round; it is no commit of theirs.
        """
        stream = self._touch(signed.message.id, now_slot)
        before = stream.records
        is_single = len(signed.signers) == 1
        for signer in signed.signers:
            record = _record(stream, signer, body.height)
            if body.round > record.round:
                record.round, record.steps, record.proposed_root = body.round, 0, b""
            if is_single:
                record.steps |= 1 << body.kind
                if body.kind == _PROPOSAL:
                    record.proposed_root = body.root
        if not is_single:
            _note_decision(stream, len(signed.signers), body.height)
        if stream.records != before or now_slot != self._settled_slot:
            self._settle(stream.records - before, now_slot)

    def note_partials(
        self, signed: SignedMessage, body: PartialSignatures, *, now_slot: int
    ) -> None:
        """Remembers accepted partial signatures."""
        stream = self._touch(signed.message.id, now_slot)
        before = stream.records
        _record(stream, signed.signers[0], body.slot).phases |= _phase(body.kind)
        if stream.records != before or now_slot != self._settled_slot:
            self._settle(stream.records - before, now_slot)

    def _touch(self, message_id: bytes, now_slot: int) -> Stream:
        stream = self._streams.get(message_id)
        if stream is None:
            stream = self._streams[message_id] = Stream()
        else:
            self._streams.move_to_end(message_id)
        stream.touched_slot = now_slot
        return stream

    def _settle(self, added: int, now_slot: int) -> None:
        """Counts what was added, and drops streams that are silent or too many.

        To be called when something was added, or the slot is a new one.
        """
        self._settled_slot = now_slot
        self._records += added
        streams = self._streams
        while streams and (
            next(iter(streams.values())).touched_slot + RETAINED_SLOTS < now_slot
            or self._records > self._max_records
            or len(streams) > self._max_streams
        ):
            _, dropped = streams.popitem(last=False)
            self._records -= dropped.records


def _phase(kind: int) -> int:
    return 2 if kind == _POST_CONSENSUS else 1


def _record(stream: Stream, signer: OperatorId, slot: int) -> SlotRecord:
    """The signer's record of the slot, made if there is none."""
    history = stream.signers.get(signer)
    if history is None:
        history = stream.signers[signer] = SignerRecord()
    record = history.slots.get(slot)
    if record is None:
        record = history.slots[slot] = SlotRecord()
        stream.records += 1
        history.newest_slot = max(history.newest_slot, slot)
        if len(history.slots) > MAX_SLOTS:
            del history.slots[min(history.slots)]
            stream.records -= 1
    return record


def _note_decision(stream: Stream, signers: int, slot: int) -> None:
    decisions = stream.decisions
    if slot not in decisions:
        stream.records += 1
    decisions[slot] = max(signers, decisions.get(slot, 0))
    if len(decisions) > MAX_SLOTS:
        del decisions[min(decisions)]
        stream.records -= 1
