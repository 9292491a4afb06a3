"""The messages that a node writes, not yet signed.

Pure. Peers compare these byte for byte after signing, so order and contents of justifications are
part of the protocol: messages in arrival order, without their full data.

Source: docs/protocol.md, "Start", "Effects".
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from operator_node.qbft.tallies import has_quorum
from operator_node.qbft.types import Broadcast, State
from operator_node.wire.codec import encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Received,
    SignedMessage,
)

_NO_ROOT: Final = bytes(32)
"""Root of a round change without a prepared value."""


def proposal(
    identifier: bytes,
    height: int,
    round_: int,
    value: bytes,
    *,
    round_changes: Sequence[Received] = (),
    prepares: tuple[bytes, ...] = (),
) -> Broadcast:
    """The leader's proposal.

    Args:
        identifier: of the instance.
        height: of the instance.
        round_: that the leader leads.
        value: to decide on.
        round_changes: why the round exists; none in round 1.
        prepares: why this value, as encoded in a round change; none if nothing is prepared.
    """
    body = ConsensusMessage(
        kind=ConsensusKind.PROPOSAL,
        height=height,
        round=round_,
        identifier=identifier,
        root=sha256(value).digest(),
        round_change_justification=encoded(round_changes),
        prepare_justification=prepares,
    )
    return Broadcast(body, value)


def prepare(identifier: bytes, height: int, round_: int, root: bytes) -> Broadcast:
    """The vote that the proposal of a round is fine."""
    return Broadcast(
        ConsensusMessage(ConsensusKind.PREPARE, height, round_, identifier, root),
    )


def commit(identifier: bytes, height: int, round_: int, root: bytes) -> Broadcast:
    """The vote that a quorum has prepared."""
    return Broadcast(
        ConsensusMessage(ConsensusKind.COMMIT, height, round_, identifier, root),
    )


def round_change(identifier: bytes, state: State, round_: int, committee: Committee) -> Broadcast:
    """The wish to go on to a round, with what is prepared and the prepares that prove it.

    The proof is left out when the stored prepares fall short of a quorum. Others will refuse such a
    message, as they should: it claims something that cannot be shown.
    """
    full_data = state.prepared_value if state.prepared_round else b""
    root = sha256(full_data).digest() if state.prepared_round else _NO_ROOT
    body = ConsensusMessage(
        kind=ConsensusKind.ROUND_CHANGE,
        height=state.height,
        round=round_,
        identifier=identifier,
        root=root,
        data_round=state.prepared_round,
        round_change_justification=_proof_of_prepared(state, root, committee),
    )
    return Broadcast(body, full_data)


def encoded(messages: Sequence[Received]) -> tuple[bytes, ...]:
    """The messages as a justification holds them."""
    return tuple(encode_signed(without_data(message.signed)) for message in messages)


def without_data(signed: SignedMessage) -> SignedMessage:
    """The message with its full data left out, which no signature covers."""
    if not signed.full_data:
        return signed
    return SignedMessage(signed.signatures, signed.signers, signed.message)


def _proof_of_prepared(state: State, root: bytes, committee: Committee) -> tuple[bytes, ...]:
    if state.adopted_proof or not state.prepared_round:
        return state.adopted_proof
    stored = state.prepares.get(state.prepared_round, ())
    prepares = [prepare for prepare in stored if prepare.body.root == root]
    return encoded(prepares) if has_quorum(prepares, committee) else ()
