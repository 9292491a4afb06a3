"""Lets a message in whose sender, owner and content hold, for callers without gossip validation.

Pure. A node with peers validates what they send (`operator_node.validation`) and needs nothing of
this; an example in memory, or a replay, does. State is not asked: whether a message comes at the
right time is for the sessions.

Source: docs/protocol.md, "Duties" (entrance) and "Structural checks".
"""

from __future__ import annotations

from collections.abc import Callable

from operator_node.wire.codec import decode_consensus, decode_partials
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import (
    EnvelopeKind,
    Received,
    ReceivedPartials,
    SignedMessage,
)
from operator_node.wire.structure import check_consensus, check_partials, check_signed, sole_signer


def admit(
    signed: SignedMessage,
    *,
    generation: Generation,
    verify: Callable[[SignedMessage], bool],
    check_owner: Callable[[MessageId], None],
) -> Received | ReceivedPartials:
    """The decoded message.

    Args:
        signed: as it came.
        generation: of the message's slot; its limits and checks apply.
        verify: whether all operator signatures hold.
        check_owner: raises `ProtocolFault` for an id that is not the receiver's; see
            `CommitteeSessions.check_owner` and `ValidatorSessions.check_owner`.

    Raises:
        ProtocolFault: structure, operator signature, owner, no data, malformed content, content
            that makes no sense; in this order.
    """
    check_signed(signed, generation)
    if not verify(signed):
        raise ProtocolFault(
            Fault.OPERATOR_SIGNATURE, f"a signature of operators {signed.signers} does not verify"
        )
    message = signed.message
    check_owner(message.id)
    if not message.data:
        raise ProtocolFault(Fault.MALFORMED, "the message is empty")
    match message.kind:
        case EnvelopeKind.CONSENSUS:
            body = decode_consensus(message.data)
            check_consensus(body, generation)
            return Received(signed, body)
        case EnvelopeKind.PARTIAL_SIGNATURES:
            partials = decode_partials(message.data, generation)
            check_partials(partials, sole_signer(signed))
            return ReceivedPartials(signed, partials)
        case _:
            raise ProtocolFault(Fault.MESSAGE_TYPE, f"messages of kind {message.kind} are unused")
