"""What a leader proposes: its own value, or the one that the round changes of its round justify.

A proposal is justified only if all prepared round changes in it are for its own value. So a liar
that shows an old quorum of prepares for another value could block every leader for good, if all
that came had to go in. Where they disagree, a quorum that fits is enough: it meets the quorum of
any earlier decision in an honest member.

Pure; changes nothing. The caller sends what comes out, or passes the complaints on.

Source: docs/protocol.md, "Effects", round change.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from operator_node.qbft import drafts
from operator_node.qbft.justify import Justification, own_proof
from operator_node.qbft.tallies import has_quorum
from operator_node.qbft.types import Broadcast, Setup, State, Verdict
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.messages import Received

FIRST_ROUND: Final = 1


class Candidate(NamedTuple):
    """A value that a leader might propose, and the prepares that call for it.

    `data_round` is the round that it was prepared in, 0 for the own value.
    """

    value: bytes
    root: bytes
    prepares: tuple[bytes, ...] = ()
    data_round: int = 0


def may_propose(setup: Setup, state: State, round_: int) -> bool:
    """Whether this node leads the round, the round is open, and it has not proposed in it."""
    is_open = round_ > state.round or (round_ == state.round and state.proposal is None)
    return (
        is_open
        and state.own_proposal_round < round_ < setup.cut_off
        and setup.leader(state.height, round_) == setup.me
    )


def is_called(setup: Setup, state: State, round_: int) -> bool:
    """Whether the committee wants the round: the first one, or a quorum of round changes."""
    return round_ == FIRST_ROUND or has_quorum(state.round_changes.get(round_, ()), setup.committee)


def draft_proposal(
    setup: Setup, state: State, justification: Justification, round_: int
) -> Broadcast | list[Complain]:
    """The proposal of a round that this node may propose in, or why there is none.

    No complaint comes for a value that is only missing; it may still be supplied.
    """
    stored = () if round_ == FIRST_ROUND else tuple(state.round_changes[round_])
    complaints: dict[bytes, Complain] = {}
    for candidate, changes in _choices(state, stored):
        if candidate.root in complaints:
            continue
        try:
            if round_ != FIRST_ROUND:
                proofs = [own_proof(change) for change in changes]
                prepares = justification.read(candidate.prepares)
                justification.check_proposal(round_, candidate.root, proofs, prepares)
        except ProtocolFault:
            continue
        complaint = _refusal(setup, candidate)
        if complaint is None:
            return drafts.proposal(
                setup.identifier,
                state.height,
                round_,
                candidate.value,
                round_changes=changes,
                prepares=candidate.prepares,
            )
        complaints[candidate.root] = complaint
    return list(complaints.values())


def _choices(
    state: State, changes: tuple[Received, ...]
) -> Iterator[tuple[Candidate, tuple[Received, ...]]]:
    """What might be proposed, each with the round changes to justify it, the best first.

    Everything that came goes in if that justifies anything, as the network does. If not, what fits
    the value prepared last, which is the one that members adopt, then the one before, and so on.
    """
    candidates = tuple(_candidates(state, changes))
    for candidate in candidates:
        yield candidate, changes
    for candidate in sorted(candidates, key=lambda each: each.data_round, reverse=True):
        fitting = tuple(
            change
            for change in changes
            if not change.body.data_round or change.body.root == candidate.root
        )
        if len(fitting) < len(changes):
            yield candidate, fitting


def _candidates(state: State, changes: tuple[Received, ...]) -> Iterator[Candidate]:
    """In round 1 the own value; later one per round change, in their order of arrival."""
    own: list[Candidate] = []
    if state.start_value is not None:
        own.append(Candidate(state.start_value, sha256(state.start_value).digest()))
    if not changes:
        yield from own
    for change in changes:
        body = change.body
        if body.data_round:
            proof = body.round_change_justification
            yield Candidate(change.signed.full_data, body.root, proof, body.data_round)
        else:
            yield from own


def _refusal(setup: Setup, candidate: Candidate) -> Complain | None:
    """Why this node does not propose a value. Prepared ones a quorum has vouched for already."""
    try:
        verdict = setup.check_value(candidate.value)
    except ProtocolFault as fault:
        return Complain(Fault.NO_VALUE_TO_PROPOSE, f"refused, {fault.code}: {fault.message}")
    if verdict is Verdict.UNVOUCHED and not candidate.data_round:
        return Complain(
            Fault.NO_VALUE_TO_PROPOSE, "the own value is unvouched: no beacon node answers"
        )
    return None
