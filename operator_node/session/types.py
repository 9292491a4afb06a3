"""What a session asks its driver to do.

Pure. Most effects are the duty's own commands, passed through; what a duty publishes and what
consensus broadcasts have become envelopes by then. A driver carries out effects in order, and calls
the session back: `provide` after `Fetch`, `signed` after `Sign`, `recovered` after `Recover`,
`submitted` after `Submit`, `expire_round` when a timer ends.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from operator_node.duties.types import Fetch, Finish, Reached, Recover, Sign, Submit
from operator_node.qbft.types import StartTimer
from operator_node.wire.faults import Complain
from operator_node.wire.messages import Envelope, SignedMessage
from sdk.types import OperatorId


class Send(Struct, frozen=True):
    """Sign the envelope with the operator key, publish it, and deliver it to myself.

    The own message comes back through the message path like a peer's; sessions rely on it.
    """

    envelope: Envelope
    full_data: bytes = b""


class SendSigned(Struct, frozen=True):
    """Publish a message that is complete. `to` is an operator that fell behind, None for all."""

    signed: SignedMessage
    to: OperatorId | None = None


Effect: TypeAlias = (
    Send | SendSigned | StartTimer | Fetch | Sign | Recover | Submit | Reached | Complain | Finish
)
