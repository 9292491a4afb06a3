"""What a message must be to count in an instance: the checks on arrival, apart from justifications.

Pure. A check returns if all is well and raises `ProtocolFault` for the first rule that is broken;
the order of rules is part of the protocol. Signatures are not looked at: the outer ones held before
a message got here.

Source: docs/protocol.md, "Common validation".
"""

from __future__ import annotations

from typing import Final

from operator_node.qbft.types import Setup, State
from operator_node.wire.codec import (
    MAX_PREPARE_BYTES,
    MAX_ROUND_CHANGE_BYTES,
    size_without_data,
)
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.messages import Received
from operator_node.wire.structure import check_message

PROVEN_FAULTS: Final = frozenset(
    {
        Fault.MALFORMED,
        Fault.MESSAGE_TYPE,
        Fault.ROUND_ZERO,
        Fault.NOT_THE_LEADER,
        Fault.ROUND_CHANGE_QUORUM,
        Fault.JUSTIFICATION_SIGNATURE,
        Fault.JUSTIFICATION_QUORUM,
        Fault.PREPARE_IN_JUSTIFICATION,
        Fault.PREPARE_QUORUM,
        Fault.PREPARED_ROUND_AHEAD,
        Fault.TOO_LARGE,
    }
)
"""Faults that follow from what the sender signed. Not among them: anything that depends on when a
message arrives, on this node's view of the chain, or on full data, which a relaying peer can
exchange because no signature covers it."""


def check_current(setup: Setup, state: State, received: Received) -> None:
    """Returns if the message makes sense and its round is not over.

    Raises:
        ProtocolFault: the first broken rule.
    """
    check_message(received.signed, received.body, setup.generation)
    if received.body.round < state.round:
        raise ProtocolFault(
            Fault.PAST_ROUND, f"round {received.body.round} is over, current is {state.round}"
        )


def check_proposer(setup: Setup, state: State, received: Received) -> None:
    """Returns if the proposal is from the leader of its round.

    Raises:
        ProtocolFault: the first broken rule.
    """
    _check_height(state, received)
    _check_single(received)
    _check_member(setup, received)
    leader = setup.leader(state.height, received.body.round)
    if received.signed.signers[0] != leader:
        raise ProtocolFault(
            Fault.NOT_THE_LEADER,
            f"operator {received.signed.signers[0]} proposed in round {received.body.round}, which "
            f"operator {leader} leads",
        )


def check_prepare(setup: Setup, state: State, received: Received) -> None:
    """Returns if the prepare is for the accepted proposal.

    Raises:
        ProtocolFault: the first broken rule.
    """
    if _is_vote(setup, state, received):
        return
    root = _accepted_root(state)
    _check_height(state, received)
    _check_round(state, received)
    _check_root(root, received)
    _check_single(received)
    _check_member(setup, received)


def check_commit(setup: Setup, state: State, received: Received) -> None:
    """Returns if the commit is for the accepted proposal.

    Raises:
        ProtocolFault: the first broken rule.
    """
    if _is_vote(setup, state, received):
        return
    root = _accepted_root(state)
    _check_height(state, received)
    _check_member(setup, received)
    _check_single(received)
    _check_round(state, received)
    _check_root(root, received)


def check_usable(setup: Setup, received: Received) -> None:
    """Returns if a leader could act on the round change.

    The network's checks let two kinds pass that only a liar sends: rounds in which nobody takes
    part, which would fill memory, and justifications too long to be embedded in a proposal, which
    would make the proposal of an honest leader unreadable.

    Raises:
        ProtocolFault: instance stopped, or too large.
    """
    body = received.body
    if body.round > setup.cut_off:
        raise ProtocolFault(
            Fault.INSTANCE_STOPPED, f"round {body.round}, everybody stops at {setup.cut_off}"
        )
    size = size_without_data(received.signed)
    longest = max(map(len, body.round_change_justification), default=0)
    if size > MAX_ROUND_CHANGE_BYTES or longest > MAX_PREPARE_BYTES:
        raise ProtocolFault(
            Fault.TOO_LARGE,
            f"round change with {size} bytes, longest prepare {longest}; limits are "
            f"{MAX_ROUND_CHANGE_BYTES} and {MAX_PREPARE_BYTES}",
        )


def _is_vote(setup: Setup, state: State, received: Received) -> bool:
    """Whether a prepare or commit keeps all of its rules; most are told so at once."""
    accepted, body, signers = state.proposal, received.body, received.signed.signers
    return (
        accepted is not None
        and body.height == state.height
        and body.round == state.round
        and body.root == accepted.body.root
        and len(signers) == 1
        and signers[0] in setup.committee.members
    )


def _accepted_root(state: State) -> bytes:
    if state.proposal is None:
        raise ProtocolFault(Fault.NO_PROPOSAL, f"no proposal accepted in round {state.round}")
    return state.proposal.body.root


def _check_height(state: State, received: Received) -> None:
    if received.body.height != state.height:
        raise ProtocolFault(
            Fault.WRONG_HEIGHT, f"height {received.body.height}, expected {state.height}"
        )


def _check_round(state: State, received: Received) -> None:
    if received.body.round != state.round:
        raise ProtocolFault(
            Fault.WRONG_ROUND, f"round {received.body.round}, current is {state.round}"
        )


def _check_root(root: bytes, received: Received) -> None:
    if received.body.root != root:
        raise ProtocolFault(
            Fault.OTHER_ROOT, f"vote for {received.body.root.hex()}, proposed is {root.hex()}"
        )


def _check_single(received: Received) -> None:
    if len(received.signed.signers) != 1:
        raise ProtocolFault(
            Fault.SEVERAL_SIGNERS, f"one signer is allowed, got {received.signed.signers}"
        )


def _check_member(setup: Setup, received: Received) -> None:
    for signer in received.signed.signers:
        if signer not in setup.committee.members:
            raise ProtocolFault(
                Fault.SIGNER_NOT_IN_COMMITTEE,
                f"operator {signer} is not in {setup.committee.operators}",
            )
