"""What gossip validation approves at once keeps every rule of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from operator_node.validation import Rule
from operator_node.validation.arrival import Arrival
from operator_node.validation.at_once import (
    keeps_consensus,
    keeps_form,
    keeps_partials,
    keeps_place,
)
from operator_node.validation.consensus_rules import BYTES as CONSENSUS_BYTES
from operator_node.validation.consensus_rules import CONSENSUS
from operator_node.validation.envelope_rules import FORM, PLACE
from operator_node.validation.partial_rules import BYTES as PARTIALS_BYTES
from operator_node.validation.partial_rules import PARTIALS
from operator_node.validation.registry_view import KnownCommittee
from operator_node.wire.codec import decode_consensus, decode_partials, encode_signed
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from operator_node.wire.messages import (
    ConsensusKind,
    Envelope,
    PartialKind,
    SignedMessage,
)
from sdk.types import OperatorId
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    SLOT_MS,
    VALUE,
    A,
    C,
    World,
    commit,
    consensus,
    partials,
    post_consensus,
    prepare,
    proposal,
    topic,
)


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """So that all of a message's fields are often as they should be."""
    return st.sampled_from([usual] * 6 * len(others) + list(others))


justifications = mostly((), (b"no message",), (encode_signed(prepare(2)),))
slots = st.sampled_from([ALAN_SLOT, BOOLE_SLOT])
votes = st.builds(
    consensus,
    st.sampled_from([*ConsensusKind, 4]),
    st.integers(1, 4),
    slot=slots,
    round_=st.one_of(st.integers(1, 3), st.integers(0, 14)),
    role=mostly(
        RunnerRole.COMMITTEE,
        RunnerRole.PROPOSER,
        RunnerRole.SYNC_CONTRIBUTION,
        RunnerRole.VALIDATOR_REGISTRATION,
    ),
    identifier=mostly(None, bytes(56), b"short"),
    root=mostly(None, bytes(32)),
    full_data=st.sampled_from([b"", b"", VALUE, bytes(200)]),
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
times = st.one_of(st.integers(0, SLOT_MS), st.integers(-100, 40 * SLOT_MS))
singles = st.builds(
    SignedMessage,
    mostly(bytes(256), bytes(255), b"").map(lambda signature: (signature,)),
    st.integers(0, 14).map(lambda signer: (OperatorId(signer),)),
    st.builds(
        Envelope,
        mostly(0, 1, 2, 3),
        mostly(prepare().message.id, commit(slot=BOOLE_SLOT).message.id, bytes(56)),
        mostly(prepare().message.data, b"", b"data"),
    ),
)


ROLES_WITH_PARTIALS = (
    RunnerRole.AGGREGATOR_COMMITTEE,
    RunnerRole.PROPOSER,
    RunnerRole.SYNC_CONTRIBUTION,
    RunnerRole.AGGREGATOR,
    RunnerRole.VOLUNTARY_EXIT,
    RunnerRole.VALIDATOR_REGISTRATION,
)
signatures = st.builds(
    partials,
    st.one_of(st.just(PartialKind.POST_CONSENSUS), st.sampled_from([*PartialKind, 7])),
    signers=mostly((1,), (2,), (1, 2, 3)),
    slot=slots,
    role=mostly(RunnerRole.COMMITTEE, *ROLES_WITH_PARTIALS),
    indexes=st.one_of(
        st.just((100,)),
        st.lists(st.sampled_from([100, 100, 100, 101, 999]), max_size=16).map(tuple),
    ),
    inner=mostly(None, 2, 9),
    full_data=mostly(b"", VALUE),
)
signed_before = st.lists(st.builds(post_consensus, st.integers(1, 2), slot=slots), max_size=2)


def breaks(rules: Iterable[tuple[Rule, Callable[..., str | None]]], *subject: Any) -> bool:
    return any(test(*subject) for _, test in rules)


@settings(max_examples=300)
@given(votes, histories, times)
def test_vote_that_is_approved_at_once_breaks_no_rule(
    vote: SignedMessage, history: list[SignedMessage], into_slot_ms: int
) -> None:
    world = World()
    for message in history:
        world.hear(message)
    body = decode_consensus(vote.message.data)
    arrival = arrived(world, vote, into_slot_ms)
    is_approved = keeps_consensus(arrival, body)
    event(f"approved: {is_approved}")
    assert not (is_approved and breaks(CONSENSUS, arrival, body))


@settings(max_examples=300)
@given(signatures, signed_before, times)
def test_signatures_that_are_approved_at_once_break_no_rule(
    message: SignedMessage, history: list[SignedMessage], into_slot_ms: int
) -> None:
    world = World()
    for earlier in history:
        world.hear(earlier)
    arrival = arrived(world, message, into_slot_ms)
    body = decode_partials(message.message.data, arrival.generation)
    is_approved = keeps_partials(arrival, body)
    event(f"approved: {is_approved}")
    assert not (is_approved and breaks(PARTIALS, arrival, body))


@given(
    mostly((1,), (14,), (1, 2, 3), ()),
    mostly(A, C),
    mostly(topic(), topic(BOOLE_SLOT), topic(committee=C)),
    mostly(100, 151_220, 151_221, 722_412),
)
def test_place_that_is_approved_at_once_breaks_no_rule(
    signers: tuple[int, ...], committee: KnownCommittee, on: str, size: int
) -> None:
    envelope = Envelope(1, prepare().message.id, prepare().message.data.ljust(size, b"\0"))
    message = SignedMessage((), tuple(map(OperatorId, signers)), envelope)
    arrival = World().validator._arrival(message, on, ALAN_SLOT * SLOT_MS)
    arrival.committee = committee
    is_approved = keeps_place(arrival)
    event(f"approved: {is_approved}")
    assert not (is_approved and breaks((*PLACE, *CONSENSUS_BYTES, *PARTIALS_BYTES), arrival))


@given(singles)
def test_form_that_is_approved_at_once_breaks_no_rule(single: SignedMessage) -> None:
    arrival = World().validator._arrival(single, topic(), ALAN_SLOT * SLOT_MS)
    is_approved = keeps_form(arrival)
    event(f"approved: {is_approved}")
    assert not (is_approved and breaks(FORM, arrival))


@given(
    st.sampled_from([prepare, commit]),
    st.integers(1, 4),
    st.integers(1, 2),
    slots,
    st.integers(0, SLOT_MS),
)
def test_honest_vote_is_approved_at_once(
    make: Callable[..., SignedMessage], signer: int, round_: int, slot: int, into_slot_ms: int
) -> None:
    world = World()
    world.hear(proposal(slot=slot), slot=slot)
    vote = make(signer, slot=slot, round_=round_)
    arrival = arrived(world, vote, into_slot_ms)
    assert keeps_form(arrival)
    assert keeps_place(arrival)
    assert keeps_consensus(arrival, decode_consensus(vote.message.data))


@given(st.integers(1, 4), slots, st.integers(0, SLOT_MS), st.sampled_from([(100,), (100, 101)]))
def test_honest_signatures_are_approved_at_once(
    signer: int, slot: int, into_slot_ms: int, indexes: tuple[int, ...]
) -> None:
    message = post_consensus(signer, slot=slot, indexes=indexes)
    arrival = arrived(World(), message, into_slot_ms)
    assert keeps_form(arrival)
    assert keeps_place(arrival)
    assert keeps_partials(arrival, decode_partials(message.message.data, arrival.generation))


def arrived(world: World, message: SignedMessage, into_slot_ms: int) -> Arrival:
    """A message of committee A or of its validator 100, once it is known whose it is."""
    slot = int.from_bytes(message.message.data[8:16], "little")
    arrival = world.validator._arrival(message, topic(slot), slot * SLOT_MS + into_slot_ms)
    arrival.committee = A
    arrival.validator_index = None if arrival.role in COMMITTEE_ROLES else 100
    return arrival
