"""The closed list of how duties end: the word in logs, metrics, API and docs/failure-reasons.md.

Pure. The page is generated from these rows (`make docs`), and a test holds them equal. A reason
that is not in this list cannot be given.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Self


class Whose(StrEnum):
    """Whose doing an ending is."""

    NOBODY = "nobody's"
    OWN = "own node's"
    CO_OPERATOR = "co-operator's"
    UPSTREAM = "upstream's"
    CHAIN = "chain's"


class Reason(Enum):
    """One way for a duty to end: its word, whose doing it is, the cause, and what to do."""

    word: str
    whose: Whose
    cause: str
    advice: str

    def __new__(cls, word: str, whose: Whose, cause: str, advice: str) -> Self:
        reason = object.__new__(cls)
        reason._value_ = word
        reason.word = word
        reason.whose = whose
        reason.cause = cause
        reason.advice = advice
        return reason

    def __str__(self) -> str:
        return self.word

    DONE = (
        "done",
        Whose.NOBODY,
        "Every object of the duty was accepted by a beacon node.",
        "Nothing to do.",
    )
    NOTHING_SELECTED = (
        "nothing_selected",
        Whose.NOBODY,
        "No selection proof of the duty chose its validator as aggregator.",
        "Nothing to do: most slots choose nobody.",
    )
    NOT_SCHEDULED = (
        "not_scheduled",
        Whose.OWN,
        "The beacon node listed the duty, but this node did not know of it in time.",
        "Look at the node's start time and at its beacon nodes' answers for duties.",
    )
    BN_DOWN = (
        "bn_down",
        Whose.UPSTREAM,
        "No beacon node of this operator answered, and the co-operators did not carry the duty.",
        "Check the beacon nodes; give the node a second one.",
    )
    BN_LATE = (
        "bn_late",
        Whose.UPSTREAM,
        "Beacon nodes answered after the duty's time.",
        "Check the beacon nodes' load, disk and peers.",
    )
    BN_STALE_HEAD = (
        "bn_stale_head",
        Whose.UPSTREAM,
        "Beacon nodes answered for an old head, or are not synced.",
        "Wait for the sync, or name a synced beacon node first.",
    )
    BN_ERROR_SUBMIT = (
        "bn_error_submit",
        Whose.UPSTREAM,
        "The signed object was complete, and every beacon node refused it.",
        "Read the beacon nodes' answers in the duty's record.",
    )
    BLOCK_FETCH_LATE = (
        "block_fetch_late",
        Whose.UPSTREAM,
        "This node led the proposal, and its block did not come before the round ended.",
        "Check the beacon nodes and relays; lower the proposer delay.",
    )
    PRE_QUORUM_MISSING = (
        "pre_quorum_missing",
        Whose.CO_OPERATOR,
        "Fewer than a quorum sent valid partial signatures before consensus.",
        "The record names the missing operators; see whether they are online.",
    )
    NO_PROPOSAL = (
        "no_proposal",
        Whose.CO_OPERATOR,
        "No leader of any round proposed a value.",
        "The record names the leaders; see whether they are online and have a beacon node.",
    )
    PROPOSAL_INVALID = (
        "proposal_invalid",
        Whose.CO_OPERATOR,
        "What leaders proposed was refused by this node's value check.",
        "The record says why; compare the operators' beacon nodes.",
    )
    PREPARE_QUORUM_MISSING = (
        "prepare_quorum_missing",
        Whose.CO_OPERATOR,
        "A value was proposed, and fewer than a quorum prepared it.",
        "The record names the missing operators.",
    )
    COMMIT_QUORUM_MISSING = (
        "commit_quorum_missing",
        Whose.CO_OPERATOR,
        "A value was prepared, and fewer than a quorum committed to it.",
        "The record names the missing operators.",
    )
    POST_QUORUM_MISSING = (
        "post_quorum_missing",
        Whose.CO_OPERATOR,
        "The committee decided, and fewer than a quorum sent valid partial signatures.",
        "The record names the missing operators.",
    )
    BAD_PARTIAL = (
        "bad_partial",
        Whose.CO_OPERATOR,
        "Partial signatures of a co-operator do not verify, and too few valid ones were left.",
        "The record names the operator; its share or its software is damaged, or it is hostile.",
    )
    SIGNER_DOWN = (
        "signer_down",
        Whose.OWN,
        "The signer did not answer.",
        "Check the signer process and its storage.",
    )
    SLASHING_REFUSED = (
        "slashing_refused",
        Whose.OWN,
        "The slashing record forbids this signature: a higher or conflicting one was made before.",
        "Nothing must be forced. After a restore or a move wait an epoch; see docs/slashing.md.",
    )
    DOPPELGANGER_HOLD = (
        "doppelganger_hold",
        Whose.OWN,
        "The validator is watched for a second user of its key and is not signed for yet.",
        "Wait for the watch to end; make sure that the key runs nowhere else.",
    )
    FORK_HOLD = (
        "fork_hold",
        Whose.UPSTREAM,
        "Own beacon nodes contradict each other or the proposal on a checkpoint.",
        "Compare the beacon nodes with other sources before choosing a side.",
    )
    FEE_RECIPIENT_REFUSED = (
        "fee_recipient_refused",
        Whose.CO_OPERATOR,
        "Every proposed block paid somebody who is not the validator's fee recipient.",
        "The record names the leaders and the recipients.",
    )
    FENCED = (
        "fenced",
        Whose.OWN,
        "This node signs nothing: another instance of its operator was seen or holds the lease, "
        "own validators were slashed, or the operator fenced it.",
        "Its status says which of them and what to do; two instances must not sign at once.",
    )
    DRAINED = (
        "drained",
        Whose.OWN,
        "The operator had told this node to begin no duties.",
        "When it is wanted again: phalanx node resume, or a restart.",
    )
    START_WATCH = (
        "start_watch",
        Whose.OWN,
        "This node had just started and listened for another instance of its operator.",
        "Nothing to do: it lasts two slots with duties, and not after an ordinary restart.",
    )
    STOPPED = (
        "stopped",
        Whose.OWN,
        "This node was stopped before the duty had ended.",
        "Nothing to do: running duties are given until the slot ends, node.stop_grace at most.",
    )
    PEERS_MISSING = (
        "peers_missing",
        Whose.CO_OPERATOR,
        "Fewer than a quorum of the committee was connected during the duty.",
        "The record names the operators; check both sides' ports and addresses.",
    )
    LATE_START = (
        "late_start",
        Whose.OWN,
        "This node began the duty after its deadline, or while the committee was finishing.",
        "Look at the node's load and clock, and at when it was started.",
    )
    OVERLOAD = (
        "overload",
        Whose.OWN,
        "A queue of this node was full and the duty was dropped.",
        "Give the node more processor, or fewer validators.",
    )
    VALIDATOR_NOT_ACTIVE = (
        "validator_not_active",
        Whose.CHAIN,
        "The validator left the active set, or its cluster was liquidated, during the duty.",
        "Check the validator's state and the cluster's runway.",
    )
    SHARE_MISSING = (
        "share_missing",
        Whose.OWN,
        "This node has no usable share of the validator.",
        "Check that the operator key is the registered one; see the node's registry report.",
    )
    INTERNAL = (
        "internal",
        Whose.OWN,
        "A fault of this software.",
        "Report it with the duty's record.",
    )
