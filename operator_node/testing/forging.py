"""Forged proofs: round changes, proposals and decisions that claim what never was.

Everything is signed with the liar's own operator key, or carries signatures that do not hold.

Source: docs/protocol.md, "Common validation", "Traps".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from operator_node.testing.false_values import second_value
from operator_node.testing.mouth import Mouth, Preparation, Utterance, enclose
from operator_node.wire.codec import encode_signed
from operator_node.wire.messages import ConsensusKind, ConsensusMessage, SignedMessage

FORGED_SIGNATURE: Final = bytes(range(256))
_EAGER_MS: Final = 400
"""Some time for round changes to come that a forger may use."""
_STALE: Final = 0.5
"""How often an old preparation is claimed, once there is one; valid, and in everybody's way."""
_NOTHING: Final = bytes(32)
"""Root of a round change that claims nothing."""


def forged_proposal(mouth: Mouth, body: ConsensusMessage, value: bytes) -> Utterance:
    """A value for everybody, under a justification that claims that nothing is prepared."""
    forged = replace(
        body,
        root=sha256(value).digest(),
        round_change_justification=_forged_changes(mouth, body),
        prepare_justification=mouth.random.choice(((), body.prepare_justification)),
    )
    return Utterance(enclose(forged), value)


def eager_proposal(mouth: Mouth, body: ConsensusMessage) -> Iterator[Utterance]:
    """The forged proposal of a round that the liar leads, whatever round changes will say.

    Args:
        mouth: the liar's.
        body: its round change for that round.
    """
    value = mouth.latest_value(body.height)
    if value:
        proposal = replace(
            body, kind=ConsensusKind.PROPOSAL, data_round=0, round_change_justification=()
        )
        delay = mouth.random.randrange(_EAGER_MS)
        yield replace(forged_proposal(mouth, proposal, second_value(value)), delay_ms=delay)


def unasked_proposal(mouth: Mouth, body: ConsensusMessage) -> Iterator[Utterance]:
    """Now and then a proposal for the next round, which nobody asked for."""
    value = mouth.proposed_value(body.root)
    if value and mouth.random.random() < 0.2:
        later = replace(body, kind=ConsensusKind.PROPOSAL, round=body.round + 1)
        yield forged_proposal(mouth, later, second_value(value))


def false_round_change(
    mouth: Mouth, said: Utterance, body: ConsensusMessage
) -> Iterable[Utterance]:
    """Claims what was prepared long ago; or, to one half, that the second value was."""
    stale = mouth.oldest_preparation(body.height, body.identifier)
    if stale is not None and mouth.random.random() < _STALE:
        return (Utterance(enclose(_stale_claim(body, stale)), stale.value),)
    value = mouth.latest_value(body.height)
    if not value:
        return (said,)
    other = second_value(value)
    root = sha256(other).digest()
    data_round = mouth.random.choice((1, body.round - 1, body.round, body.round + 1))
    mine = mouth.proof(
        ConsensusMessage(ConsensusKind.PREPARE, body.height, data_round, body.identifier, root)
    )
    heard = mouth.heard_as_proofs(ConsensusKind.PREPARE, body.height)
    proof = mouth.random.choice(
        ((), (mine,) * mouth.committee.quorum, (mine, *heard)[: len(mouth.committee)])
    )
    claim = replace(body, root=root, data_round=data_round, round_change_justification=proof)
    ahead = replace(body, round=body.round + 1)
    return (
        Utterance(enclose(claim), other, mouth.halves[0]),
        replace(said, receivers=mouth.halves[1]),
        Utterance(enclose(ahead), said.full_data),
    )


def _stale_claim(body: ConsensusMessage, stale: Preparation) -> ConsensusMessage:
    """What was once prepared, with its true proof, whatever was prepared since."""
    return replace(
        body,
        root=sha256(stale.value).digest(),
        data_round=stale.round,
        round_change_justification=stale.proof,
    )


def forged_decision(mouth: Mouth, body: ConsensusMessage, value: bytes) -> Utterance:
    """A commit that names a quorum, with the own signature in every place."""
    root = sha256(value).digest()
    envelope = enclose(
        ConsensusMessage(ConsensusKind.COMMIT, body.height, body.round, body.identifier, root)
    )
    signers = mouth.committee.operators[: mouth.committee.quorum]
    signatures = (mouth.sign(envelope),) * len(signers)
    return Utterance(envelope, signed=SignedMessage(signatures, signers, envelope, value))


def _forged_changes(mouth: Mouth, body: ConsensusMessage) -> tuple[bytes, ...]:
    """Round changes that claim nothing is prepared, by one of several tricks."""
    blank = ConsensusMessage(
        ConsensusKind.ROUND_CHANGE, body.height, body.round, body.identifier, _NOTHING
    )
    mine = mouth.proof(blank)
    quorum = mouth.committee.quorum
    heard = mouth.heard_as_proofs(ConsensusKind.ROUND_CHANGE, body.height)
    match mouth.random.randrange(4):
        case 0:  # the own one, as often as it takes
            return (mine,) * quorum
        case 1:  # honest ones, of any round
            return (mine, *heard)[: len(mouth.committee)]
        case 2:  # one too few
            return (mine, *heard)[: quorum - 1]
        case _:  # others' names over nobody's signatures
            return tuple(
                encode_signed(SignedMessage((FORGED_SIGNATURE,), (each,), enclose(blank)))
                for each in mouth.committee.operators[:quorum]
            )
