"""What state the node is in, part by part: the words of the status page, readiness and metrics.

Pure: a `Snapshot` of facts in, parts and one state out. A part says what is wrong, what that costs
and what to do, so that an operator who has never read the code can act on it.

Source: docs/run-a-node.md, "States".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from operator_node.api.snapshot import Part, Severity, Snapshot
from operator_node.beacon.types import NodeState as BeaconState
from operator_node.beacon.types import NodeStatus as BeaconStatus

__all__ = ["NodeState", "Part", "Severity", "Snapshot", "Status", "status_of"]

CLOCK_SHOWN_MS: Final = 50
"""Peers grant each other this much."""
CLOCK_DEGRADED_MS: Final = 200
_CLOCK: Final = "clock"
_WATCHES: Final = frozenset({"doppelganger", "twin"})
"""Parts that keep a node from being ready for a while, by design."""
REGISTRY_STALE_S: Final = 300
"""A registry that has not moved for this long is behind; duties go on with what is known."""


class NodeState(StrEnum):
    """The node in one word."""

    STARTING = "starting"
    SYNCING_REGISTRY = "syncing_registry"
    WAITING_OPERATOR = "waiting_operator"
    GUARDING = "guarding"
    READY = "ready"
    DEGRADED = "degraded"
    FENCED = "fenced"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Status:
    """The node's state and the parts that it follows from."""

    state: NodeState
    parts: tuple[Part, ...]

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of parts that keep duties from being done."""
        return tuple(part.name for part in self.parts if part.severity is Severity.BAD)


def status_of(facts: Snapshot) -> Status:
    """The state, and every part in a fixed order."""
    parts = (
        _beacon_node(facts.beacons),
        _registry(facts),
        _operator(facts),
        _signer(facts),
        _p2p(facts),
        _twin(facts),
        *_lease(facts),
        *_slashing(facts),
        *_orders(facts),
        _doppelganger(facts),
        _clock(facts),
    )
    return Status(_state(facts, parts), parts)


def _state(facts: Snapshot, parts: Sequence[Part]) -> NodeState:
    if facts.fenced_by:
        return NodeState.FENCED
    if facts.is_stopping:
        return NodeState.STOPPING
    if not facts.is_started:
        return NodeState.STARTING
    if not facts.registry_complete:
        return NodeState.SYNCING_REGISTRY
    if facts.operator is None:
        return NodeState.WAITING_OPERATOR
    if not facts.is_working:
        return NodeState.STARTING
    if any(_impairs(part) for part in parts):
        return NodeState.DEGRADED
    return NodeState.GUARDING if facts.held or facts.is_listening else NodeState.READY


def _impairs(part: Part) -> bool:
    """A clock that is off by little is shown, and one that nobody measured yet is no fault."""
    if part.name == _CLOCK:
        return part.severity is Severity.BAD
    return part.severity is not Severity.GOOD and part.name not in _WATCHES


def _not_started(name: str, facts: Snapshot) -> Part:
    if facts.is_started:
        waits_for = "it waits until the registry tells which operator this is"
    else:
        waits_for = "it waits for the first answer of a beacon node"
    return Part(
        name,
        Severity.NOT_STARTED,
        waits_for,
        "No duty is begun yet.",
        "Wait, and look after the parts that are bad.",
    )


def _beacon_node(beacons: Sequence[BeaconStatus]) -> Part:
    name = "beacon_node"
    usable = [each for each in beacons if each.state in (BeaconState.SYNCED, BeaconState.LAGGING)]
    told = ", ".join(f"{each.name} is {each.state}" for each in beacons if each not in usable)
    if not usable:
        return Part(
            name,
            Severity.BAD,
            told or "no beacon node has answered yet",
            "No own data for any duty; this operator helps with what the others propose.",
            "Check that the beacon nodes run, are synced and are on the configured chain.",
        )
    if told:
        return Part(
            name,
            Severity.IMPAIRED,
            told,
            "Duties go on with the other beacon nodes.",
            "Look after the named beacon node; without it there is less to fall back on.",
        )
    return Part(name, Severity.GOOD)


def _registry(facts: Snapshot) -> Part:
    name = "registry"
    if not facts.is_started:
        return _not_started(name, facts)
    age_s = facts.registry_age_s
    if age_s is not None and age_s <= REGISTRY_STALE_S:
        return _proof(name, facts.registry_problem)
    heard = "was not heard of yet" if age_s is None else f"was last heard of {age_s:.0f} s ago"
    return Part(
        name,
        Severity.IMPAIRED,
        "; ".join(filter(None, (f"the registry's chain {heard}", facts.registry_problem))),
        "Known validators keep their duties; new ones and exits are not seen.",
        "Check the execution node.",
    )


def _proof(name: str, problem: str) -> Part:
    if not problem:
        return Part(name, Severity.GOOD)
    return Part(
        name,
        Severity.IMPAIRED,
        problem,
        "Duties go on. What contradicts a proof is not taken; exits wait for theirs.",
        "Check the named execution node, or name another one; `/v2/registry` tells more.",
    )


def _operator(facts: Snapshot) -> Part:
    name = "operator"
    if facts.operator is not None:
        return Part(name, Severity.GOOD)
    if not facts.is_started:
        return _not_started(name, facts)
    if not facts.registry_complete:
        return Part(
            name,
            Severity.NOT_STARTED,
            "the operator key is not found in the registry's events so far",
            "There are no validators to work for yet.",
            "Wait until the registry's events are read.",
        )
    return Part(
        name,
        Severity.BAD,
        "the operator key is not registered",
        "There are no validators to work for.",
        "Register the public key, `phalanx operators register`; this node picks it up by itself.",
    )


def _p2p(facts: Snapshot) -> Part:
    name = "p2p"
    if not facts.is_working:
        return _not_started(name, facts)
    missing = sorted(facts.co_operators - facts.connected)
    if facts.co_operators and not facts.connected:
        return Part(
            name,
            Severity.BAD,
            f"no co-operator is connected; {facts.peers} peers",
            "No committee can be reached directly.",
            "Check that the TCP port is open from outside, and name a bootstrap peer.",
        )
    if missing:
        names = ", ".join(map(str, missing))
        return Part(
            name,
            Severity.IMPAIRED,
            f"operators {names} are not connected",
            "Committees go on as long as a quorum is.",
            "Ask these operators whether they are online; see `phalanx node status`.",
        )
    return Part(name, Severity.GOOD)


def _twin(facts: Snapshot) -> Part:
    name = "twin"
    if facts.twin:
        return Part(
            name,
            Severity.BAD,
            facts.twin,
            "This node signs nothing, and begins no duty.",
            "Find and stop the other instance, or this one; then start this node again.",
        )
    if not facts.is_working:
        return _not_started(name, facts)
    if facts.is_listening:
        return Part(
            name,
            Severity.IMPAIRED,
            "this node has just started and listens for another instance of its operator",
            "No duty is begun yet.",
            "Wait: it lasts two slots with duties, an epoch at most, unless configured otherwise.",
        )
    return Part(name, Severity.GOOD)


def _lease(facts: Snapshot) -> tuple[Part, ...]:
    """No part where no lease is configured."""
    name = "lease"
    if facts.lease is None:
        return ()
    if not facts.lease:
        return (Part(name, Severity.GOOD),)
    return (
        Part(
            name,
            Severity.BAD,
            facts.lease,
            "This instance signs nothing; whichever has the lease does.",
            "Nothing, if this is the one that stands by; else stop the other, or check the disk.",
        ),
    )


def _orders(facts: Snapshot) -> tuple[Part, ...]:
    """No part where nothing was ordered."""
    if not facts.orders:
        return ()
    return (
        Part(
            "orders",
            Severity.BAD,
            facts.orders,
            "Duties are not done here.",
            "If they are wanted: `phalanx node resume` after a drain; after a fence start it anew.",
        ),
    )


def _slashing(facts: Snapshot) -> tuple[Part, ...]:
    """No part where nobody was slashed."""
    if not facts.slashed:
        return ()
    return (
        Part(
            "slashing",
            Severity.BAD,
            facts.slashed_stop or f"{facts.slashed} own validators were slashed",
            "Nothing is signed at all." if facts.slashed_stop else "Nothing is signed for them.",
            "Find out who signed twice, and with which key; then go on with "
            "`phalanx node acknowledge-slashings`.",
        ),
    )


def _signer(facts: Snapshot) -> Part:
    name = "signer"
    if not facts.signer_problem:
        return Part(name, Severity.GOOD) if facts.is_started else _not_started(name, facts)
    return Part(
        name,
        Severity.BAD,
        f"the signing process does not sign: {facts.signer_problem}",
        "Nothing is signed: no duty is done.",
        "It is started again by itself; if this stays, read the log for why it ends.",
    )


def _doppelganger(facts: Snapshot) -> Part:
    name = "doppelganger"
    if not facts.is_started:
        return _not_started(name, facts)
    if not facts.held:
        return Part(name, Severity.GOOD)
    return Part(
        name,
        Severity.IMPAIRED,
        f"{facts.held} of {facts.validators} validators are watched for another user of their key",
        "They are not signed for yet.",
        "Wait two epochs; make sure that the keys run nowhere else.",
    )


def _clock(facts: Snapshot) -> Part:
    name = _CLOCK
    if not facts.is_started:
        return _not_started(name, facts)
    error_ms = facts.clock_error_ms
    if error_ms is None:
        return Part(
            name,
            Severity.NOT_STARTED,
            "the clock was not compared with a beacon node's yet",
            "None; a wrong clock would not be noticed.",
            "Wait some seconds; if it stays, the beacon nodes do not date their answers.",
        )
    if abs(error_ms) <= CLOCK_SHOWN_MS:
        return Part(name, Severity.GOOD)
    severity = Severity.IMPAIRED if abs(error_ms) <= CLOCK_DEGRADED_MS else Severity.BAD
    way = "ahead of" if error_ms > 0 else "behind"
    return Part(
        name,
        severity,
        f"this clock is about {abs(error_ms)} ms {way} the beacon nodes'",
        "Peers ignore messages that come more than 50 ms before their slot.",
        "Run a time daemon such as chrony.",
    )
