"""A session of a cluster, and what it says at its end."""

from __future__ import annotations

from operator_node.duties.reasons import Reason
from operator_node.session import Session
from operator_node.wire.codec import decode_consensus
from operator_node.wire.messages import (
    ConsensusKind,
    EnvelopeKind,
    SignedMessage,
)
from tests.unit.operator_node.session.operators import (
    Cluster,
    Operator,
)

PARTS = [(17, b"\x01" * 32)]


def kind_of(signed: SignedMessage) -> ConsensusKind | None:
    if signed.message.kind != EnvelopeKind.CONSENSUS:
        return None
    return ConsensusKind(decode_consensus(signed.message.data).kind)


def session_of(operator: Operator) -> Session:
    (session,) = operator.sessions.sessions()
    return session


def reasons(cluster: Cluster) -> list[Reason]:
    for operator in cluster.operators.values():
        session = session_of(operator)
        operator.carry_out(session, session.expire())
    return [operator.outcomes[0].reason for operator in cluster.operators.values()]
