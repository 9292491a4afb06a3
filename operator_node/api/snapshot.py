"""The facts that a node's state follows from, and the parts that it is told in.

Pure values. What they come to is worked out in `status`.

Source: docs/run-a-node.md, "States".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from operator_node.beacon.types import NodeStatus as BeaconStatus
from sdk.types import OperatorId


class Severity(StrEnum):
    """How bad a part is."""

    GOOD = "good"
    NOT_STARTED = "not_started"
    """Waits for something else; nothing can be said of it."""
    IMPAIRED = "impaired"
    """Worth a look; all duties are done."""
    BAD = "bad"
    """Some duties cannot be done."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the node; texts are empty while it is good."""

    name: str
    severity: Severity
    problem: str = ""
    effect: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts that the state follows from.

    Attributes:
        is_started: configuration, keys and storage are open.
        is_working: what duties need is made, network and scheduler among it.
        is_stopping: no new duties are begun.
        fenced_by: why this instance must not sign, whatever the cause; empty if it may.
        orders: what its operator told this node not to do; empty if nothing.
        twin: what proved that another instance is at work; empty if nothing did.
        slashed: own validators whose slashing nobody has acknowledged.
        slashed_stop: why that stops all signing; empty if it does not.
        lease: why this instance does not have the lease; empty if it does, None without a lease.
        signer_problem: why the signing process signs nothing at present; empty if it does.
        is_listening: no duty is begun yet, in case another instance is at work.
        registry_complete: the first pass over the contract's events is done.
        registry_block: last block applied, None before the first.
        registry_problem: what of it is not proven or not as it should be; empty if all is well.
        registry_age_s: since the registry's chain was last heard of, None if never.
        operator: the own id, None as long as the key is not registered.
        beacons: one per configured beacon node.
        peers: connected.
        co_operators: that committees are shared with.
        connected: those of them that are connected.
        validators: that this operator has an active share of.
        held: of these, not signed for yet because of the doppelganger watch.
        clock_error_ms: estimate, positive if this clock is ahead; None while unknown.
    """

    is_started: bool
    is_working: bool
    is_stopping: bool
    fenced_by: str
    is_listening: bool
    registry_complete: bool
    registry_block: int | None
    registry_age_s: float | None
    operator: OperatorId | None
    beacons: tuple[BeaconStatus, ...]
    peers: int
    co_operators: frozenset[OperatorId]
    connected: frozenset[OperatorId]
    validators: int
    held: int
    clock_error_ms: int | None
    signer_problem: str = ""
    registry_problem: str = ""
    orders: str = ""
    twin: str = ""
    slashed: int = 0
    slashed_stop: str = ""
    lease: str | None = None
