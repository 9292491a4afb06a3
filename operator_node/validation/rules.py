"""The rules of gossip as data: number, outcome, and what breaks them.

Pure. A number never changes its meaning: E is for envelopes, C for consensus messages, P for
partial signatures, counted in the order in which they are applied. The functions that look for a
breach are in `envelope_rules`, `consensus_rules`, `full_data_rules`, `partial_rules` and
`duty_rules`; those about bytes that do not decode, and the signature, are in `pipeline`.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Outcome(Enum):
    """What a broken rule leads to."""

    IGNORE = "ignore"
    """Dropped quietly: it can happen between honest nodes that see the chain or the time apart."""
    REJECT = "reject"
    """Whoever passed it on should have known better and is penalised."""
    REJECT_MEMBERS = "reject; ignore in a validator's role"
    """About members: a committee's message id commits to them, so that everybody knows them alike.
    Which committee runs a validator changes in the registry, and not for all nodes at once."""


_IGNORE: Final = Outcome.IGNORE
_REJECT: Final = Outcome.REJECT
_REJECT_MEMBERS: Final = Outcome.REJECT_MEMBERS


class Rule(Enum):
    """Every rule. The member's name in lower case is its word in metrics and logs.

    Attributes:
        number: stable short name.
        outcome: fixed per rule. Reject only what an honest node would not have passed on, whatever
            it saw before and however far its registry is.
        says: what breaks the rule, as in the table of docs/protocol.md.
    """

    def __init__(self, number: str, outcome: Outcome, says: str) -> None:
        self.number = number
        self.outcome = outcome
        self.says = says

    NO_DATA = "E1", _REJECT, "no data at all"
    PACKET_TOO_LARGE = "E2", _IGNORE, "larger than any message of the generation"
    MALFORMED = "E3", _REJECT, "not a signed message"
    NO_SIGNERS = "E4", _REJECT, "no signers"
    NO_SIGNATURES = "E5", _REJECT, "no signatures"
    SIGNATURE_SIZE = "E6", _REJECT, "a signature that is not 256 bytes long"
    SIGNERS_NOT_ASCENDING = "E7", _REJECT, "signers not in ascending order"
    SIGNATURE_COUNT = "E8", _REJECT, "another number of signatures than of signers"
    SIGNER_ZERO = "E9", _REJECT, "signer zero"
    SIGNER_REPEATED = "E10", _REJECT, "a signer twice"
    UNKNOWN_OPERATOR = "E11", _IGNORE, "a signer that is no registered operator"
    EMPTY_ENVELOPE = "E12", _REJECT, "an envelope without data"
    ENVELOPE_TOO_LARGE = "E13", _REJECT, "an envelope with more data than it may hold"
    UNKNOWN_ENVELOPE_KIND = "E14", _REJECT, "neither consensus nor partial signatures"
    WRONG_DOMAIN = "E15", _IGNORE, "a message id of another domain"
    INVALID_ROLE = "E16", _REJECT, "a role that the generation does not have"
    UNKNOWN_COMMITTEE = "E17", _IGNORE, "a committee that is not known"
    NO_VALIDATORS = "E18", _IGNORE, "a committee without validators"
    UNKNOWN_VALIDATOR = "E19", _IGNORE, "a validator that is not known"
    LIQUIDATED = "E20", _IGNORE, "a validator of a liquidated cluster"
    NO_METADATA = "E21", _IGNORE, "a validator that the beacon chain does not know yet"
    NOT_ATTESTING = "E22", _IGNORE, "a validator that does not attest"
    SIGNER_OUTSIDE_COMMITTEE = "E23", _REJECT_MEMBERS, "a signer outside the committee"
    WRONG_TOPIC = "E24", _IGNORE, "not on the committee's topic of that slot"

    CONSENSUS_TOO_LARGE = "C1", _REJECT, "more data than any consensus message has"
    CONSENSUS_MALFORMED = "C2", _REJECT, "not a consensus message"
    SEVERAL_SIGNERS = "C3", _REJECT, "several signers on anything but a commit"
    BELOW_QUORUM = "C4", _REJECT_MEMBERS, "several signers, yet no quorum"
    UNEXPECTED_FULL_DATA = "C5", _REJECT, "full data on a prepare or on a commit of one signer"
    WRONG_ROOT = "C6", _REJECT, "full data that does not hash to the root"
    UNKNOWN_CONSENSUS_KIND = "C7", _REJECT, "no known step of consensus"
    ROUND_ZERO = "C8", _REJECT, "round zero"
    NO_CONSENSUS_IN_ROLE = "C9", _REJECT, "a role that has no consensus"
    ROUND_TOO_HIGH = "C10", _IGNORE, "a round above the role's last"
    WRONG_IDENTIFIER = "C11", _REJECT, "an identifier that is not the message id"
    UNEXPECTED_PREPARES = "C12", _REJECT, "prepares as justification of anything but a proposal"
    UNEXPECTED_ROUND_CHANGES = (
        "C13",
        _REJECT,
        "round changes as justification of anything but a proposal or round change",
    )
    MALFORMED_JUSTIFICATION = "C14", _REJECT, "a justification that does not decode"
    NOT_THE_LEADER = (
        "C15",
        _REJECT_MEMBERS,
        "a proposal of another operator than the round's leader",
    )
    ROUND_ADVANCED = "C16", _IGNORE, "a round below one that the signer was already seen in"
    SECOND_PROPOSAL = "C17", _IGNORE, "a second proposal with another value in one round"
    REPEATED_STEP = "C18", _IGNORE, "the same step of one signer again in one round"
    REPEATED_DECISION = "C19", _IGNORE, "a decision of no more signers than one already seen"
    ROUND_TOO_EARLY = "C20", _IGNORE, "a round more than one ahead of the time"
    CONSENSUS_SLOT_ADVANCED = "C21", _IGNORE, "a slot below one that the signer moved on to"
    CONSENSUS_NO_DUTY = "C22", _IGNORE, "the validator has no such duty in that slot"
    CONSENSUS_EARLY = "C23", _IGNORE, "before its slot begins"
    CONSENSUS_LATE = "C24", _IGNORE, "after its duty is over"
    CONSENSUS_TOO_MANY_DUTIES = "C25", _IGNORE, "more duties of the signer than an epoch has"
    NO_FULL_DATA = (
        "C26",
        _IGNORE,
        "no full data on a proposal, a decision or a round change that says it was prepared",
    )
    IDLE_FULL_DATA = "C27", _IGNORE, "full data on a round change that was not prepared"
    FULL_DATA_TOO_LARGE = "C28", _IGNORE, "more full data than any value of the role has"
    CONSENSUS_SIGNATURE = "C29", _REJECT, "an operator signature that does not hold"

    PARTIALS_TOO_LARGE = "P1", _REJECT, "more data than any partial signatures have"
    PARTIALS_MALFORMED = "P2", _REJECT, "not partial signatures"
    NOT_ONE_SIGNER = "P3", _REJECT, "not exactly one signer"
    PARTIALS_WITH_FULL_DATA = "P4", _REJECT, "full data on partial signatures"
    UNKNOWN_PARTIAL_KIND = "P5", _REJECT, "no known purpose in the generation"
    KIND_NOT_OF_ROLE = "P6", _REJECT, "a purpose that the role does not have"
    NO_PARTIALS = "P7", _REJECT, "no partial signatures"
    SIGNER_NOT_SENDER = "P8", _REJECT, "a partial signature of another operator than the sender"
    FOREIGN_VALIDATOR = (
        "P9",
        _IGNORE,
        "an index of another validator; in role 6, of a validator outside the committee",
    )
    PARTIALS_SLOT_ADVANCED = "P10", _IGNORE, "a slot below one that the signer moved on to"
    PARTIALS_NO_DUTY = "P11", _IGNORE, "the validator has no such duty in that slot"
    REPEATED_PARTIALS = "P12", _IGNORE, "partial signatures of one phase and slot again"
    PARTIALS_EARLY = "P13", _IGNORE, "before its slot begins"
    PARTIALS_LATE = "P14", _IGNORE, "after its duty is over"
    PARTIALS_TOO_MANY_DUTIES = "P15", _IGNORE, "more duties of the signer than an epoch has"
    TOO_MANY_PARTIALS = "P16", _IGNORE, "more partial signatures than a committee has duties"
    VALIDATOR_REPEATED = "P17", _REJECT, "a validator more often than it has duties in a slot"
    TOO_MANY_CONTRIBUTIONS = "P18", _REJECT, "more than 13 contributions of one validator"
    NOT_ONE_PARTIAL = "P19", _REJECT, "several partial signatures where a duty has one"
    PARTIALS_SIGNATURE = "P20", _REJECT, "an operator signature that does not hold"
