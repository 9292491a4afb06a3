"""What the running node says of itself: facts for its state, answers for the API, numbers.

It reads the parts as far as they have come to life, and changes nothing.

Source: docs/node-api.md; docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio

from operator_node.api import (
    Absence,
    DutyQuery,
    Identity,
    Known,
    Metrics,
    OwnValidator,
    Peer,
    Snapshot,
    Sources,
    Status,
    absence_of,
    status_of,
)
from operator_node.beacon import BeaconPool, NodeState, NodeStatus
from operator_node.clock import wall_ms
from operator_node.engine import DutyRecord, Ending, Filter
from operator_node.node.control import FENCED, Control
from operator_node.node.drain import WHY
from operator_node.node.fences import Cause
from operator_node.node.learners import Learners
from operator_node.node.parts import Base, Private, Working
from operator_node.wire.ids import SUBNETS
from sdk.types import PublicKey


@dataclass(slots=True)
class Life:
    """The parts that there are by now, and what the node is about to do."""

    pool: BeaconPool
    metrics: Metrics
    version: str
    private: Private | None = None
    control: Control | None = None
    base: Base | None = None
    working: Working | None = None
    scheduling: trio.CancelScope | None = None
    is_stopping: bool = False
    started_ms: int = field(default_factory=wall_ms)

    def snapshot(self) -> Snapshot:
        """The facts that the state follows from."""
        base, working = self.base, self.working
        registry = None if base is None else base.registry.status()
        tip = None if registry is None else registry.tip
        held: frozenset[PublicKey] = frozenset()
        if base is not None and base.doppelganger is not None:
            held = base.doppelganger.watched()
        own = {} if base is None else base.registry.own()
        active = [key for key, each in own.items() if each.active]
        others = {
            operator
            for key in active
            for operator in own[key].committee.operators
            if working is not None and operator != working.me
        }
        age_s = None
        if base is not None and registry is not None and tip is not None:
            age_s = base.clock.now_ms() / 1000 - registry.tip_time_s
        return Snapshot(
            is_started=base is not None,
            is_working=working is not None,
            is_stopping=self.is_stopping,
            fenced_by="" if base is None else base.signer.fenced_by,
            signer_problem="" if self.private is None else self.private.problem,
            twin="" if base is None else base.fences.why(Cause.TWIN),
            lease=_lease(base, working),
            slashed=0 if working is None else len(working.slashings),
            slashed_stop="" if base is None else base.fences.why(Cause.SLASHED),
            orders=_orders(base, working),
            is_listening=working is not None and bool(active) and working.silence.is_listening(),
            registry_complete=registry is not None and registry.is_complete,
            registry_block=None
            if registry is None or registry.tip is None
            else registry.tip.number,
            registry_age_s=age_s,
            registry_problem="" if registry is None else registry.problem,
            operator=None if registry is None else registry.operator_id,
            beacons=self.pool.status(),
            peers=0 if working is None else len(working.peers.peers()),
            co_operators=frozenset(others),
            connected=frozenset() if working is None else working.peers.operators_connected(),
            validators=len(active),
            held=len(held & frozenset(active)),
            clock_error_ms=self.pool.clock_error_ms,
        )

    def status(self) -> Status:
        """The node's state now."""
        return status_of(self.snapshot())

    def facts(self) -> dict[str, Any]:
        """Numbers beside the state."""
        now = self.snapshot()
        base = self.base
        return {
            "operator": now.operator,
            "slot": None if base is None else base.clock.slot(),
            "validators": now.validators,
            "held": now.held,
            "registry_block": now.registry_block,
            "peers": now.peers,
            "co_operators": sorted(now.co_operators),
            "connected": sorted(now.co_operators & now.connected),
            "alarms": {}
            if base is None
            else {f"0x{key.hex()}": why for key, why in base.registry.status().alarms.items()},
        }

    # --- answers -------------------------------------------------------------------------

    def sources(self) -> Sources:
        """Of the HTTP API."""
        return Sources(
            version=self.version,
            identity=self._identity,
            peers=self._peers,
            status=self.status,
            facts=self.facts,
            beacon_nodes=self._beacon_nodes,
            validators=self._validators,
            duties=self._duties,
            duty=self._duty,
            absence=self._absence,
            orders=lambda: self.control,
            registry=lambda: None if self.base is None else self.base.registry.status(),
        )

    def _beacon_nodes(self) -> Sequence[NodeStatus]:
        return self.pool.status()

    def _identity(self) -> Identity:
        working, base = self.working, self.base
        if working is None or base is None:
            return Identity("", (), None, frozenset())
        topics = working.engine.topics()
        generation = base.network.forks.generation_at(base.clock.slot())
        subnets = frozenset(
            subnet for subnet in range(SUBNETS) if base.network.topic(generation, subnet) in topics
        )
        peers = working.peers
        return Identity(peers.peer_id, peers.places(), working.me, subnets)

    def _peers(self) -> Sequence[Peer]:
        working = self.working
        if working is None:
            return ()
        meshes = {topic: working.peers.mesh_peers(topic) for topic in working.engine.topics()}
        return [
            Peer(
                id=each.peer,
                addresses=(),
                operator=each.operator,
                score=each.score,
                topics=tuple(sorted(topic for topic, mesh in meshes.items() if each.peer in mesh)),
            )
            for each in working.peers.peers()
        ]

    def _validators(self) -> Sequence[OwnValidator]:
        base, working = self.base, self.working
        if base is None:
            return ()
        learners = None if working is None else working.learners
        watched: frozenset[PublicKey] = frozenset()
        if base.doppelganger is not None:
            watched = base.doppelganger.watched()
        found = []
        for key, each in sorted(base.registry.own().items()):
            state = None if learners is None else _state(learners, key)
            found.append(
                OwnValidator(
                    public_key=key,
                    index=None if state is None else state.index,
                    status="" if state is None else state.status,
                    activation_epoch=None if state is None else state.activation_epoch,
                    exit_epoch=None if state is None else state.exit_epoch,
                    owner=each.owner,
                    committee=each.committee.operators,
                    liquidated=not each.active,
                    held=key in watched,
                )
            )
        return found

    async def _duties(self, query: DutyQuery) -> Sequence[DutyRecord]:
        base, working = self.base, self.working
        if base is None:
            return ()
        wanted = Filter(
            first=query.from_slot or 0,
            last=2**62 if query.to_slot is None else query.to_slot,
            validator=query.validator,
            role=query.role,
            outcome=query.outcome,
        )
        running = () if working is None else reversed(working.engine.running())
        now = [record for record in running if _matches(record, wanted)]
        if len(now) >= query.limit or query.outcome is Ending.RUNNING:
            return now[: query.limit]
        find = partial(base.history.find, wanted, limit=query.limit - len(now))
        return [*now, *await trio.to_thread.run_sync(find)]

    async def _duty(self, duty_id: str) -> DutyRecord | None:
        base, working = self.base, self.working
        if base is None:
            return None
        running = () if working is None else working.engine.running()
        for record in running:
            if record.id == duty_id:
                return record
        return await trio.to_thread.run_sync(base.history.named, duty_id)

    def _absence(self, slot: int, validator: int) -> Absence:
        base = self.base
        known = Known(
            slot=None if base is None else base.clock.slot(),
            started_slot=None if base is None else base.clock.slot_at(self.started_ms),
            slots_per_epoch=1 if base is None else base.chain.slots_per_epoch,
            is_working=self.working is not None,
            validators=tuple(self._validators()),
        )
        return absence_of(known, slot=slot, validator=validator)

    # --- numbers -------------------------------------------------------------------------

    def measure(self) -> None:
        """Brings gauges and totals up to date; once per slot."""
        metrics, now = self.metrics, self.snapshot()
        metrics.status(status_of(now))
        metrics.lease(is_held=now.lease == "")
        metrics.peers(now.peers)
        metrics.validators("active", now.validators)
        metrics.validators("held", now.held)
        for node in now.beacons:
            metrics.beacon(node.name, node.state.value, [each.value for each in NodeState])
        if now.clock_error_ms is not None:
            metrics.clock_error(now.clock_error_ms)
        if now.registry_block is not None:
            metrics.registry_at(now.registry_block)
        if self.base is not None:
            registry = self.base.registry.status()
            for what, total in registry.counts.items():
                metrics.registry(what, total)
            if registry.audit.verified is not None:
                metrics.registry_verified(registry.audit.verified)
            metrics.gaps(is_repaired=True, total=registry.gaps_repaired)
            metrics.gaps(is_repaired=False, total=registry.gaps_found)
        if self.working is not None:
            self._measure_messages(self.working)

    def _measure_messages(self, working: Working) -> None:
        metrics, counts = self.metrics, working.engine.counts
        for topic in working.engine.topics():
            metrics.topic(topic, len(working.peers.mesh_peers(topic)))
        metrics.judged("accept", "", working.intake.accepted)
        for (rule, is_blamed), total in working.intake.refused.items():
            metrics.judged("reject" if is_blamed else "ignore", rule.name.lower(), total)
        for what, total in (
            ("taken", counts.taken),
            ("dropped", counts.dropped),
            ("unsent", counts.unsent),
        ):
            metrics.messages(what, total)
        for what, total in working.peers.drops().items():
            metrics.dropped(what, total)
        metrics.twins(working.twins.found)
        metrics.faults(counts.failures + working.scheduler.crashes)


def _state(learners: Learners, key: PublicKey) -> Any:
    return learners.states.get(key)


def _orders(base: Base | None, working: Working | None) -> str:
    """What the operator told the node not to do."""
    if base is not None and base.fences.why(Cause.OPERATOR):
        return FENCED
    return WHY if working is not None and working.drain.is_on else ""


def _lease(base: Base | None, working: Working | None) -> str | None:
    if base is None or base.custody.lease_record is None:
        return None
    if working is None or working.lease is None:
        return base.fences.why(Cause.LEASE)
    return working.lease.why_not()


def _matches(record: DutyRecord, wanted: Filter) -> bool:
    return (
        wanted.first <= record.slot <= wanted.last
        and (wanted.validator is None or wanted.validator in record.validators)
        and (wanted.role is None or wanted.role is record.role)
        and (wanted.outcome is None or wanted.outcome is record.outcome)
    )
