"""Gossip rules: bytes, topic and time of arrival in, a verdict out.

`Validator.validate` decodes a message once, applies the numbered rules of `Rule` in order and
remembers what it accepted, within bounds. It answers alike whether or not this node takes part in
the message's committee. It keeps no clock and no keys.
"""

from __future__ import annotations

from operator_node.validation.arrival import Chain
from operator_node.validation.pipeline import Validator, Verify
from operator_node.validation.registry_view import KnownCommittee, KnownValidator, RegistryView
from operator_node.validation.rules import Outcome, Rule
from operator_node.validation.seen import Seen
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict

__all__ = [
    "Accept",
    "Chain",
    "Ignore",
    "KnownCommittee",
    "KnownValidator",
    "Outcome",
    "RegistryView",
    "Reject",
    "Rule",
    "Seen",
    "Validator",
    "Verdict",
    "Verify",
]
