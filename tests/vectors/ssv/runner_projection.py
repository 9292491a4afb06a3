"""A runner's state in a case's dump and our session, both reduced to what the protocol knows of."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.committee import VoteDuty
from operator_node.duties.one_phase import OnePhaseDuty
from operator_node.duties.partials import Partials
from operator_node.duties.two_phases import TwoPhaseDuty
from operator_node.duties.types import Duty
from operator_node.session import Session
from operator_node.wire.messages import PartialSignatures
from tests.vectors.ssv.own_values import as_pretended
from tests.vectors.ssv.qbft_projection import Projection, project, project_ours
from tests.vectors.ssv.reading import hexed, raw, rows

Container: TypeAlias = dict[tuple[int, str, int], str]
"""(validator index, root, signer) → signature."""


def project_runner(base: dict[str, Any]) -> Projection:
    """What a dumped runner (`BaseRunner`) says."""
    state, controller = base["State"], base["QBFTController"]
    height = controller["Height"] if controller else 0
    return {"height": height, "state": None if state is None else project_state(state)}


def project_state(state: dict[str, Any]) -> Projection:
    """What a dumped runner's `State` says."""
    instance = state["RunningInstance"]
    return {
        "finished": state["Finished"],
        "decided_value": raw(state["DecidedValue"]).hex(),
        "pre": container(state["PreConsensusContainer"]),
        "post": container(state["PostConsensusContainer"]),
        "instance": None if instance is None else project(instance),
        "own_value": raw(instance.get("StartValue")).hex() if instance else "",
    }


def project_session(session: Session | None, like: Projection) -> Projection:
    """What our session, or none, says in the same words.

    A few dumps call another height than the duty's slot the running one; then ours is that of
    `like`, the dump's projection.
    """
    consensus = session.consensus if session else None
    height = consensus.heights.height if consensus else 0
    running = (like["state"] or {}).get("instance")
    return {"height": height, "state": _state(session, running and running["height"])}


def container(dump: dict[str, Any]) -> Container:
    """A dumped container of partial signatures."""
    return {
        (int(validator), root, int(signer)): raw(signature).hex()
        for validator, by_root in (dump["Signatures"] or {}).items()
        for root, by_signer in by_root.items()
        for signer, signature in by_signer.items()
    }


def stores_of(duty: Duty) -> tuple[Partials | None, Partials | None]:
    """Where a duty keeps partial signatures before and after consensus."""
    match duty:
        case VoteDuty():
            return None, duty.phase.partials
        case AggregationDuty():
            return duty.first.partials, duty.second.partials
        case TwoPhaseDuty():
            return duty.first.partials, duty.second.partials if duty.second else None
        case OnePhaseDuty():
            return duty.phase.partials, None
    raise AssertionError(f"no projection of {duty}")


def project_output(dump: dict[str, Any]) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    """An expected own message: kind, slot, and how often each root is in it."""
    counted = Counter(hexed(each["SigningRoot"]).hex() for each in rows(dump["Messages"]))
    return int(dump["Type"]), int(dump["Slot"]), tuple(sorted(counted.items()))


def project_sent(body: PartialSignatures) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    """An own message, in the same words."""
    counted = Counter(item.root.hex() for item in body.items)
    return body.kind, body.slot, tuple(sorted(counted.items()))


def _state(session: Session | None, running: int | None) -> Projection | None:
    if session is None or not session.has_begun:
        return None
    duty, consensus = session.duty, session.consensus
    height = duty.slot if running is None else running
    state = consensus.state_at(height) if consensus else None
    before, after = stores_of(duty)
    own_value = state.start_value if state else None
    return {
        "finished": duty.finished,
        "decided_value": duty.decided_value.hex(),
        "pre": _stored(before),
        "post": _stored(after),
        "instance": None if state is None else project_ours(state),
        "own_value": as_pretended(own_value, duty.role).hex() if own_value else "",
    }


def _stored(partials: Partials | None) -> Container:
    return {
        (item.validator_index, item.root.hex(), item.signer): item.signature.hex()
        for item in (partials.stored() if partials else ())
    }
