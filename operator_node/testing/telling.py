"""Messages, refusals and outcomes in words, for transcripts."""

from __future__ import annotations

import re

from operator_node.duties.types import DutyOutcome
from operator_node.testing.transcript import ROOT_DIGITS, short
from operator_node.wire.codec import decode_consensus, decode_partials
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole, role_of
from operator_node.wire.messages import (
    ConsensusKind,
    Envelope,
    EnvelopeKind,
    PartialKind,
)

_LEFT_OVER = frozenset(
    {Fault.ALREADY_DECIDED, Fault.CONSENSUS_FINISHED, Fault.NO_RUNNING_DUTY, Fault.INSTANCE_STOPPED}
)
"""The rest of a quorum comes when all is done, in every duty."""
_ROOT = re.compile(r"\b[0-9a-f]{64}\b")
_VERBS = {
    ConsensusKind.PROPOSAL: "proposes",
    ConsensusKind.PREPARE: "prepares",
    ConsensusKind.COMMIT: "commits",
    ConsensusKind.ROUND_CHANGE: "asks for round",
}


def tell_envelope(envelope: Envelope) -> str:
    """What an operator says in its own message."""
    role = RunnerRole(role_of(envelope.id)).name.lower()
    if envelope.kind == EnvelopeKind.PARTIAL_SIGNATURES:
        body = decode_partials(envelope.data, Generation.BOOLE)
        roots = " ".join(f"{item.validator_index}:{short(item.root)}" for item in body.items)
        kind = PartialKind(body.kind).name.lower()
        return f"signs {kind} of {role} {body.slot}: {roots}"
    consensus = decode_consensus(envelope.data)
    verb = _VERBS[ConsensusKind(consensus.kind)]
    place = f"{role} {consensus.height}"
    if consensus.kind == ConsensusKind.ROUND_CHANGE:
        prepared = (
            f", prepared {short(consensus.root)} in round {consensus.data_round}"
            if consensus.data_round
            else ""
        )
        return f"{verb} {consensus.round} of {place}{prepared}"
    proof = len(consensus.round_change_justification)
    because = f", with {proof} round changes" if proof else ""
    return f"{verb} {short(consensus.root)} in round {consensus.round} of {place}{because}"


def tell_complaint(complaint: Complain) -> str:
    """Why a session refused something; nothing for what comes too late to matter."""
    if complaint.fault in _LEFT_OVER:
        return ""
    blamed = f" (op{complaint.blame})" if complaint.blame is not None else ""
    detail = _ROOT.sub(lambda root: root[0][:ROOT_DIGITS], complaint.detail)
    return f"refuses: {complaint.fault.name.lower()}{blamed}: {detail}"


def tell_outcome(outcome: DutyOutcome) -> str:
    """How a duty ended."""
    detail = f" {dict(outcome.detail)}" if outcome.detail else ""
    return f"ends {outcome.id}: {outcome.reason}{detail}"
