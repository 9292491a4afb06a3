"""Ways to ask several beacon nodes at once, and to share one answer among several askers.

Shell, but knows nothing of what is asked. Whoever asks limits the time by a cancel scope around it.

Source: this node's own rules for reads (BN-3).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import trio

from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble, Trouble

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_log = logging.getLogger(__name__)

_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """What one node answered, and how long it took."""

    node: BeaconNode
    value: T
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What the nodes said that answered in time, the quickest first."""

    offers: tuple[Offer[T], ...]
    troubles: tuple[NodeTrouble, ...]


async def ask_all(
    nodes: Sequence[BeaconNode],
    call: Callable[[BeaconNode], Awaitable[T]],
    *,
    soft_s: float,
    reserves: Sequence[BeaconNode] = (),
) -> Answers[T]:
    """The answers of all nodes, or of those that came within `soft_s`, or else the first to come.

    Args:
        nodes: asked at the same time.
        call: asks one; raises `NodeTrouble` where that brings nothing.
        soft_s: how long to wait for the others once there is a good answer.
        reserves: asked as well when the others have all failed, or when `soft_s` brought nothing.
    """
    found: _Found[T] = _Found([], [])
    send, receive = trio.open_memory_channel[Offer[T] | NodeTrouble](len(nodes) + len(reserves))
    async with send, receive, trio.open_nursery() as nursery:
        for node in nodes:
            nursery.start_soon(_ask_one, node, call, send)
        with trio.move_on_after(soft_s):
            while found.count < len(nodes):
                found.sort_in(await receive.receive())
        if not found.offers:
            for node in reserves:
                nursery.start_soon(_ask_one, node, call, send)
            while not found.offers and found.count < len(nodes) + len(reserves):
                found.sort_in(await receive.receive())
        nursery.cancel_scope.cancel()
    return found.answers()


async def ask_in_turn(
    nodes: Sequence[BeaconNode],
    call: Callable[[BeaconNode], Awaitable[T]],
    *,
    hedge_s: float,
    limit_s: float = float("inf"),
) -> Answers[T]:
    """The first good answer; the next node is asked on trouble, or when `hedge_s` brought nothing.

    Args:
        nodes: best first.
        call: as of `ask_all`.
        hedge_s: head start of each node before the next.
        limit_s: for all of them together; what they said until then is the answer.
    """
    found: _Found[T] = _Found([], [])
    send, receive = trio.open_memory_channel[Offer[T] | NodeTrouble](len(nodes))
    async with send, receive, trio.open_nursery() as nursery:
        with trio.move_on_after(limit_s):
            for asked, node in enumerate(nodes, start=1):
                nursery.start_soon(_ask_one, node, call, send)
                is_last = asked == len(nodes)
                with trio.move_on_after(float("inf") if is_last else hedge_s):
                    while not found.offers and found.count < asked:
                        found.sort_in(await receive.receive())
                if found.offers:
                    break
        nursery.cancel_scope.cancel()
    return found.answers()


class Shared(Generic[K, T]):
    """One question at a time per key: whoever asks while it is on its way gets the same answer.

    A question whose first asker is cancelled is asked again by the next one who waits.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[T]] = {}

    async def get(self, key: K, fetch: Callable[[], Awaitable[T]]) -> T:
        """The answer to the question named `key`."""
        while (flight := self._flights.get(key)) is not None:
            await flight.done.wait()
            if flight.answers:
                return flight.answers[0]
        flight = self._flights[key] = _Flight(trio.Event(), [])
        try:
            flight.answers.append(await fetch())
        finally:
            del self._flights[key]
            flight.done.set()
        return flight.answers[0]


@dataclass(frozen=True, slots=True)
class _Found(Generic[T]):
    """What has come so far."""

    offers: list[Offer[T]]
    troubles: list[NodeTrouble]

    @property
    def count(self) -> int:
        """Nodes that have answered, one way or the other."""
        return len(self.offers) + len(self.troubles)

    def sort_in(self, found: Offer[T] | NodeTrouble) -> None:
        """One more."""
        if isinstance(found, NodeTrouble):
            self.troubles.append(found)
        else:
            self.offers.append(found)

    def answers(self) -> Answers[T]:
        """All of it."""
        return Answers(tuple(self.offers), tuple(self.troubles))


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    """A question on its way; `answers` has one item once it has been answered."""

    done: trio.Event
    answers: list[T]


async def _ask_one(
    node: BeaconNode,
    call: Callable[[BeaconNode], Awaitable[T]],
    send: trio.MemorySendChannel[Offer[T] | NodeTrouble],
) -> None:
    began = trio.current_time()
    try:
        value = await call(node)
        send.send_nowait(Offer(node, value, round((trio.current_time() - began) * _MS)))
    except NodeTrouble as problem:
        send.send_nowait(problem)
    except Exception as problem:
        # The outer boundary of one question: a fault in reading one node's answer must not cost the
        # others' answers, and with them the process.
        _log.exception("asking beacon node %s failed", node.name)
        text = f"its answer could not be read: {type(problem).__name__}"
        send.send_nowait(NodeTrouble(node.name, Trouble.MALFORMED, text))
