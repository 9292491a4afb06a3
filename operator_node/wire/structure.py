"""What holds for every message, whoever sent it: counts, ids, kinds and rounds make sense.

Pure. A check returns if all is well and raises `ProtocolFault` for the first rule that is broken;
which rule is first is part of the protocol. Nothing here asks whose message it is or whether its
signatures hold.

Source: docs/protocol.md, "Structural checks".
"""

from __future__ import annotations

from typing import Final

from operator_node.wire.codec import decode_signed
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import ALAN, Generation
from operator_node.wire.ids import MESSAGE_ID_BYTES, role_of
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    PartialSignatures,
    SignedMessage,
)
from sdk.types import OperatorId

_LAST_ENVELOPE_KIND: Final = int(max(EnvelopeKind))
_LAST_CONSENSUS_KIND: Final = int(max(ConsensusKind))


def check_signed(message: SignedMessage, generation: Generation) -> None:
    """Returns if signers, signatures and the envelope make sense.

    Alan does not look into the envelope.

    Raises:
        ProtocolFault: the first broken rule.
    """
    signers, signatures = message.signers, message.signatures
    if not (len(signers) == 1 == len(signatures) and signers[0] and signatures[0]):
        _check_signers(signers, signatures)
    if generation is not ALAN:
        check_envelope(message.message)


def check_message(signed: SignedMessage, body: ConsensusMessage, generation: Generation) -> None:
    """Returns if `check_signed` and then `check_consensus` do; most messages are told at once.

    Raises:
        ProtocolFault: the first broken rule.
    """
    signers, signatures, envelope = signed.signers, signed.signatures, signed.message
    if (
        len(signers) == 1 == len(signatures)
        and signers[0]
        and signatures[0]
        and (
            generation is ALAN
            or (envelope.kind <= _LAST_ENVELOPE_KIND and role_of(envelope.id) >= 0)
        )
        and len(body.identifier) == MESSAGE_ID_BYTES
        and not body.round_change_justification
        and not body.prepare_justification
        and body.kind <= _LAST_CONSENSUS_KIND
        and body.round
    ):
        return
    check_signed(signed, generation)
    check_consensus(body, generation)


def _check_signers(signers: tuple[OperatorId, ...], signatures: tuple[bytes, ...]) -> None:
    if not signers:
        raise ProtocolFault(Fault.NO_SIGNERS, "a signed message names no signers")
    _check_distinct(signers)
    if not signatures:
        raise ProtocolFault(Fault.NO_SIGNATURES, "a signed message has no signatures")
    if not all(signatures):
        raise ProtocolFault(Fault.EMPTY_SIGNATURE, f"signers {signers}, one signature is empty")
    if len(signatures) != len(signers):
        raise ProtocolFault(
            Fault.SIGNATURE_COUNT, f"{len(signatures)} signatures of {len(signers)} signers"
        )


def check_envelope(envelope: Envelope) -> None:
    """Returns if kind and role make sense; unknown roles do, negative ones do not.

    Raises:
        ProtocolFault: the first broken rule.
    """
    if envelope.kind > _LAST_ENVELOPE_KIND:
        raise ProtocolFault(Fault.MESSAGE_TYPE, f"no envelope has kind {envelope.kind}")
    if role_of(envelope.id) < 0:
        raise ProtocolFault(Fault.ROLE_INVALID, f"role {role_of(envelope.id)} is negative")


def check_consensus(message: ConsensusMessage, generation: Generation) -> None:
    """Returns if identifier, justifications, kind and round make sense.

    Raises:
        ProtocolFault: the first broken rule; malformed if a justification does not decode.
    """
    if len(message.identifier) != MESSAGE_ID_BYTES:
        raise ProtocolFault(
            Fault.IDENTIFIER,
            f"an identifier has {MESSAGE_ID_BYTES} bytes, got {len(message.identifier)}",
        )
    for encoded in message.round_change_justification:
        decode_signed(encoded, generation)
    for encoded in message.prepare_justification:
        decode_signed(encoded, generation)
    if message.kind > _LAST_CONSENSUS_KIND:
        raise ProtocolFault(Fault.MESSAGE_TYPE, f"no consensus message has kind {message.kind}")
    if not message.round:
        raise ProtocolFault(Fault.ROUND_ZERO, f"height {message.height}: rounds begin at 1")


def sole_signer(message: SignedMessage) -> OperatorId:
    """The signer of a message that only one operator may sign, such as partial signatures.

    Raises:
        ProtocolFault: it has another number of signers.
    """
    if len(message.signers) != 1:
        raise ProtocolFault(
            Fault.SEVERAL_SIGNERS, f"one signer is allowed here, got {message.signers}"
        )
    return message.signers[0]


def check_partials(message: PartialSignatures, sender: OperatorId) -> None:
    """Returns if there are partial signatures and all name the sender as their signer.

    Args:
        message: of any kind, known or not.
        sender: whose operator signature the envelope bears, see `sole_signer`.

    Raises:
        ProtocolFault: the first broken rule.
    """
    signers = {item.signer for item in message.items}
    if not signers:
        raise ProtocolFault(Fault.NO_PARTIAL_SIGNATURES, f"slot {message.slot}: none inside")
    if len(signers) > 1:
        raise ProtocolFault(
            Fault.INCONSISTENT_SIGNERS, f"partial signatures of operators {sorted(signers)[:4]}"
        )
    signer = signers.pop()
    if not signer:
        raise ProtocolFault(Fault.SIGNER_ZERO, "operator ids begin at 1")
    if signer != sender:
        raise ProtocolFault(
            Fault.SIGNER_NOT_SENDER, f"operator {sender} sent signatures of operator {signer}"
        )


def _check_distinct(signers: tuple[OperatorId, ...]) -> None:
    seen: set[OperatorId] = set()
    for signer in signers:
        if signer in seen:
            raise ProtocolFault(Fault.SIGNER_REPEATED, f"operator {signer} twice in {signers}")
        if not signer:
            raise ProtocolFault(Fault.SIGNER_ZERO, f"operator ids begin at 1, got {signers}")
        seen.add(signer)
