"""Duties alive: each session joins one duty with its consensus and turns both into effects.

`CommitteeSessions` and `ValidatorSessions` make the sessions: `prepare` a duty, `begin` the session
it returns. Messages that `admit` or gossip validation let in go through a `WaitingRoom`, the only
entrance where messages may overtake each other: it keeps those that come too early, which sessions
refuse for good. Whoever carries out the effects calls the session back with what came of them.
"""

from operator_node.session.committee import CommitteeSessions
from operator_node.session.consensus import Consensus
from operator_node.session.early import WaitingRoom
from operator_node.session.entrance import admit
from operator_node.session.session import Delivery, Prepared, Session, slot_of
from operator_node.session.types import Effect, Send, SendSigned
from operator_node.session.validator import ValidatorSessions

__all__ = [
    "CommitteeSessions",
    "Consensus",
    "Delivery",
    "Effect",
    "Prepared",
    "Send",
    "SendSigned",
    "Session",
    "ValidatorSessions",
    "WaitingRoom",
    "admit",
    "slot_of",
]
