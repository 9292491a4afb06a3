"""Rules left out for single votes are rules that no single vote breaks first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from operator_node.validation import Rule
from operator_node.validation.consensus_rules import CONSENSUS, VOTES, rules_for
from operator_node.validation.envelope_rules import FORM, FORM_OF_SINGLES
from operator_node.wire.codec import decode_consensus, encode_signed
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, Envelope, SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    SLOT_MS,
    A,
    World,
    commit,
    consensus,
    prepare,
    proposal,
    topic,
)

justifications = st.sampled_from([(), (b"no message",), (encode_signed(prepare(2)),)])
slots = st.sampled_from([ALAN_SLOT, BOOLE_SLOT])
votes = st.builds(
    consensus,
    st.sampled_from([ConsensusKind.PREPARE, ConsensusKind.COMMIT]),
    st.integers(1, 4),
    slot=slots,
    round_=st.integers(0, 14),
    role=st.sampled_from(
        [
            RunnerRole.COMMITTEE,
            RunnerRole.PROPOSER,
            RunnerRole.SYNC_CONTRIBUTION,
            RunnerRole.VALIDATOR_REGISTRATION,
        ]
    ),
    identifier=st.sampled_from([None, bytes(56), b"short"]),
    root=st.sampled_from([None, bytes(32)]),
    full_data=st.sampled_from([b"", b"a value", bytes(200)]),
    data_round=st.integers(0, 2),
    round_changes=justifications,
    prepares=justifications,
)
histories = st.lists(
    st.builds(
        lambda make, signer, round_: make(signer, round_=round_),
        st.sampled_from([prepare, commit, proposal]),
        st.integers(1, 4),
        st.integers(1, 3),
    ),
    max_size=4,
)
times = st.integers(-100, 40 * SLOT_MS)
singles = st.builds(
    SignedMessage,
    st.sampled_from([bytes(256), bytes(255), b""]).map(lambda signature: (signature,)),
    st.integers(0, 14).map(lambda signer: (OperatorId(signer),)),
    st.builds(
        Envelope,
        st.integers(0, 3),
        st.sampled_from([prepare().message.id, commit(slot=BOOLE_SLOT).message.id, bytes(56)]),
        st.sampled_from([b"", b"data", prepare().message.data]),
    ),
)


def first_broken(
    rules: Iterable[tuple[Rule, Callable[..., str | None]]], *subject: Any
) -> Rule | None:
    return next((rule for rule, test in rules if test(*subject)), None)


@given(votes, histories, times)
def test_vote_breaks_the_same_rule_first_in_the_short_table(
    vote: SignedMessage, history: list[SignedMessage], into_slot_ms: int
) -> None:
    world = World()
    for message in history:
        world.hear(message)
    body = decode_consensus(vote.message.data)
    at_ms = body.height * SLOT_MS + into_slot_ms
    arrival = world.validator._arrival(vote, topic(body.height), at_ms)
    arrival.committee = A
    arrival.validator_index = None if arrival.role == RunnerRole.COMMITTEE else 100
    assert rules_for(arrival, body) is VOTES
    assert first_broken(VOTES, arrival, body) is first_broken(CONSENSUS, arrival, body)


@given(singles)
def test_single_signature_breaks_the_same_rule_first_in_the_short_table(
    single: SignedMessage,
) -> None:
    arrival = World().validator._arrival(single, topic(), ALAN_SLOT * SLOT_MS)
    assert first_broken(FORM_OF_SINGLES, arrival) is first_broken(FORM, arrival)
