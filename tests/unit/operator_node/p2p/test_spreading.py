"""Spreading records: both sides get what they lack; bad records are refused. Real sockets."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
from libp2p.abc import INetStream
from libp2p.host.basic_host import BasicHost

from operator_node.p2p.book import AddressBook
from operator_node.p2p.records import LIFETIME_MS, Refused, SignedRecord
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.spreading import PROTOCOL, REQUESTS_PER_TURN, AddressExchange
from operator_node.p2p.upstream.dialer import Dialer
from operator_node.p2p.upstream.framing import framed
from sdk.types import OperatorId
from tests.p2p.nodes import free_port, until
from tests.unit.operator_node.p2p.builders import DOMAIN, NOW_MS, key_of, record
from tests.unit.operator_node.p2p.upstream.hosts import host, identity, peer
from tests.unit.operator_node.p2p.upstream.test_hosts import listening

LATER_MS = NOW_MS + LIFETIME_MS
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.slow]


@dataclass(frozen=True)
class Gullible:
    """A key with which every signature is good, for a peer that passes on what it likes."""

    def verify(self, _message: bytes, _signature: bytes, /) -> bool:
        return True


class Side:
    """One of two peers."""

    def __init__(self, number: int, *, now_ms: int = NOW_MS, is_gullible: bool = False) -> None:
        self.host: BasicHost = host(number)
        self.name: PeerId = identity(number).peer
        self.book = AddressBook(
            domain=DOMAIN, key_of=(lambda _: Gullible()) if is_gullible else key_of, path=None
        )
        self.standing = Standing()
        self.news = 0
        self.exchange = AddressExchange(
            self.host, self.book, self.standing, lambda: now_ms, self.on_news
        )

    def on_news(self) -> None:
        self.news += 1

    def has(self, *records: SignedRecord) -> None:
        for each in records:
            assert self.book.offer(each, now_ms=NOW_MS) is None


def exchanged(one: Side, two: Side) -> bool:
    async def main() -> bool:
        async with listening(one.host, free_port()), listening(two.host, free_port()) as address:
            assert await Dialer(one.host).dial(two.name, [address])
            is_done = await one.exchange.exchange(two.name)
            with trio.move_on_after(1):
                await until(lambda: one.book.operators() == two.book.operators())
            return is_done

    return trio.run(main)


def test_both_sides_have_the_newest_of_everything_afterwards() -> None:
    one, two = Side(1), Side(2)
    newer = record(2, sequence=NOW_MS + 5)
    one.has(record(1), record(2))
    two.has(newer, record(3))
    assert exchanged(one, two)
    for side in (one, two):
        assert side.book.operators() == {1, 2, 3}
        assert side.book.of(OperatorId(2)) == newer.record
    assert (one.news, two.news) == (2, 1)


def test_a_forged_record_is_refused_and_its_bearer_blamed() -> None:
    liar, honest = Side(1, is_gullible=True), Side(2)
    liar.has(record(1, signer=2))
    exchanged(liar, honest)
    assert honest.book.operators() == frozenset()
    assert honest.exchange.refused == {Refused.FORGED: 1}
    assert honest.standing.score(liar.name) < 0


def test_records_of_unknown_operators_and_expired_ones_are_refused_without_blame() -> None:
    for bearer, taker, reason in (
        (Side(1, is_gullible=True), Side(2), Refused.UNKNOWN_OPERATOR),
        (Side(1, is_gullible=True), Side(2, now_ms=LATER_MS), Refused.EXPIRED),
    ):
        bearer.has(record(9))
        exchanged(bearer, taker)
        assert taker.book.operators() == frozenset()
        assert taker.exchange.refused == {reason: 1}
        assert taker.standing.score(bearer.name) == 0


def test_junk_and_too_many_requests_are_blamed() -> None:
    one, two = Side(1), Side(2)

    async def main() -> list[float]:
        scores: list[float] = []
        async with listening(one.host, free_port()), listening(two.host, free_port()) as address:
            assert await Dialer(one.host).dial(two.name, [address])
            stream = await one.host.new_stream(peer(2), [PROTOCOL])
            await stream.write(framed(b"17 bytes of junk!"))
            await until(lambda: two.standing.score(one.name) < 0)
            scores.append(two.standing.score(one.name))
            for _ in range(REQUESTS_PER_TURN):
                await one.exchange.exchange(two.name)
            scores.append(two.standing.score(one.name))
        return scores

    junk, flood = trio.run(main)
    assert flood < junk < 0


def test_a_replayed_record_is_refused_and_the_newer_one_stays() -> None:
    liar, honest = Side(1), Side(2)
    newer, older = record(1, sequence=NOW_MS + 5), record(1)
    honest.has(newer)

    async def main() -> None:
        async with listening(liar.host, free_port()), listening(honest.host, free_port()) as place:
            assert await Dialer(liar.host).dial(honest.name, [place])
            stream = await liar.host.new_stream(peer(2), [PROTOCOL])
            await stream.write(framed(b""))  # a digest of nothing
            await stream.read(1)
            await stream.write(framed(len(older.raw).to_bytes(2, "little") + older.raw))
            await until(lambda: honest.exchange.refused[Refused.REPLAYED] == 1)

    trio.run(main)
    assert honest.book.of(OperatorId(1)) == newer.record
    assert honest.news == 0
    assert honest.standing.score(liar.name) == 0


@pytest.mark.parametrize("begun", [b"", framed(bytes(16))[:5]])
def test_nobody_is_blamed_for_an_exchange_that_a_lost_connection_cuts_off(begun: bytes) -> None:
    one, two = Side(1), Side(2)
    served = trio.Event()
    answer = two.exchange._answer

    async def watched(stream: INetStream, name: PeerId) -> None:
        try:
            await answer(stream, name)
        finally:
            served.set()

    two.exchange._answer = watched  # type: ignore[assignment,method-assign]  # tells its end

    async def main() -> None:
        async with listening(one.host, free_port()), listening(two.host, free_port()) as place:
            dialer = Dialer(one.host)
            assert await dialer.dial(two.name, [place])
            stream = await one.host.new_stream(peer(2), [PROTOCOL])
            await stream.write(begun)
            await dialer.hang_up(two.name)
            with trio.fail_after(5):
                await served.wait()

    trio.run(main)
    assert two.standing.score(one.name) == 0
