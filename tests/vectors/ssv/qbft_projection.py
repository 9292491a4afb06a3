"""The consensus state in a case's dump and ours, both reduced to what the protocol knows of."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, TypeAlias

from operator_node.qbft import State
from operator_node.qbft.tallies import Tally
from operator_node.wire.codec import decode_consensus, encode_signed
from operator_node.wire.messages import Received, SignedMessage
from tests.vectors.ssv.reading import raw, rows, signed_message

Projection: TypeAlias = dict[str, Any]


def received(signed: SignedMessage) -> Received:
    """A message whose content decodes; signatures count as verified."""
    return Received(signed, decode_consensus(signed.message.data))


def load_state(dump: dict[str, Any]) -> State:
    """The state of a dumped instance (`State`, `StartValue`, `forceStop`).

    Dumps do not say what the dumped node had sent. It votes as soon as it may, so an accepted
    proposal means a prepare, and a prepare quorum of the round means a commit.
    """
    inner = dump["State"]
    start_value = raw(dump.get("StartValue"))
    round_, prepared_round = inner["Round"], inner["LastPreparedRound"]
    accepted = inner["ProposalAcceptedForCurrentRound"]
    return State(
        height=inner["Height"],
        round=round_,
        start_value=start_value or None,
        prepared_round=prepared_round,
        prepared_value=raw(inner["LastPreparedValue"]),
        proposal=None if accepted is None else _message(accepted),
        decided=inner["Decided"],
        decided_value=raw(inner["DecidedValue"]),
        stopped=bool(dump.get("forceStop")),
        own_prepare_round=round_ if accepted else 0,
        own_commit_round=prepared_round,
        proposals=_tally(inner["ProposeContainer"]),
        prepares=_tally(inner["PrepareContainer"]),
        commits=_tally(inner["CommitContainer"]),
        round_changes=_tally(inner["RoundChangeContainer"]),
    )


def project(dump: dict[str, Any]) -> Projection:
    """What a dumped instance says."""
    return project_ours(load_state(dump))


def project_ours(state: State) -> Projection:
    """What our state says, in the same words."""
    return {
        "height": state.height,
        "round": state.round,
        "prepared_round": state.prepared_round,
        "prepared_value": state.prepared_value.hex(),
        "decided": state.decided,
        "decided_value": state.decided_value.hex(),
        "proposal": None if state.proposal is None else digest(state.proposal.signed),
        "proposals": _digests(state.proposals),
        "prepares": _digests(state.prepares),
        "commits": _digests(state.commits),
        "round_changes": _digests(state.round_changes),
    }


def digest(signed: SignedMessage) -> str:
    """SHA-256 of the message's encoding."""
    return sha256(encode_signed(signed)).hexdigest()


def _digests(tally: Tally) -> dict[int, list[str]]:
    return {
        round_: [digest(message.signed) for message in messages]
        for round_, messages in tally.items()
        if messages
    }


def _tally(container: dict[str, Any]) -> Tally:
    return {
        int(round_): [_message(each) for each in rows(messages)]
        for round_, messages in (container["Msgs"] or {}).items()
    }


def _message(dump: dict[str, Any]) -> Received:
    return received(signed_message(dump["SignedMessage"]))
