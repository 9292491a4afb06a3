"""Decided messages: commits of a quorum in one message, which prove a decision by themselves.

Pure. Source: docs/protocol.md, "Heights".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from operator_node.qbft.tallies import aggregate, largest_disjoint
from operator_node.qbft.types import Setup, State
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.messages import ConsensusKind, Received, SignedMessage
from operator_node.wire.structure import check_message

_COMMIT: Final = int(ConsensusKind.COMMIT)


def is_decided_message(setup: Setup, received: Received) -> bool:
    """Whether a message claims to prove a decision: a commit with at least a quorum of signers."""
    return len(received.signed.signers) >= setup.committee.quorum and received.body.kind == _COMMIT


def check_decided(setup: Setup, received: Received) -> None:
    """Returns if a decided message proves what it claims.

    Raises:
        ProtocolFault: the first broken rule.
    """
    signed, body = received.signed, received.body
    try:
        check_message(signed, body, setup.generation)
    except ProtocolFault as fault:
        raise ProtocolFault(Fault.COMMIT_INVALID, fault.message) from fault
    for signer in signed.signers:
        if signer not in setup.committee.members:
            raise ProtocolFault(
                Fault.SIGNER_NOT_IN_COMMITTEE,
                f"decided message of {signed.signers}, committee {setup.committee.operators}",
            )
    if not setup.verify(signed):
        raise ProtocolFault(
            Fault.JUSTIFICATION_SIGNATURE, f"a signature among those of {signed.signers} is wrong"
        )
    root = sha256(signed.full_data).digest()
    if root != body.root:
        raise ProtocolFault(
            Fault.DATA_NOT_OF_ROOT, f"decided root {body.root.hex()}, data {root.hex()}"
        )


def best_proof(state: State) -> SignedMessage | None:
    """The decided message with the most signers that the commits of a decided instance add up to.

    None if they are missing from a restored state.
    """
    root = sha256(state.decided_value).digest()
    commits = largest_disjoint(state.commits.get(state.round, ()), root)
    return aggregate(commits, state.decided_value) if commits else None
