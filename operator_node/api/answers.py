"""What the HTTP API answers, as plain JSON values, and the same for people.

Pure. Integers that fit a JSON number stay numbers; bytes are hex with 0x, except in the routes that
other nodes of the network have (`/v1/validators`), whose shapes are theirs.

Source: docs/node-api.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operator_node.api.status import Part, Severity, Status
from operator_node.beacon.types import NodeStatus as BeaconStatus
from operator_node.duties.reasons import Reason
from operator_node.engine.records import DutyRecord
from sdk.types import Address, OperatorId, PublicKey

_STATUS_WIDTH: Final = 14


@dataclass(frozen=True, slots=True)
class OwnValidator:
    """A validator of which this operator holds a share.

    Attributes:
        index: None as long as the beacon chain does not know it.
        status: in the Beacon API's words, empty while unknown.
        held: whether the doppelganger watch keeps it from being signed for.
    """

    public_key: PublicKey
    index: int | None
    status: str
    activation_epoch: int | None
    exit_epoch: int | None
    owner: Address
    committee: tuple[OperatorId, ...]
    liquidated: bool
    held: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """A connected peer; `operator` is known once its address record was verified."""

    id: str
    addresses: tuple[str, ...]
    operator: OperatorId | None
    score: float
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """This node on the peer-to-peer network; `subnets` are those it listens to."""

    peer_id: str
    addresses: tuple[str, ...]
    operator: OperatorId | None
    subnets: frozenset[int]


def subnets_hex(subnets: Iterable[int]) -> str:
    """32 hex digits; bit i of byte i / 8 counts from the least significant."""
    bits = bytearray(16)
    for subnet in subnets:
        bits[subnet // 8] |= 1 << subnet % 8
    return bits.hex()


def identity(own: Identity, version: str) -> dict[str, Any]:
    """`/v1/node/identity`."""
    return {
        "peer_id": own.peer_id,
        "addresses": list(own.addresses),
        "subnets": subnets_hex(own.subnets),
        "version": version,
        "operator": own.operator,
    }


def peers(connected: Sequence[Peer]) -> list[dict[str, Any]]:
    """`/v1/node/peers`."""
    return [
        {
            "id": peer.id,
            "addresses": list(peer.addresses),
            "connectedness": "Connected",
            "operator": peer.operator,
            "score": round(peer.score, 3),
            "topics": len(peer.topics),
        }
        for peer in connected
    ]


def topics(connected: Sequence[Peer]) -> dict[str, Any]:
    """`/v1/node/topics`."""
    by_topic: dict[str, list[str]] = {}
    for peer in connected:
        for topic in peer.topics:
            by_topic.setdefault(topic, []).append(peer.id)
    return {
        "all_peers": [peer.id for peer in connected],
        "peers_by_topic": [
            {"topic": topic, "peers": ids} for topic, ids in sorted(by_topic.items())
        ],
    }


def health(status: Status, *, peers: int, addresses: Sequence[str]) -> dict[str, Any]:
    """`/v1/node/health`: each part "good" or "bad: why"."""
    parts = {part.name: part for part in status.parts}

    def told(name: str) -> str:
        part = parts[name]
        return "good" if part.severity is Severity.GOOD else f"bad: {part.problem}"

    return {
        "p2p": told("p2p"),
        "beacon_node": told("beacon_node"),
        "execution_node": told("registry"),
        "event_syncer": told("registry"),
        "advanced": {"peers": peers, "p2p_listen_addresses": list(addresses)},
    }


def validators(own: Iterable[OwnValidator]) -> dict[str, Any]:
    """`/v1/validators`: hex without prefix, as existing tools expect it."""
    return {
        "data": [
            {
                "public_key": each.public_key.hex(),
                "index": each.index,
                "status": each.status,
                "activation_epoch": each.activation_epoch,
                "exit_epoch": each.exit_epoch,
                "owner": each.owner.hex(),
                "committee": list(each.committee),
                "quorum": len(each.committee) - (len(each.committee) - 1) // 3,
                "partial_quorum": (len(each.committee) - 1) // 3 + 1,
                "graffiti": "",
                "liquidated": each.liquidated,
                "held": each.held,
            }
            for each in own
        ]
    }


def status(now: Status, *, version: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """`/v2/status`."""
    return {
        "state": now.state.value,
        "version": version,
        **facts,
        "parts": [_part(part) for part in now.parts],
    }


def _part(part: Part) -> dict[str, str]:
    return {
        "name": part.name,
        "severity": part.severity.value,
        "problem": part.problem,
        "effect": part.effect,
        "advice": part.advice,
    }


def status_text(now: Status) -> str:
    """For people: the state, every part, and what to do about those that are not good."""
    lines = [f"state: {now.state.value}"]
    for part in now.parts:
        word = part.severity.value.replace("_", " ")
        lines.append(f"{part.name:<{_STATUS_WIDTH}} {word}")
        if part.severity is not Severity.GOOD:
            lines += [f"  {part.problem}", f"  {part.effect}", f"  -> {part.advice}"]
    return "\n".join(lines) + "\n"


def beacon_nodes(nodes: Sequence[BeaconStatus]) -> list[dict[str, Any]]:
    """`/v2/beacon-nodes`, in the configured order."""
    return [
        {
            "name": node.name,
            "client": node.client,
            "state": node.state.value,
            "head_slot": node.head_slot,
            "latency_ms": node.latency_ms,
            "last_trouble": node.last_trouble,
        }
        for node in nodes
    ]


def duty(record: DutyRecord) -> dict[str, Any]:
    """One duty of `/v2/duties`; times are milliseconds into the slot."""
    reason = record.reason
    return {
        "id": record.id,
        "role": record.role.name.lower(),
        "slot": record.slot,
        "committee": list(record.committee),
        "validators": list(record.validators),
        "outcome": record.outcome.value,
        "reason": None if reason is None else reason.word,
        "whose": None if reason is None else reason.whose.value,
        "detail": plain(record.detail),
        "submitted": list(record.submitted),
        "started_ms": record.started_ms,
        "steps": [{"step": step.value, "ms": at_ms} for step, at_ms in record.steps],
        "round": record.round,
        "leader": record.leader,
        "sent": record.sent,
        "heard": [
            {
                "operator": heard.operator,
                "messages": heard.messages,
                "first_ms": heard.first_ms,
                "last_ms": heard.last_ms,
            }
            for heard in record.heard
        ],
    }


def duty_text(record: DutyRecord) -> str:
    """For people: what happened in a duty, why, and what to do."""
    validators = ", ".join(map(str, record.validators))
    lines = [
        f"{record.id}: {record.outcome.value}",
        f"  committee  {', '.join(map(str, record.committee))}",
        f"  validators {validators}",
        f"  started    {record.started_ms} ms into slot {record.slot}",
    ]
    lines += [f"  {step.value:<10} {at_ms} ms" for step, at_ms in record.steps]
    if record.round:
        lines.append(f"  round      {record.round}, led by operator {record.leader}")
    lines += [
        f"  operator {heard.operator}: {heard.messages} messages, "
        f"{heard.first_ms} to {heard.last_ms} ms"
        for heard in record.heard
    ]
    return "\n".join([*lines, *_explanation(record.reason, record.detail)]) + "\n"


def _explanation(reason: Reason | None, detail: Mapping[str, object]) -> list[str]:
    if reason is None:
        return ["  It still runs."]
    facts = ", ".join(f"{name} {value}" for name, value in plain(detail).items())
    return [
        f"  reason     {reason.word}, {reason.whose.value} doing"
        + (f" ({facts})" if facts else ""),
        f"  {reason.cause}",
        f"  -> {reason.advice}",
    ]


def plain(value: object) -> Any:
    """JSON of a duty's facts: tuples, sets, bytes and enumerations as lists and text."""
    match value:
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case bool() | int() | float() | str() | None:
            return value
        case bytes():
            return f"0x{value.hex()}"
        case set() | frozenset():
            return sorted(plain(each) for each in value)
        case Iterable():
            return [plain(each) for each in value]
        case _:
            return str(value)
