"""The node's Prometheus metrics: every name with its help text, and small verbs that fill them.

Names that other nodes of the network use are kept, so that existing dashboards work; ours begin
with `node_`. Nothing is measured here, the callers say what happened. Labels come from closed
lists, except operator ids, of which only co-operators are counted.

Source: docs/metrics.md, which a test holds equal to this list.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from operator_node.api.status import NodeState, Severity, Status
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Step
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId

BUCKETS_S: Final = (
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1),
    *(0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
"""As other nodes of the network have them."""
SLOT_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10, 12, 24)
"""Offsets into a slot."""


class Described(NamedTuple):
    """A metric as docs/metrics.md lists it; `name` is the one that Prometheus shows."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class Metrics:
    """One process's metrics, in a registry of their own.

    Attributes:
        collectors: what there is, for the documentation.
    """

    def __init__(self) -> None:
        """All at zero."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # series that nobody reads
        self.collectors: list[Described] = []
        self._collected = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            self.collectors.append(Described(f"{name}_total", "counter", labels, text))
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            self.collectors.append(Described(name, "gauge", labels, text))
            return Gauge(name, text, labels, registry=registry)

        def histogram(
            name: str, text: str, *labels: str, buckets: tuple[float, ...] = BUCKETS_S
        ) -> Histogram:
            self.collectors.append(Described(name, "histogram", labels, text))
            return Histogram(name, text, labels, registry=registry, buckets=buckets)

        self._state = gauge("node_state", "1 for the state that the node is in", "state")
        self._part = gauge("node_part_health", "1 for how a part is", "part", "severity")
        self._duties = counter(
            "node_duty", "Duties that ended, by outcome and reason", "role", "outcome", "reason"
        )
        self._steps = histogram(
            "node_duty_step_offset_seconds",
            "Time into the slot at which a step of a duty was reached",
            "role",
            "step",
            buckets=SLOT_BUCKETS_S,
        )
        self._lateness = histogram(
            "node_operator_message_lateness_seconds",
            "Time into the slot at which a co-operator's first message of a duty came",
            "operator",
            buckets=SLOT_BUCKETS_S,
        )
        self._judged = counter(
            "ssv_p2p_message_validations", "Messages judged by the gossip rules", "verdict", "rule"
        )
        self._peers = gauge("ssv_p2p_peers_connected", "Peers connected")
        self._topics = gauge(
            "ssv_p2p_peers_per_topic", "Mesh peers of a topic", "ssv_p2p_topic_name"
        )
        self._beacons = gauge("node_bn_state", "1 for the state of a beacon node", "node", "state")
        self._block = gauge(
            "ssv_event_syncer_handler_last_processed_block", "Last block of the registry applied"
        )
        self._registry = counter("node_registry", "What happened to the registry", "what")
        self._verified = gauge(
            "node_registry_verified_block", "Newest block as of which the registry is proven"
        )
        self._gaps = counter(
            "node_registry_gap", "Wrong answers of execution nodes about the registry", "repaired"
        )
        self._validators = gauge(
            "ssv_validator_validators_per_status",
            "Own validators by what this node does for them",
            "ssv_validator_status",
        )
        self._messages = counter(
            "node_messages", "Messages of own duties by what became of them", "what"
        )
        self._faults = counter("node_faults", "Exceptions that ended a duty or restarted a task")
        self._twins = counter(
            "node_twin_detected", "Messages that another process signed as this operator"
        )
        self._lease = gauge("node_lease_held", "1 while this instance has the lease")
        self._mispaid = counter(
            "node_fee_recipient_mismatch",
            "Own proposals on the chain that paid none of the recipients they should have",
        )
        self._dropped = counter(
            "node_p2p_dropped", "What peers sent or asked for in vain, by what it was", "what"
        )
        self._clock_error = gauge(
            "node_clock_error_seconds",
            "How far this clock is ahead of the beacon nodes', by the estimate",
        )
        self._lag = histogram("node_loop_lag_seconds", "How late the event loop woke up")
        self._totals: dict[tuple[str, ...], int] = {}

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._collected)

    def status(self, status: Status) -> None:
        """The node's state and its parts."""
        for state in NodeState:
            self._state.labels(state).set(status.state is state)
        for part in status.parts:
            for severity in Severity:
                self._part.labels(part.name, severity).set(part.severity is severity)

    def duty_ended(self, role: RunnerRole, outcome: str, reason: Reason) -> None:
        """A duty has its outcome."""
        self._duties.labels(role.name.lower(), outcome, reason.word).inc()

    def step_reached(self, role: RunnerRole, step: Step, into_slot_ms: int) -> None:
        """A duty took a step."""
        self._steps.labels(role.name.lower(), step).observe(max(into_slot_ms, 0) / 1000)

    def heard(self, operator: OperatorId, into_slot_ms: int) -> None:
        """A co-operator's first message of a duty came."""
        self._lateness.labels(str(operator)).observe(max(into_slot_ms, 0) / 1000)

    def judged(self, verdict: str, rule: str, total: int) -> None:
        """So many messages got this verdict; `rule` is empty for accepted ones."""
        self._judged.labels(verdict, rule).inc(self._more(total, "judged", verdict, rule))

    def peers(self, connected: int) -> None:
        """How many peers are connected."""
        self._peers.set(connected)

    def topic(self, topic: str, peers: int) -> None:
        """How many mesh peers a topic has."""
        self._topics.labels(topic).set(peers)

    def beacon(self, node: str, state: str, states: Collection[str]) -> None:
        """A beacon node's state, among all that there are."""
        for each in states:
            self._beacons.labels(node, each).set(each == state)

    def registry_at(self, block: int) -> None:
        """The last block applied."""
        self._block.set(block)

    def registry_verified(self, block: int) -> None:
        """Up to where everything was compared."""
        self._verified.set(block)

    def gaps(self, *, is_repaired: bool, total: int) -> None:
        """So many gaps since the start: found, or repaired by now."""
        label = str(is_repaired).lower()
        self._gaps.labels(label).inc(self._more(total, "gaps", label))

    def registry(self, what: str, total: int) -> None:
        """So many changes, refused events, rollbacks or failures since the start."""
        self._registry.labels(what).inc(self._more(total, "registry", what))

    def validators(self, status: str, count: int) -> None:
        """How many own validators have a status."""
        self._validators.labels(status).set(count)

    def messages(self, what: str, total: int) -> None:
        """So many messages were taken, dropped or could not be sent."""
        self._messages.labels(what).inc(self._more(total, "messages", what))

    def faults(self, total: int) -> None:
        """So many exceptions were caught at an outer boundary."""
        self._faults.inc(self._more(total, "faults"))

    def twins(self, total: int) -> None:
        """So many messages that only another instance of this operator can have sent."""
        self._twins.inc(self._more(total, "twins"))

    def lease(self, *, is_held: bool) -> None:
        """Whether this instance has the lease now."""
        self._lease.set(is_held)

    def mispaid(self) -> None:
        """A proposal paid somebody else."""
        self._mispaid.inc()

    def dropped(self, what: str, total: int) -> None:
        """So much of it was dropped, cut or refused since the start."""
        self._dropped.labels(what).inc(self._more(total, "dropped", what))

    def clock_error(self, error_ms: int) -> None:
        """This clock is so far ahead; negative if it is behind."""
        self._clock_error.set(error_ms / 1000)

    def loop_lag(self, seconds: float) -> None:
        """The event loop woke up this late."""
        self._lag.observe(max(seconds, 0))

    def _more(self, total: int, *name: str) -> int:
        """What was added to a total that its owner counts."""
        before = self._totals.get(name, 0)
        self._totals[name] = total
        return max(total - before, 0)
