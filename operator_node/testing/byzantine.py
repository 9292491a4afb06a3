"""What byzantine operators say instead of what they should: one function per habit.

A liar runs an honest node inside, so that it always knows what would be right, and twists each
message on its way out. It has its own operator key and its own shares, and no other.

Source: docs/protocol.md, "Consensus", "Gossip validation"; docs/simulation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

from msgspec.structs import replace

from operator_node.testing.false_values import second_value, spoilt_partial, spoilt_value
from operator_node.testing.faults import SLOT_MS, Lie
from operator_node.testing.forging import (
    eager_proposal,
    false_round_change,
    forged_decision,
    forged_proposal,
    unasked_proposal,
)
from operator_node.testing.mouth import Mouth, Utterance, enclose
from operator_node.wire.codec import decode_partials, encode_partials
from operator_node.wire.generations import Generation
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    EnvelopeKind,
    PartialSignatures,
)

_DEADLINES_MS: Final = (1_900, 2_000, 2_050, 5_950, 6_100, 3 * SLOT_MS, 34 * SLOT_MS)
"""Delays after which a message meets the end of a round, of a duty, or of what peers accept."""

Habit: TypeAlias = Callable[[Mouth, Utterance], Iterable[Utterance]]


def absent(_: Mouth, __: Utterance) -> Iterable[Utterance]:
    """Nothing at all."""
    return ()


def mute_commits(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Everything but commits: the quorum prepares, and then somebody is missing.

    In rounds that it leads it commits, and so it does after round 1 if it is not stubborn: there
    another value is to win.
    """
    body = said.consensus
    if body is None or body.kind != ConsensusKind.COMMIT:
        return (said,)
    is_mute = body.round == 1 or mouth.is_stubborn
    return () if is_mute and not mouth.leads(body) else (said,)


def selective(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Each message to some only."""
    reached = tuple(each for each in mouth.committee.operators if mouth.random.random() < 0.6)
    return (replace(said, receivers=reached),)


def edges(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Each message just before or after its round, its duty or its welcome ends."""
    if mouth.random.random() < 0.5:
        return (said,)
    delay = mouth.random.choice(_DEADLINES_MS) + mouth.random.randrange(-60, 61)
    return (replace(said, delay_ms=delay),)


def two_proposals(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """One value to one half, another to the other."""
    body = said.consensus
    if body is None or body.kind != ConsensusKind.PROPOSAL:
        return (said,)
    mouth.own_values[body.root] = said.full_data
    if mouth.random.random() < 0.2:  # both to everybody
        other = second_value(said.full_data)
        second = replace(body, root=sha256(other).digest())
        return (said, Utterance(enclose(second), other))
    return _split(mouth, said, body, second_value(said.full_data))


def two_votes(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Votes for what was proposed and for the other value, to different halves."""
    body = said.consensus
    if body is None or body.kind not in (ConsensusKind.PREPARE, ConsensusKind.COMMIT):
        return (said,)
    value = mouth.proposed_value(body.root)
    other = sha256(second_value(value)).digest() if value else sha256(body.root).digest()
    first, second = mouth.halves
    return (
        replace(said, receivers=first),
        Utterance(enclose(replace(body, root=other)), b"", second),
    )


def bad_values(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Proposals of what must not be signed."""
    body = said.consensus
    if body is None or body.kind != ConsensusKind.PROPOSAL:
        return (said,)
    value = spoilt_value(mouth.random, said.full_data)
    spoilt = replace(body, root=sha256(value).digest())
    return (Utterance(enclose(spoilt), value, said.receivers),)


def false_changes(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Round changes that claim preparations, and proposals with forged justifications."""
    body = said.consensus
    if body is None:
        return (said,)
    match body.kind:
        case ConsensusKind.ROUND_CHANGE if mouth.leads(body):
            return (said, *eager_proposal(mouth, body))
        case ConsensusKind.ROUND_CHANGE:
            return false_round_change(mouth, said, body)
        case ConsensusKind.PROPOSAL if body.round > 1:
            return (forged_proposal(mouth, body, second_value(said.full_data)),)
        case ConsensusKind.PREPARE:
            return (said, *unasked_proposal(mouth, body))
        case _:
            return (said,)


def replays(mouth: Mouth, said: Utterance) -> Iterator[Utterance]:
    """Others' messages once more: under the own name, with another sender's, in other rounds."""
    yield said
    body = said.consensus
    if not mouth.heard or body is None:
        return
    old = mouth.random.choice(mouth.heard)
    moved = replace(old.body, height=body.height, round=body.round, identifier=body.identifier)
    match mouth.random.randrange(4):
        case 0:  # its content, under the own name
            yield Utterance(enclose(moved), old.signed.full_data)
        case 1:  # its signature, over another round
            forged = replace(old.signed, message=enclose(moved))
            yield Utterance(forged.message, signed=forged)
        case 2:  # a decision that nobody made
            yield forged_decision(mouth, body, old.signed.full_data)
        case _:  # as it was, with data that its signature does not cover
            changed = replace(old.signed, full_data=old.signed.full_data + b"\0")
            yield Utterance(changed.message, signed=changed)


def no_partials(_: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Consensus, but no signatures."""
    return () if said.envelope.kind == EnvelopeKind.PARTIAL_SIGNATURES else (said,)


def bad_partials(mouth: Mouth, said: Utterance) -> Iterable[Utterance]:
    """Signatures that are no points, of other roots or validators; to some only, or to all."""
    if said.envelope.kind != EnvelopeKind.PARTIAL_SIGNATURES:
        return (said,)
    body = decode_partials(said.envelope.data, Generation.BOOLE)
    spoilt = tuple(spoilt_partial(mouth.random, item) for item in body.items)
    data = encode_partials(PartialSignatures(body.kind, body.slot, spoilt))
    bad = replace(said, envelope=replace(said.envelope, data=data))
    if mouth.random.random() < 0.5:
        return (bad,)
    first, second = mouth.halves
    return (replace(bad, receivers=first), replace(said, receivers=second))


HABITS: Final[Mapping[Lie, Habit]] = {
    Lie.TWO_PROPOSALS: two_proposals,
    Lie.TWO_VOTES: two_votes,
    Lie.FALSE_CHANGES: false_changes,
    Lie.BAD_VALUES: bad_values,
    Lie.REPLAYS: replays,
    Lie.BAD_PARTIALS: bad_partials,
    Lie.NO_PARTIALS: no_partials,
    Lie.MUTE_COMMITS: mute_commits,
    Lie.SELECTIVE: selective,
    Lie.EDGES: edges,
    Lie.ABSENT: absent,
}
"""In the order in which they are applied: first what is said, then to whom and when."""


def twist(mouth: Mouth, lies: frozenset[Lie], said: Utterance) -> list[Utterance]:
    """What a liar with these habits sends in place of one honest message."""
    utterances = [said]
    for lie, habit in HABITS.items():
        if lie in lies:
            utterances = [
                twisted
                for each in utterances
                for twisted in (habit(mouth, each) if each.signed is None else (each,))
            ]
    return utterances


def _split(
    mouth: Mouth, said: Utterance, body: ConsensusMessage, other: bytes
) -> tuple[Utterance, ...]:
    second = replace(body, root=sha256(other).digest())
    return (
        replace(said, receivers=mouth.halves[0]),
        Utterance(enclose(second), other, mouth.halves[1]),
    )
