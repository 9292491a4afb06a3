"""A beacon node's event stream: its topics, its lines, and what they say.

Shell for the stream, pure for its parser. A node that does not know a topic refuses all of them, so
that the rarer ones are left out step by step.

Source: Ethereum Beacon APIs, eventstream; WHATWG HTML, server-sent events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec
import trio

from operator_node.beacon.answers import MalformedAnswer, Number, read, read_bytes, read_document
from operator_node.beacon.endpoint import Request
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.beacon.types import (
    BeaconEvent,
    BlockSeenEvent,
    FinalizedEvent,
    HeadEvent,
    ReorgEvent,
    SlashingEvent,
)
from sdk.types import Epoch, Slot

EVENTS_PATH: Final = "/eth/v1/events"
MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
"""Events have some 500 bytes; proof of a slashing lists up to 131,072 validators twice."""
_BLOCKS: Final = ("head", "chain_reorg", "finalized_checkpoint", "block", "block_gossip")
_SLASHINGS: Final = ("attester_slashing", "proposer_slashing")
TOPIC_SETS: Final = (
    (*_BLOCKS, *_SLASHINGS),
    _BLOCKS,
    ("head", "chain_reorg", "finalized_checkpoint", "block"),
    ("head", "chain_reorg", "finalized_checkpoint"),
    ("head",),
)
"""Slashings came last, `block_gossip` before them; every node has `head`."""


class _Head(msgspec.Struct):
    slot: Number
    block: str
    previous_duty_dependent_root: str
    current_duty_dependent_root: str
    epoch_transition: bool


class _Finalized(msgspec.Struct):
    epoch: Number
    block: str


class _Reorg(msgspec.Struct):
    slot: Number
    depth: Number
    old_head_block: str
    new_head_block: str


class _Block(msgspec.Struct):
    slot: Number
    block: str


class _Header(msgspec.Struct):
    proposer_index: Number


class _SignedHeader(msgspec.Struct):
    message: _Header


class _ProposerSlashing(msgspec.Struct):
    signed_header_1: _SignedHeader


class _IndexedAttestation(msgspec.Struct):
    attesting_indices: list[Number]


class _AttesterSlashing(msgspec.Struct):
    attestation_1: _IndexedAttestation
    attestation_2: _IndexedAttestation


class Lines:
    """Cuts a stream of server-sent events into (topic, data); comments are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._topic = ""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[tuple[str, bytes]]:
        """The events that the piece completes.

        Raises:
            MalformedAnswer: an event grows beyond `MAX_EVENT_BYTES`.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found = []
        for line in lines:
            name, _, text = line.rstrip(b"\r").partition(b":")
            text = text.removeprefix(b" ")
            if name == b"event":
                self._topic = text.decode(errors="replace")
            elif name == b"data":
                self._data.append(text)
            elif not line.rstrip(b"\r"):
                if self._data:
                    found.append((self._topic, b"\n".join(self._data)))
                self._topic, self._data = "", []
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise MalformedAnswer(f"an event of more than {MAX_EVENT_BYTES} bytes")
        return found


def read_event(topic: str, data: bytes) -> BeaconEvent | None:
    """What an event says; None for a topic that nobody here listens to.

    Raises:
        MalformedAnswer: it does not say what its topic promises.
    """
    match topic:
        case "head":
            head = read(read_document(data), _Head)
            return HeadEvent(
                slot=Slot(head.slot),
                block_root=read_bytes(head.block, "block"),
                previous_duty_dependent_root=read_bytes(
                    head.previous_duty_dependent_root, "previous_duty_dependent_root"
                ),
                current_duty_dependent_root=read_bytes(
                    head.current_duty_dependent_root, "current_duty_dependent_root"
                ),
                epoch_transition=head.epoch_transition,
            )
        case "finalized_checkpoint":
            final = read(read_document(data), _Finalized)
            return FinalizedEvent(Epoch(final.epoch), read_bytes(final.block, "block"))
        case "chain_reorg":
            reorg = read(read_document(data), _Reorg)
            return ReorgEvent(
                Slot(reorg.slot),
                reorg.depth,
                read_bytes(reorg.old_head_block, "old_head_block"),
                read_bytes(reorg.new_head_block, "new_head_block"),
            )
        case "block" | "block_gossip":
            block = read(read_document(data), _Block)
            return BlockSeenEvent(Slot(block.slot), read_bytes(block.block, "block"))
        case "proposer_slashing":
            header = read(read_document(data), _ProposerSlashing).signed_header_1.message
            return SlashingEvent(frozenset({header.proposer_index}))
        case "attester_slashing":
            both = read(read_document(data), _AttesterSlashing)
            first, second = both.attestation_1, both.attestation_2
            return SlashingEvent(
                frozenset(first.attesting_indices) & frozenset(second.attesting_indices)
            )
    return None


async def follow(
    node: BeaconNode, emit: Callable[[BeaconEvent], None], *, silence_s: float
) -> None:
    """Emits a node's events until its stream ends or is silent for `silence_s`.

    Raises:
        NodeTrouble: however the stream ended.
    """
    for topics in TOPIC_SETS:
        params = tuple(("topics", topic) for topic in topics)
        request = Request(path=EVENTS_PATH, params=params, accept="text/event-stream")
        try:
            async with node.endpoint.stream(request) as pieces:
                await _drain(pieces, emit, silence_s)
        except NodeTrouble as problem:
            is_last = topics == TOPIC_SETS[-1]
            if is_last or problem.trouble not in (Trouble.REFUSED, Trouble.NO_ROUTE):
                raise
        except MalformedAnswer as problem:
            raise NodeTrouble(node.name, Trouble.MALFORMED, str(problem)) from None
        else:
            raise NodeTrouble(node.name, Trouble.LATE, "the event stream ended or fell silent")


async def _drain(
    pieces: AsyncIterator[bytes], emit: Callable[[BeaconEvent], None], silence_s: float
) -> None:
    lines = Lines()
    with trio.move_on_after(silence_s) as silence:
        async for piece in pieces:
            for topic, data in lines.feed(piece):
                event = read_event(topic, data)
                if event is not None:
                    silence.deadline = trio.current_time() + silence_s
                    emit(event)
