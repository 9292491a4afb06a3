"""Sends finished objects to all beacon nodes at once; one that takes an object is enough.

Shell. Slower nodes get theirs in the background, so that the duty need not wait for them. A block
goes first to the node that built it.

Source: this node's own rule (BN-4); Ethereum Beacon APIs, broadcast validation.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import trio

from operator_node.beacon.fleet import Fleet
from operator_node.beacon.memory import Builders, Votes
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.publishing import Batch, batches_of, deliver
from operator_node.beacon.trouble import clip
from operator_node.duties.types import Submission, SubmissionKind, Submitted
from sdk.errors import PeerError

_log = logging.getLogger(__name__)

HEAD_START_S: Final = 0.1
"""Of the node that built a block: it has the payload, and the others wait no longer for it."""
SEND_LIMIT_S: Final = 8.0
"""For all batches of a duty to one node; two thirds of a slot, after which little is worth it."""


class Sending:
    """Submissions of all duties.

    Attributes:
        background: where slower nodes are served while the pool runs; None before and after.
    """

    def __init__(self, fleet: Fleet, votes: Votes, builders: Builders) -> None:
        self._fleet = fleet
        self._votes = votes
        self._builders = builders
        self.background: trio.Nursery | None = None

    async def submit(self, items: Sequence[Submission]) -> tuple[Submitted, ...]:
        """See `BeaconPool.submit`."""
        preset = self._fleet.chain.preset
        for item in items:
            with suppress(PeerError):  # it is reported when it is sent
                self._votes.note_submission(item, preset)
        tally = _Tally(items, self._fleet.best_first())
        batches = batches_of(items, preset)
        builder = self._builder(items)
        is_given = trio.Event()
        async with trio.open_nursery() as nursery:
            for node in tally.nodes:
                after = None if builder in ("", node.name) else is_given
                given = is_given if node.name == builder else None
                (self.background or nursery).start_soon(_send, node, batches, tally, after, given)
            await tally.settled.wait()
        return tally.results()

    def _builder(self, items: Sequence[Submission]) -> str:
        """The node that built the block among the items, empty if there is none; it goes first."""
        blocks = [item for item in items if item.kind is SubmissionKind.BLOCK]
        names = {node.name for node in self._fleet.best_first()}
        name = self._builders.of(blocks[0].root) if blocks else ""
        return name if name in names else ""


class _Tally:
    """Which node said what about each item; `settled` once nothing more can change the result."""

    def __init__(self, items: Sequence[Submission], nodes: Sequence[BeaconNode]) -> None:
        self.items = items
        self.nodes = nodes
        self.settled = trio.Event()
        self._taken: set[int] = set()
        self._errors: list[list[str]] = [[] for _ in items]
        self._pending = len(nodes)
        if not items or not nodes:
            self.settled.set()

    def note(self, place: int, node: BeaconNode, error: str) -> None:
        """What a node said against the item at a place; empty if it took it."""
        if error:
            self._errors[place].append(f"{node.name}: {error}")
            return
        self._taken.add(place)
        if len(self._taken) == len(self.items):
            self.settled.set()

    def wants(self, places: Iterable[int]) -> bool:
        """Whether some of these items were taken by no node yet."""
        return not self._taken.issuperset(places)

    def finish(self) -> None:
        """A node has said all it will."""
        self._pending -= 1
        if not self._pending:
            self.settled.set()

    def results(self) -> tuple[Submitted, ...]:
        """One per item, in order."""
        return tuple(
            Submitted(item, "" if place in self._taken else self._error(place))
            for place, item in enumerate(self.items)
        )

    def _error(self, place: int) -> str:
        return clip("; ".join(self._errors[place]) or "no beacon node answered in time")


async def _send(
    node: BeaconNode,
    batches: Sequence[Batch],
    tally: _Tally,
    after: trio.Event | None,
    given: trio.Event | None,
) -> None:
    """Sends all batches to one node.

    Args:
        node: sent to.
        batches: in this order.
        tally: learns what it says.
        after: set when the node that goes first has answered; waited for shortly.
        given: to be set then, if this is that node.
    """
    place = 0
    try:
        if after is not None:
            with trio.move_on_after(HEAD_START_S):
                await after.wait()
        with trio.move_on_after(SEND_LIMIT_S):
            for batch in batches:
                wanted = partial(tally.wants, range(place, place + len(batch.items)))
                for error in await deliver(node, batch, is_wanted=wanted):
                    tally.note(place, node, error)
                    place += 1
    except Exception as problem:
        # The outer boundary of one node's share: it runs beside all else that the pool does.
        _log.exception("sending to beacon node %s failed", node.name)
        for left in range(place, len(tally.items)):
            tally.note(left, node, f"its answer could not be read: {type(problem).__name__}")
    finally:
        if given is not None:
            given.set()
        tally.finish()
