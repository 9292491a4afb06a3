"""Counting messages: the first of each signer set per round, signers, disjoint commits.

Pure. A tally maps a round to its messages in arrival order. Validated messages of one round have
one signer each, except decided messages among the commits.

Source: docs/protocol.md, "State" and "Effects".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from operator_node.wire.committee import Committee
from operator_node.wire.messages import Received, SignedMessage
from sdk.types import OperatorId

Tally: TypeAlias = dict[int, list[Received]]

MESSAGES_PER_ROUND: Final = 18
"""One per member of the largest committee, 13, and decided messages that grow from 9 to 13 signers.
Without a bound, a coalition could send every one of the 2^13 signer sets that it can sign for."""
ROUNDS_KEPT: Final = 32
"""Well above any cut-off. Only a quorum that decides in one round after another gets here."""
UNPREPARED_DATA_BYTES: Final = 1024
"""Full data that an unprepared round change may keep. Honest ones have none; 8 MB from each liar in
each round would exhaust memory."""


def add_first(tally: Tally, received: Received) -> bool:
    """Whether the message was stored: its signers had none in its round, and there is room."""
    round_ = received.body.round
    stored = tally.get(round_)
    if stored is None:
        if len(tally) >= ROUNDS_KEPT:
            return False
        tally[round_] = [received]
        return True
    signers = received.signed.signers
    for other in stored:
        theirs = other.signed.signers
        if theirs == signers or (len(theirs) > 1 and set(theirs) == set(signers)):
            return False
    if len(stored) >= MESSAGES_PER_ROUND:
        return False
    stored.append(received)
    return True


def lean(received: Received, tally: Tally) -> Received:
    """A round change with no more full data than needed, to be stored in the tally.

    A prepared one shares its value with those stored before; there are hardly more prepared values
    than rounds, but each copy of a block may have 8 MB. Data of an unprepared one is never read.
    """
    signed, body = received.signed, received.body
    if body.data_round:
        for other in (each for stored in tally.values() for each in stored):
            if other.body.data_round and other.body.root == body.root:
                return _with_data(received, other.signed.full_data)
    elif len(signed.full_data) > UNPREPARED_DATA_BYTES:
        return _with_data(received, b"")
    return received


def signers_of(messages: Iterable[Received]) -> set[OperatorId]:
    """Everybody who signed at least one of the messages."""
    return {signer for message in messages for signer in message.signed.signers}


def has_quorum(messages: Iterable[Received], committee: Committee) -> bool:
    """Whether 2f + 1 members signed, counted by signers."""
    return len(signers_of(messages)) >= committee.quorum


def largest_disjoint(messages: Iterable[Received], root: bytes) -> list[Received]:
    """The messages with this root that have the most signers together and none in common.

    Every message is tried as the first, and the others join in arrival order. With single signers
    and decided messages, of which any two overlap, that finds the largest set.
    """
    fitting = [message for message in messages if message.body.root == root]
    if all(len(message.signed.signers) == 1 for message in fitting):
        return fitting
    best: list[Received] = []
    best_size = 0
    for first in fitting:
        chosen, signers = [first], set(first.signed.signers)
        for other in fitting:
            if signers.isdisjoint(other.signed.signers):
                chosen.append(other)
                signers.update(other.signed.signers)
        if len(signers) > best_size:
            best, best_size = chosen, len(signers)
    return best


def aggregate(commits: Sequence[Received], full_data: bytes) -> SignedMessage:
    """One message with the signatures of all, by ascending operator id, and the value attached.

    Args:
        commits: at least one; the same content, no signer in common.
        full_data: the value that they commit to.
    """
    pairs = sorted(
        pair
        for commit in commits
        for pair in zip(commit.signed.signers, commit.signed.signatures, strict=True)
    )
    return SignedMessage(
        signatures=tuple(signature for _, signature in pairs),
        signers=tuple(signer for signer, _ in pairs),
        message=commits[0].signed.message,
        full_data=full_data,
    )


def _with_data(received: Received, full_data: bytes) -> Received:
    signed = received.signed
    return Received(
        SignedMessage(signed.signatures, signed.signers, signed.message, full_data), received.body
    )
