"""The slashing record: what this operator's shares signed, and what they may still sign.

Pure so far: the rules of EIP-3076, histories per share and per validator, a record in memory, and
interchange files. A durable record and the signing itself stand on it.
"""

from __future__ import annotations

from operator_node.signer.evidence import Contradiction, find_contradictions
from operator_node.signer.interchange import Form, read_interchange, write_interchange
from operator_node.signer.record import (
    Conflict,
    Intent,
    KeyHistory,
    Protection,
    Records,
    SlashingProtection,
)
from operator_node.signer.rules import (
    AttestationGuard,
    BlockGuard,
    Guard,
    History,
    NotSafe,
    Reason,
    Safe,
    SameData,
    Verdict,
    bounds,
    judge,
    judge_complete,
    judge_minimal,
    may_sign,
)

__all__ = [
    "AttestationGuard",
    "BlockGuard",
    "Conflict",
    "Contradiction",
    "Form",
    "Guard",
    "History",
    "Intent",
    "KeyHistory",
    "NotSafe",
    "Protection",
    "Reason",
    "Records",
    "Safe",
    "SameData",
    "SlashingProtection",
    "Verdict",
    "bounds",
    "find_contradictions",
    "judge",
    "judge_complete",
    "judge_minimal",
    "may_sign",
    "read_interchange",
    "write_interchange",
]
