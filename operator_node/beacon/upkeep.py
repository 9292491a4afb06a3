"""The long tasks beside the duties: probing health, following events, keeping the view fresh.

Shell. Each task has one outer boundary that counts what went wrong, logs it, and begins anew after
a pause; nothing that a beacon node does ends it.

Source: this node's own rules (BN-1, BN-2, BN-3, BN-5, BN-10).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import trio

from operator_node.beacon.chains import Account, mismatch, outdated
from operator_node.beacon.events import follow
from operator_node.beacon.feed import Feed
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.health import judge
from operator_node.beacon.memory import Checkpoints, Heads
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.telling import Telling
from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.beacon.types import (
    BeaconEvent,
    BlockSeenEvent,
    HeadEvent,
    NodeState,
    ReorgEvent,
    ViewChangedEvent,
)
from operator_node.beacon.voting import Voting
from operator_node.duties.types import Unavailable
from sdk.types import Slot

_log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
PROBE_LIMIT_S: Final = 5.0
EAGER_PAUSE_S: Final = 1.0
SILENT_SLOTS: Final = 3
"""A chain without blocks is silent as well; connecting again costs nothing then."""
REFRESH_LIMIT_S: Final = 2.0
VIEW_PAUSE_S: Final = 0.5
"""Between attempts to learn the checkpoints of an epoch that has begun."""
_MS: Final = 1000


class Upkeep:
    """Keeps health, events and checkpoints current.

    Attributes:
        restarts: how often a task failed by a fault of ours and began anew.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        voting: Voting,
        telling: Telling,
        checkpoints: Checkpoints,
        heads: Heads,
        feed: Feed,
    ) -> None:
        self._fleet = fleet
        self._voting = voting
        self._telling = telling
        self._checkpoints = checkpoints
        self._heads = heads
        self._feed = feed
        self._was_answering = True
        self._dependents: tuple[bytes, bytes] = (b"", b"")
        self.restarts = 0

    def start(self, nursery: trio.Nursery) -> None:
        """Starts all tasks; they run until they are cancelled."""
        for node in self._fleet.nodes:
            nursery.start_soon(self._keep, f"probe of {node.name}", partial(self._probe, node))
            nursery.start_soon(self._keep, f"events of {node.name}", partial(self._listen, node))
        # Subscribed before the first event can come.
        events = self._feed.subscribe()
        nursery.start_soon(self._keep, "checkpoints", partial(self._watch, events))

    async def _keep(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """The outer boundary of a task."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await task()
            except Exception:
                self.restarts += 1
                _log.exception("%s failed and begins anew in %.1f s", name, pause_s)
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    # --- health ----------------------------------------------------------------------------

    async def _probe(self, node: BeaconNode) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            state = NodeState.UNREACHABLE
            with trio.move_on_after(PROBE_LIMIT_S):
                state = await self._look_at(node)
            before = node.health.state
            node.health.observe(state, self._fleet.now_ms())
            if node.health.state is not before:
                _log.info("beacon node %s is %s, was %s", node.name, node.health.state, before)
            self._tell_if_stale()
            if state is NodeState.UNREACHABLE:
                node.lose()
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                pause_s = FIRST_PAUSE_S
                # At least a pause: a node may answer here and refuse all else.
                due = trio.current_time() + self._until_probe(node)
                await trio.sleep(pause_s)
                with trio.move_on_at(due):
                    await node.lost.wait()
            node.lost = trio.Event()

    def _until_probe(self, node: BeaconNode) -> float:
        """A slot, and less while little is known of the clock's error."""
        least_s = EAGER_PAUSE_S if node.clock_error.is_wanted else self._fleet.slot_s
        way_ms = round(node.health.latency_ms)
        now_ms = self._fleet.now_ms()
        return node.clock_error.wait_ms(now_ms, round(least_s * _MS), way_ms) / _MS

    async def _look_at(self, node: BeaconNode) -> NodeState:
        try:
            if not node.is_attached and not await self._attach(node):
                return NodeState.WRONG_CHAIN
            sent_ms = self._fleet.now_ms()
            found = await node.syncing()
            if node.told_ms is not None:
                received_ms = self._fleet.now_ms()
                node.clock_error.note_answer(
                    sent_ms=sent_ms, received_ms=received_ms, date_ms=node.told_ms
                )
        except NodeTrouble as problem:  # the node keeps the text for its status
            is_gone = problem.trouble in (Trouble.DOWN, Trouble.LATE)
            return NodeState.UNREACHABLE if is_gone else NodeState.FAR
        return judge(
            distance=found.sync_distance,
            is_optimistic=found.is_optimistic,
            is_execution_offline=found.el_offline,
            tolerance_slots=self._fleet.tolerance_slots,
        )

    async def _attach(self, node: BeaconNode) -> bool:
        """Checks a node that is new or back, and tells it what it must know; whether it is ours."""
        chain, fleet = await node.chain(), self._fleet
        ours = Account(fleet.chain, fleet.deposit_contract)
        theirs = Account(chain, node.deposit_contract)
        if wrong := mismatch(ours, theirs, epoch=fleet.epoch_of(fleet.slot_now())):
            node.last_trouble = f"beacon node {node.name} is on another chain: {wrong}"
            _log.error("%s", node.last_trouble)
            return False
        node.routes.forget()
        node.clock_error.forget()
        await node.learn_client()
        if behind := outdated(fleet.chain, chain):
            node.last_trouble = f"beacon node {node.name} ({node.client}) {behind}"
            _log.warning("%s", node.last_trouble)
        try:
            await self._telling.repeat(node)
        except NodeTrouble as problem:
            if problem.trouble in (Trouble.DOWN, Trouble.LATE):
                raise
            # A syncing node refuses; all of it is renewed every epoch.
            _log.warning("beacon node %s was not told everything: %s", node.name, problem.text)
        node.is_attached = True
        return True

    def _tell_if_stale(self) -> None:
        is_answering = self._fleet.is_any_answering
        if is_answering is not self._was_answering:
            self._was_answering = is_answering
            if not is_answering:
                _log.error("no beacon node answers any more")
            self._feed.publish(ViewChangedEvent(self._fleet.slot_now()))

    # --- events ----------------------------------------------------------------------------

    async def _listen(self, node: BeaconNode) -> None:
        pause_s = FIRST_PAUSE_S
        is_known = False
        while True:
            is_known = is_known or node.is_attached
            is_ours = is_known and node.health.state is not NodeState.WRONG_CHAIN
            if is_ours:
                began = trio.current_time()
                silence_s = SILENT_SLOTS * self._fleet.slot_s
                try:
                    await follow(node, partial(self._hear, node), silence_s=silence_s)
                except NodeTrouble as problem:
                    _log.info("events of beacon node %s: %s", node.name, problem.text)
                    if problem.trouble is Trouble.DOWN:
                        node.lose()  # a restart may be over before the next probe
                if trio.current_time() - began > LONGEST_PAUSE_S:
                    pause_s = FIRST_PAUSE_S
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S) if is_ours else FIRST_PAUSE_S

    def _hear(self, node: BeaconNode, event: BeaconEvent) -> None:
        if isinstance(event, HeadEvent | BlockSeenEvent):
            self._heads.note(event.block_root, event.slot)
        if isinstance(event, HeadEvent):
            node.head_slot = event.slot
            into_slot_ms = self._fleet.now_ms() - self._fleet.chain.slot_start(event.slot) * _MS
            node.clock_error.note_head(into_slot_ms=into_slot_ms)
        self._feed.hear(node.name, event)

    # --- checkpoints -----------------------------------------------------------------------

    async def _watch(self, events: trio.MemoryReceiveChannel[BeaconEvent]) -> None:
        """Asks for attestation data whenever the epoch's checkpoints are unknown or in doubt."""
        while True:
            slot = self._fleet.slot_now()
            is_known = slot < 0 or self._checkpoints.knows(self._fleet.epoch_of(slot))
            if not is_known:
                is_known = await self._refresh(slot)
            wait_s = self._fleet.seconds_until(slot + 1) if is_known else VIEW_PAUSE_S
            with trio.move_on_after(wait_s):
                while not self._raises_doubt(await events.receive()):
                    pass
                await self._refresh(self._fleet.slot_now())

    def _raises_doubt(self, event: BeaconEvent) -> bool:
        if isinstance(event, ReorgEvent):
            return True
        if not isinstance(event, HeadEvent):
            return False
        before = self._dependents
        self._dependents = (
            event.previous_duty_dependent_root,
            event.current_duty_dependent_root,
        )
        return event.epoch_transition or self._dependents != before

    async def _refresh(self, slot: Slot) -> bool:
        with trio.move_on_after(REFRESH_LIMIT_S):
            return not isinstance(await self._voting.vote(slot), Unavailable)
        return False
