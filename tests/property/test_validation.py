"""Validation under any input and order: it answers, it remembers only what it accepted, and honest
operators are never penalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from operator_node.validation import Accept, Reject, Rule, Seen, Verdict
from operator_node.wire.codec import encode_consensus, encode_partials, encode_signed, signs_over
from operator_node.wire.messages import ConsensusKind, Received, SignedMessage
from tests.unit.operator_node.validation.world import (
    A_IDS,
    ALAN_SLOT,
    BOOLE_SLOT,
    SLOT_MS,
    VALUE,
    World,
    broken,
    commit,
    consensus,
    decided,
    partials,
    post_consensus,
    prepare,
    proposal,
    registration,
    round_change,
    verify,
    voluntary_exit,
)

BOOLE_SAMPLES = (
    proposal(slot=BOOLE_SLOT),
    partials(6, role=6, slot=BOOLE_SLOT, indexes=(100, 100, 101)),
)
SAMPLES = (
    proposal(),
    proposal(2, round_=2, round_changes=(encode_signed(round_change(3)),)),
    prepare(2),
    commit(3),
    decided(1, 2, 4),
    round_change(1, data_round=1),
    post_consensus(4, indexes=(100, 101, 102)),
    partials(2, role=1),
    partials(1, role=2),
    registration(),
    voluntary_exit(),
    *BOOLE_SAMPLES,
)
"""One of every kind."""

operators = st.sampled_from(A_IDS)
quorums = st.sampled_from([(1, 2, 3), (1, 2, 4), (2, 3, 4), (1, 2, 3, 4)])
rounds = st.integers(1, 4)
slots = st.integers(ALAN_SLOT, ALAN_SLOT + 2)


@st.composite
def votes(draw: st.DrawFn) -> SignedMessage:
    """Some step of some operator, possibly not for the first time, possibly for another value."""
    kind = draw(st.sampled_from(ConsensusKind))
    slot, round_ = draw(slots), draw(rounds)
    value = draw(st.sampled_from([VALUE, b"another"]))
    if kind is ConsensusKind.COMMIT and draw(st.booleans()):
        return consensus(kind, *draw(quorums), slot=slot, round_=round_, full_data=value)
    signer = draw(operators)
    if kind is ConsensusKind.PROPOSAL:
        leader = A_IDS[(slot + round_ - 1) % 4]
        return consensus(kind, leader, slot=slot, round_=round_, full_data=value)
    root = sha256(value).digest()
    return consensus(kind, signer, slot=slot, round_=round_, root=root)


messages = st.one_of(
    votes(),
    st.builds(lambda signer, slot: post_consensus(signer, slot=slot), operators, slots),
)
deliveries = st.lists(messages, max_size=40)


def hear(world: World, message: SignedMessage | bytes) -> Verdict:
    """Arrives, in its own generation, late enough for rounds up to 4 of all slots used."""
    is_boole = isinstance(message, SignedMessage) and message in BOOLE_SAMPLES
    slot = BOOLE_SLOT if is_boole else ALAN_SLOT
    return world.hear(message, slot=slot, into_slot_ms=2 * SLOT_MS + 6_000)


@given(st.binary(max_size=700))
def test_any_bytes_get_a_verdict_and_leave_no_trace(data: bytes) -> None:
    world = World()
    assert isinstance(hear(world, data), Verdict)
    assert world.validator.seen.records == 0


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, 3),
)
def test_a_changed_message_is_accepted_only_if_all_its_signatures_hold(
    message: SignedMessage, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(encode_signed(message))
    for at, value in changes:
        data[at % len(data)] = value
    changed = bytes(data[: len(data) - cut])
    verdict = hear(World(), changed)
    if isinstance(verdict, Accept):
        signed = verdict.message.signed
        assert encode_signed(signed) == changed
        for signer, signature in zip(signed.signers, signed.signatures, strict=True):
            assert verify(signer, signs_over(signed), signature)


@given(st.lists(st.sampled_from(SAMPLES), max_size=20))
def test_an_accepted_message_encodes_to_the_bytes_that_came(
    delivered: list[SignedMessage],
) -> None:
    world = World()
    for message in delivered:
        verdict = hear(world, message)
        if isinstance(verdict, Accept):
            heard = verdict.message
            assert heard.signed == message
            is_consensus = isinstance(heard, Received)
            assert is_consensus is (message.message.kind == 0)
            body = (
                encode_consensus(heard.body)
                if isinstance(heard, Received)
                else encode_partials(heard.body)
            )
            assert body == message.message.data


@given(deliveries)
def test_refused_messages_change_nothing(delivered: list[SignedMessage]) -> None:
    world = World()
    heard = [(message, hear(world, message)) for message in delivered]
    again = World()
    for message, verdict in heard:
        if isinstance(verdict, Accept):
            assert hear(again, message) == verdict
    assert again.validator.seen.records == world.validator.seen.records
    assert again.validator.seen.streams == world.validator.seen.streams


@dataclass
class Naive:
    """Rules C16 to C19 and P12 by the letter: everything accepted is kept and searched."""

    accepted: list[tuple[SignedMessage, Received]] = field(default_factory=list)

    def broken(self, message: SignedMessage, received: Received) -> Rule | None:
        body, signers = received.body, message.signers
        mine = [
            (earlier, other.body)
            for earlier, other in self.accepted
            if other.body.height == body.height
        ]
        if len(signers) > 1:
            most = max((len(earlier.signers) for earlier, _ in mine), default=0)
            return Rule.REPEATED_DECISION if len(signers) <= most else None
        of_signer = [(earlier, other) for earlier, other in mine if signers[0] in earlier.signers]
        if any(other.round > body.round for _, other in of_signer):
            return Rule.ROUND_ADVANCED
        same = [
            other
            for earlier, other in of_signer
            if (other.round, other.kind) == (body.round, body.kind) and len(earlier.signers) == 1
        ]
        if not same:
            return None
        if body.kind == ConsensusKind.PROPOSAL and same[0].root != body.root:
            return Rule.SECOND_PROPOSAL
        return Rule.REPEATED_STEP


@given(st.lists(votes(), max_size=40))
def test_the_memory_agrees_with_a_list_of_everything(delivered: list[SignedMessage]) -> None:
    world, naive = World(), Naive()
    for message in delivered:
        received = World().hear(message, into_slot_ms=2 * SLOT_MS + 6_000)
        assert isinstance(received, Accept)
        assert isinstance(received.message, Received)
        expected = naive.broken(message, received.message)
        assert broken(hear(world, message)) is expected
        if expected is None:
            naive.accepted.append((message, received.message))


@given(st.lists(messages, max_size=30), st.permutations(range(30)))
def test_whatever_a_node_passes_on_in_its_order_no_other_rejects_in_another(
    said: list[SignedMessage], order: list[int]
) -> None:
    relay, receiver = World(), World()
    for at in order:
        if at < len(said):
            hear(receiver, said[at])
    passed_on = [message for message in said if isinstance(hear(relay, message), Accept)]
    assert not [each for each in passed_on if isinstance(hear(receiver, each), Reject)]


@given(st.sampled_from(SAMPLES), st.sampled_from([b"", b"x", VALUE, bytes(113)]))
def test_whoever_exchanges_full_data_stands_in_nobodys_way(
    message: SignedMessage, full_data: bytes
) -> None:
    world = World()
    changed = replace(message, full_data=full_data)
    if changed != message:
        assert not isinstance(hear(world, changed), Accept)
    assert isinstance(hear(world, message), Accept)


def honest_messages(slot: int) -> list[SignedMessage]:
    """All that a committee says whose first leader is slow: two rounds, then signatures."""
    first, second = A_IDS[slot % 4], A_IDS[(slot + 1) % 4]
    said = [proposal(first, slot=slot), proposal(second, slot=slot, round_=2)]
    for operator in A_IDS:
        said += [
            prepare(operator, slot=slot),
            round_change(operator, slot=slot, data_round=1),
            prepare(operator, slot=slot, round_=2),
            commit(operator, slot=slot, round_=2),
            post_consensus(operator, slot=slot, indexes=(100, 101)),
        ]
    return [*said, *(decided(*each, slot=slot, round_=2) for each in ((1, 2, 3), (2, 3, 4)))]


HONEST = [message for slot in (ALAN_SLOT, ALAN_SLOT + 1) for message in honest_messages(slot)]


@settings(max_examples=50)
@given(st.permutations(HONEST))
def test_honest_operators_are_never_rejected_in_any_order(order: list[SignedMessage]) -> None:
    world = World()
    verdicts = [hear(world, message) for message in order]
    assert not [verdict for verdict in verdicts if isinstance(verdict, Reject)]
    ignored = {broken(verdict) for verdict in verdicts} - {None}
    assert ignored <= {Rule.ROUND_ADVANCED, Rule.REPEATED_DECISION}


@given(
    st.lists(st.one_of(messages, st.sampled_from(SAMPLES)), max_size=40),
    st.integers(1, 4),
    st.integers(4, 30),
)
def test_bounds_hold_after_every_message(
    delivered: list[SignedMessage], max_streams: int, max_records: int
) -> None:
    seen = Seen(max_streams=max_streams, max_records=max_records)
    world = World(seen=seen)
    for message in delivered:
        hear(world, message)
        assert seen.streams <= max_streams
        assert seen.records <= max_records
        assert seen.records >= seen.streams


@given(st.sampled_from(SAMPLES), operators)
def test_nobody_speaks_for_another_operator(message: SignedMessage, thief: int) -> None:
    forged = replace(message, signatures=prepare(thief).signatures * len(message.signers))
    if forged != message:
        world = World()
        slot = BOOLE_SLOT if message in BOOLE_SAMPLES else ALAN_SLOT
        verdict = world.hear(forged, slot=slot)
        assert broken(verdict) in (Rule.CONSENSUS_SIGNATURE, Rule.PARTIALS_SIGNATURE)
        assert world.validator.seen.streams == 0
