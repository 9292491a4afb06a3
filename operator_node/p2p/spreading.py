"""Spreads address records between peers: each tells what it has, each gets what it lacks.

One exchange, over one stream: the caller sends its digest; the other answers with its own digest
and the records that the caller lacks; the caller ends with those that the other lacks. Everybody
takes part, so any peer is a way into the network and none is needed for long. Never dials.

Source: operator_node/p2p/records.py; docs/architecture.md.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost

from operator_node.p2p.book import RECORDS, AddressBook, Digest
from operator_node.p2p.records import RECORD_BYTES, Refused, SignedRecord, read_record
from operator_node.p2p.scoring import Fault, PeerId, Standing
from operator_node.p2p.upstream.framing import CutOffError, FrameReader, framed
from operator_node.p2p.upstream.peer_ids import id_of, name_of
from sdk.errors import PeerError
from sdk.types import OperatorId

_log: Final = logging.getLogger(__name__)

PROTOCOL: Final = TProtocol("/phalanx/addresses/1")
RECORDS_PER_ANSWER: Final = 256
"""The rest comes with the next exchange."""
EXCHANGE_SECONDS: Final = 10.0
"""After which a slow peer is left alone."""
REQUESTS_PER_TURN: Final = 20
"""Of one peer, until `turn` is called: one when it connects, a few when it learned something."""
_ENTRY_BYTES: Final = 16
_DIGEST_BYTES: Final = RECORDS * _ENTRY_BYTES
_FRAME_BYTES: Final = 4 + _DIGEST_BYTES + RECORDS_PER_ANSWER * (2 + RECORD_BYTES)


class AddressExchange:
    """Gives and takes records.

    Args:
        host: serves the protocol from now on.
        book: what there is to give, and where good records go.
        standing: where forged records are counted.
        now_ms: unix milliseconds.
        on_news: called when a record was taken.
    """

    def __init__(
        self,
        host: BasicHost,
        book: AddressBook,
        standing: Standing,
        now_ms: Callable[[], int],
        on_news: Callable[[], None],
    ) -> None:
        self._host = host
        self._book = book
        self._standing = standing
        self._now_ms = now_ms
        self._on_news = on_news
        self._requests: Counter[PeerId] = Counter()
        self.learned = 0
        """Records taken from peers since the start."""
        self.refused: Counter[Refused] = Counter()
        host.set_stream_handler(PROTOCOL, self._serve)

    async def exchange(self, peer: PeerId) -> bool:
        """Brings both books together; whether the peer did its part."""
        with trio.move_on_after(EXCHANGE_SECONDS):
            try:
                stream = await self._host.new_stream(id_of(peer), [PROTOCOL])
            except (BaseLibp2pError, OSError):
                return False  # it speaks another protocol, or is gone
            return await self._guarded(self._ask, stream, peer)
        return False

    def turn(self) -> None:
        """Begins a new time for `REQUESTS_PER_TURN`."""
        self._requests.clear()

    async def _serve(self, stream: INetStream) -> None:
        peer = name_of(stream.muxed_conn.peer_id)
        self._requests[peer] += 1
        if self._standing.is_refused(peer) or self._requests[peer] > REQUESTS_PER_TURN:
            self._standing.blame(peer, Fault.TOO_MANY_REQUESTS)
            await stream.reset()
            return
        with trio.move_on_after(EXCHANGE_SECONDS) as deadline:
            await self._guarded(self._answer, stream, peer)
        if deadline.cancelled_caught:
            await stream.reset()

    async def _ask(self, stream: INetStream, peer: PeerId) -> None:
        frames = FrameReader(stream, limit_bytes=_FRAME_BYTES)
        await stream.write(framed(_digest_bytes(self._book.digest(now_ms=self._now_ms()))))
        answer = await _next(frames)
        length = int.from_bytes(answer[:4], "little")
        theirs = _digest_of(answer[4 : 4 + length])
        self._take(_split(answer[4 + length :]), peer)
        await stream.write(framed(_join(self._lacking(theirs))))

    async def _answer(self, stream: INetStream, peer: PeerId) -> None:
        frames = FrameReader(stream, limit_bytes=_FRAME_BYTES)
        theirs = _digest_of(await _next(frames))
        own = _digest_bytes(self._book.digest(now_ms=self._now_ms()))
        head = len(own).to_bytes(4, "little") + own
        await stream.write(framed(head + _join(self._lacking(theirs))))
        self._take(_split(await _next(frames)), peer)

    async def _guarded(
        self,
        part: Callable[[INetStream, PeerId], Awaitable[None]],
        stream: INetStream,
        peer: PeerId,
    ) -> bool:
        try:
            await part(stream, peer)
            await stream.close()
        except (BaseLibp2pError, CutOffError):
            return False  # the connection broke
        except PeerError as problem:
            _log.info("peer %s sent no proper address exchange: %s", peer, problem)
            self._standing.blame(peer, Fault.BROKEN_FRAME)
            await stream.reset()
            return False
        return True

    def _lacking(self, theirs: Digest) -> list[SignedRecord]:
        return self._book.missing_in(theirs, now_ms=self._now_ms(), limit=RECORDS_PER_ANSWER)

    def _take(self, raws: Iterable[bytes], peer: PeerId) -> None:
        for raw in raws:
            refused = self._book.offer(read_record(raw), now_ms=self._now_ms())
            if refused is None:
                self.learned += 1
                self._on_news()
                continue
            self.refused[refused] += 1
            if refused is Refused.FORGED:
                self._standing.blame(peer, Fault.FORGED_RECORD)


async def _next(frames: FrameReader) -> bytes:
    frame = await frames.read()
    if frame is None:
        raise CutOffError("the stream ended before the exchange did")
    return frame


def _digest_bytes(digest: Digest) -> bytes:
    return b"".join(number.to_bytes(8, "little") for entry in digest.items() for number in entry)


def _digest_of(raw: bytes) -> dict[OperatorId, int]:
    if len(raw) % _ENTRY_BYTES or len(raw) > _DIGEST_BYTES:
        raise PeerError(f"a digest of {len(raw)} bytes", code="digest_malformed")
    numbers = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
    return dict(zip(map(OperatorId, numbers[::2]), numbers[1::2], strict=True))


def _join(records: Sequence[SignedRecord]) -> bytes:
    return b"".join(len(each.raw).to_bytes(2, "little") + each.raw for each in records)


def _split(raw: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "little")
        if end > len(raw) or len(pieces) >= RECORDS_PER_ANSWER:
            raise PeerError("a list of records that does not add up", code="records_malformed")
        pieces.append(raw[at + 2 : end])
        at = end
    return pieces
