"""Rules C5, C6 and C26 to C28: full data, the only part of a consensus message that nobody signs.

Pure. A rule returns None if it is kept, otherwise what is wrong, with the values. The root, which
is signed, tells which full data is the right one, but not that there must be some. What the value
inside means is for the value check of consensus.

Source: docs/protocol.md, "Gossip validation", Consensus.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from operator_node.validation.arrival import Arrival
from operator_node.wire.codec import MAX_FULL_DATA_BYTES
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, ConsensusMessage
from operator_node.wire.value_codec import (
    CONTRIBUTION_BYTES,
    MAX_ATTESTATION_BYTES,
    MAX_OBJECT_BYTES,
    MAX_SYNC_INDICES,
)
from sdk.types import SIGNATURE_BYTES

_PREPARE: Final = int(ConsensusKind.PREPARE)
_COMMIT: Final = int(ConsensusKind.COMMIT)
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)

VOTE_BYTES: Final = 112
"""A `BeaconVote`: a block root and two checkpoints."""
_OFFSET_BYTES: Final = 4
_DUTY_BYTES: Final = MAX_FULL_DATA_BYTES - MAX_OBJECT_BYTES
"""What a `ValidatorValue` has around its object."""
_AGGREGATE_AND_PROOF_BYTES: Final = 8 + _OFFSET_BYTES + SIGNATURE_BYTES + MAX_ATTESTATION_BYTES
_CONTRIBUTIONS_BYTES: Final = MAX_SYNC_INDICES * (
    _OFFSET_BYTES + SIGNATURE_BYTES + CONTRIBUTION_BYTES
)
MAX_VALUE_BYTES: Final[Mapping[int, int]] = {
    RunnerRole.COMMITTEE: VOTE_BYTES,
    RunnerRole.AGGREGATOR: _DUTY_BYTES + _AGGREGATE_AND_PROOF_BYTES,
    RunnerRole.SYNC_CONTRIBUTION: _DUTY_BYTES + _CONTRIBUTIONS_BYTES,
}
"""The largest value per role. Those of the other roles may fill a message: a proposer's is a block,
and the lists of an aggregator committee's have no lower bound."""


def unexpected(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Prepares and single commits name their value by its root alone."""
    if not arrival.signed.full_data:
        return None
    if body.kind == _PREPARE or (body.kind == _COMMIT and len(arrival.signed.signers) == 1):
        return f"{len(arrival.signed.full_data)} bytes of full data, kind {body.kind}"
    return None


def wrong_root(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """The root, which is signed, binds the full data, which is not."""
    full_data = arrival.signed.full_data
    if not full_data:
        return None
    root = sha256(full_data).digest()
    return None if root == body.root else f"root {body.root.hex()}, full data {root.hex()}"


def missing(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Who names a new value, or one that many agreed on, brings it.

    No signature covers full data, so anybody can strip it from a message of somebody else. The
    stripped message must not take the place of the true one, here or at a peer of ours.
    """
    if arrival.signed.full_data:
        return None
    kind = body.kind
    if kind == _PREPARE or (kind == _COMMIT and len(arrival.signed.signers) == 1):
        return None
    if kind == _ROUND_CHANGE and not body.data_round:
        return None
    return f"kind {kind}, signers {arrival.signed.signers}, data round {body.data_round}"


def idle(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """A round change that was not prepared has no value to bring."""
    if body.kind == _ROUND_CHANGE and not body.data_round and arrival.signed.full_data:
        return f"{len(arrival.signed.full_data)} bytes, prepared in no round"
    return None


def too_large(arrival: Arrival, _: ConsensusMessage) -> str | None:
    """The full data may be a value of the role."""
    size = len(arrival.signed.full_data)
    limit = MAX_VALUE_BYTES.get(arrival.role, MAX_FULL_DATA_BYTES)
    return f"{size} bytes in role {arrival.role}, limit {limit}" if size > limit else None
