"""What gossip validation says of a message.

Pure values. Whoever carries the verdict out forwards and delivers an accepted message, drops an
ignored one, and counts a rejected one against the peer that delivered it.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from operator_node.validation.rules import Outcome, Rule
from operator_node.wire.messages import Received, ReceivedPartials


class Accept(Struct, frozen=True, gc=False):
    """The message, decoded, with every operator signature verified."""

    message: Received | ReceivedPartials


class Ignore(Struct, frozen=True, gc=False):
    """Neither used nor forwarded; nobody is blamed. `why` gives the values, for people."""

    rule: Rule
    why: str


class Reject(Struct, frozen=True, gc=False):
    """Neither used nor forwarded; the peer that delivered it is blamed. `why` gives the values."""

    rule: Rule
    why: str


Verdict: TypeAlias = Accept | Ignore | Reject


def refuse(rule: Rule, why: str, *, of_committee: bool = True) -> Ignore | Reject:
    """The verdict that a broken rule leads to.

    Args:
        rule: the first one that is broken.
        why: with the values.
        of_committee: whether the message id names a committee; matters to rules about members.
    """
    is_known_to_all = rule.outcome is Outcome.REJECT_MEMBERS and of_committee
    if is_known_to_all or rule.outcome is Outcome.REJECT:
        return Reject(rule, why)
    return Ignore(rule, why)
