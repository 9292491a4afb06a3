"""Ways to ask several beacon nodes at once, and to share one answer among several askers.

Shell, but knows nothing of what is asked. Whoever asks limits the time by a cancel scope around it.

Source: this node's own rules for reads (BN-3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """What one node answered."""

    node: BeaconNode
    value: T


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
) -> Answers[T]:
    """The answers of all nodes, or of those that came within `soft_s`, or else the first to come.

    Args:
        nodes: asked at the same time.
        call: asks one; raises `NodeTrouble` where that brings nothing.
        soft_s: how long to wait for the others once there is a good answer.
    """
    offers: list[Offer[T]] = []
    troubles: list[NodeTrouble] = []
    send, receive = trio.open_memory_channel[Offer[T] | NodeTrouble](len(nodes))

    async def collect(*, until_first: bool) -> None:
        while len(offers) + len(troubles) < len(nodes) and not (until_first and offers):
            _sort_in(await receive.receive(), offers, troubles)

    async with send, receive, trio.open_nursery() as nursery:
        for node in nodes:
            nursery.start_soon(_ask_one, node, call, send)
        with trio.move_on_after(soft_s):
            await collect(until_first=False)
        await collect(until_first=True)
        nursery.cancel_scope.cancel()
    return Answers(tuple(offers), tuple(troubles))


async def ask_in_turn(
    nodes: Sequence[BeaconNode],
    call: Callable[[BeaconNode], Awaitable[T]],
    *,
    hedge_s: float,
) -> Answers[T]:
    """The first good answer; the next node is asked on trouble, or when `hedge_s` brought nothing.

    Args:
        nodes: best first.
        call: as of `ask_all`.
        hedge_s: head start of each node before the next.
    """
    offers: list[Offer[T]] = []
    troubles: list[NodeTrouble] = []
    send, receive = trio.open_memory_channel[Offer[T] | NodeTrouble](len(nodes))
    async with send, receive, trio.open_nursery() as nursery:
        for asked, node in enumerate(nodes, start=1):
            nursery.start_soon(_ask_one, node, call, send)
            is_last = asked == len(nodes)
            with trio.move_on_after(float("inf") if is_last else hedge_s):
                while not offers and len(troubles) < asked:
                    _sort_in(await receive.receive(), offers, troubles)
            if offers:
                break
        nursery.cancel_scope.cancel()
    return Answers(tuple(offers), tuple(troubles))


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
class _Flight(Generic[T]):
    """A question on its way; `answers` has one item once it has been answered."""

    done: trio.Event
    answers: list[T]


async def _ask_one(
    node: BeaconNode,
    call: Callable[[BeaconNode], Awaitable[T]],
    send: trio.MemorySendChannel[Offer[T] | NodeTrouble],
) -> None:
    try:
        send.send_nowait(Offer(node, await call(node)))
    except NodeTrouble as problem:
        send.send_nowait(problem)


def _sort_in(
    found: Offer[T] | NodeTrouble, offers: list[Offer[T]], troubles: list[NodeTrouble]
) -> None:
    if isinstance(found, NodeTrouble):
        troubles.append(found)
    else:
        offers.append(found)
