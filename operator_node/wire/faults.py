"""Why a message, value or duty is refused: the protocol's closed list, one word and number each.

Pure. The numbers are the specification's (docs/protocol.md, "Faults"), those of the Boole
generation; Alan counts differently from 10 on. Code compares members, never numbers.

A check raises `ProtocolFault`. The entrance of each room turns it into a value (`Complain`, or a
verdict of `operator_node.validation`); it never travels beyond the pure rooms.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

from sdk.errors import PeerError
from sdk.types import OperatorId


class Fault(IntEnum):
    """What is wrong. The value is the specification's number; above 1000, it has none there."""

    MALFORMED = 1
    FUTURE_MESSAGE = 2
    NO_COMMITS = 3
    NO_RUNNING_DUTY = 4
    COMMIT_INVALID = 5
    NOT_A_COMMIT = 6
    WRONG_HEIGHT = 7
    SIGNER_NOT_IN_COMMITTEE = 8
    SIGNER_REPEATED = 9
    UNKNOWN_DUTY = 10
    UNKNOWN_BLOCK_VERSION = 11
    SIGNATURE_COUNT = 12
    EMPTY_SIGNATURE = 13
    NO_MESSAGE = 14
    NO_SIGNATURES = 15
    NO_SIGNERS = 16
    SIGNER_ZERO = 17
    INCONSISTENT_SIGNERS = 18
    NO_PARTIAL_SIGNATURES = 19
    NO_RUNNER = 20
    ALREADY_DECIDED = 21
    CONSENSUS_FINISHED = 22
    VOTE_MALFORMED = 23
    NO_DUTIES = 24
    NO_SHARES = 25
    SOURCE_NOT_BELOW_TARGET = 26
    CHECKPOINT_MISMATCH = 27
    OTHER_COMMITTEE = 28
    MESSAGE_TYPE = 29
    ROUND_ZERO = 30
    IDENTIFIER = 31
    RECONSTRUCTION_FAILED = 32
    SLASHABLE_ATTESTATION = 33
    DECIDED_OTHER_HEIGHT = 34
    REGISTRATION_HAS_NO_CONSENSUS = 35
    REGISTRATION_HAS_NO_POST_CONSENSUS = 36
    EXIT_HAS_NO_CONSENSUS = 37
    EXIT_HAS_NO_POST_CONSENSUS = 38
    OPERATOR_SIGNATURE = 39
    DUTY_PASSED = 40
    WRONG_SIGNING_ROOT = 41
    SIGNER_NOT_SENDER = 42
    NO_DECIDED_VALUE = 43
    NO_RUNNING_INSTANCE = 44
    NOT_DECIDED = 45
    PAST_SLOT = 46
    FUTURE_SLOT = 47
    UNKNOWN_VALIDATOR = 48
    ROOT_COUNT = 49
    DUTY_TOO_FAR_AHEAD = 50
    WRONG_BEACON_ROLE = 51
    WRONG_VALIDATOR_INDEX = 52
    WRONG_VALIDATOR_KEY = 53
    INSTANCE_STOPPED = 54
    WRONG_ROUND = 55
    SEVERAL_SIGNERS = 56
    NO_PROPOSAL = 57
    PAST_ROUND = 58
    OTHER_ROOT = 59
    ROUND_CHANGE_QUORUM = 60
    PROPOSAL_INVALID = 61
    DATA_NOT_OF_ROOT = 62
    JUSTIFICATION_SIGNATURE = 63
    VALUE_INVALID = 64
    PREPARE_IN_JUSTIFICATION = 65
    JUSTIFICATION_QUORUM = 66
    NOT_THE_LEADER = 67
    INSTANCE_EXISTS = 68
    START_IN_THE_PAST = 69
    TIMEOUT_AFTER_STOP = 70
    ATTESTATION_COUNT = 71
    COMMITTEE_INDEX_MISSING = 72
    COMMITTEE_INDEX_UNUSED = 73
    COMMITTEE_INDEX_REPEATED = 74
    SUBNET_MISSING = 75
    SUBNET_REPEATED = 76
    SUBNET_UNUSED = 77
    NO_VALIDATORS = 78
    AGGREGATES_MALFORMED = 79
    BLOCK_VALUE_MALFORMED = 80
    QUORUM_WITH_BAD_SIGNATURES = 81
    WRONG_AGGREGATOR_DUTY = 82
    UNKNOWN_VERSION = 83
    ATTESTATION_MALFORMED = 84
    ROLE_NOT_OF_COMMITTEE = 85
    TOO_LARGE = 86
    ROLE_INVALID = 87
    SHARE_INVALID = 88
    OPERATOR_INVALID = 89
    COMMITTEE_MEMBER_INVALID = 90
    DUTY_INVALID = 91
    VOTE_WITHOUT_CHECKPOINT = 92
    # Refusals to which the specification gives no number.
    PREPARED_ROUND_AHEAD = 1001
    PREPARE_QUORUM = 1002
    PREPARED_VALUE_MISMATCH = 1003
    PARTIAL_SIGNER_NOT_IN_COMMITTEE = 1004
    SLASHABLE_BLOCK = 1005
    NO_VALUE_TO_PROPOSE = 1006
    FEE_RECIPIENT_REFUSED = 1007


_CODES: Final = {fault: fault.name.lower() for fault in Fault}


class ProtocolFault(PeerError):
    """A check failed. `fault` says which; the text says with which values."""

    default_code = "protocol_fault"

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message, code=_CODES[fault])
        self.fault = fault


class Complain(Struct, frozen=True, gc=False):
    """A message was refused, or something could not be done; state is as before unless said."""

    fault: Fault
    detail: str
    blame: OperatorId | None = None
    """The operator whose doing it is, when the message says so beyond doubt."""
