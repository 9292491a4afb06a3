"""Messages of several signers, and late ones: what is approved at once keeps the tables' rules.

Those of one signer are in `tests/property/test_gossip_tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from operator_node.validation.arrival import Arrival
from operator_node.validation.at_once import (
    keeps_consensus,
    keeps_decision,
    keeps_form,
    keeps_place,
)
from operator_node.validation.consensus_rules import CONSENSUS
from operator_node.validation.envelope_rules import FORM, PLACE
from operator_node.wire.codec import decode_consensus, encode_signed
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from operator_node.wire.messages import ConsensusKind, SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    SLOT_MS,
    VALUE,
    A,
    World,
    consensus,
    decided,
    prepare,
    round_change,
    topic,
)

QUORUMS = st.sampled_from([(1, 2, 3), (1, 2, 3, 4), (1, 2), (2, 1, 3), (1, 1, 2), (0, 1, 2)])


@dataclass
class Judged:
    """What a message of committee A, or of its validator 100, is found to be."""

    arrival: Arrival
    message: SignedMessage

    @property
    def is_approved(self) -> bool:
        body = decode_consensus(self.message.message.data)
        approves = keeps_consensus if len(self.message.signers) == 1 else keeps_decision
        return approves(self.arrival, body)

    @property
    def breaks_rule(self) -> bool:
        body = decode_consensus(self.message.message.data)
        return any(test(self.arrival, body) for _, test in CONSENSUS)


def judged(message: SignedMessage, into_slot_ms: int, *, world: World | None = None) -> Judged:
    slot = int.from_bytes(message.message.data[8:16], "little")
    validator = (world or World()).validator
    arrival = validator._arrival(message, topic(slot), slot * SLOT_MS + into_slot_ms)
    arrival.committee = A
    arrival.validator_index = None if arrival.role in COMMITTEE_ROLES else 100
    return Judged(arrival, message)


@settings(max_examples=300)
@given(
    kind=st.sampled_from([ConsensusKind.COMMIT] * 4 + [ConsensusKind.PREPARE, 4]),
    signers=QUORUMS,
    round_=st.one_of(st.integers(1, 3), st.integers(0, 14)),
    slot=st.sampled_from([ALAN_SLOT, BOOLE_SLOT]),
    role=st.sampled_from([RunnerRole.COMMITTEE] * 3 + [RunnerRole.PROPOSER]),
    identifier=st.sampled_from([None, None, None, bytes(56)]),
    root=st.sampled_from([None, None, None, bytes(32)]),
    full_data=st.sampled_from([VALUE, VALUE, VALUE, b"", bytes(200)]),
    prepares=st.sampled_from([(), (), (), (b"no message",)]),
    into_slot_ms=st.one_of(st.integers(0, SLOT_MS), st.integers(-100, 40 * SLOT_MS)),
    earlier=st.sampled_from([(), (), (1, 2, 3), (1, 2, 3, 4)]),
)
def test_decision_that_is_approved_at_once_breaks_no_rule(
    kind: int,
    signers: tuple[int, ...],
    round_: int,
    slot: int,
    role: int,
    identifier: bytes | None,
    root: bytes | None,
    full_data: bytes,
    prepares: tuple[bytes, ...],
    into_slot_ms: int,
    earlier: tuple[int, ...],
) -> None:
    world = World()
    if earlier:
        world.hear(decided(*earlier, slot=slot), slot=slot)
    message = consensus(
        kind, *signers, slot=slot, round_=round_, role=role, identifier=identifier, root=root,
        full_data=full_data, prepares=prepares,
    )  # fmt: skip
    found = judged(message, into_slot_ms, world=world)
    assert not (found.is_approved and found.breaks_rule)


@given(
    signers=st.one_of(QUORUMS, st.sampled_from([(1, 2, 14), (), (1,)])),
    signatures=st.lists(st.sampled_from([bytes(256)] * 5 + [b"", bytes(255)]), max_size=4),
    into_slot_ms=st.integers(0, SLOT_MS),
)
def test_form_and_place_of_several_signers_break_no_rule_if_approved(
    signers: tuple[int, ...], signatures: list[bytes], into_slot_ms: int
) -> None:
    message = replace(
        decided(), signers=tuple(map(OperatorId, signers)), signatures=tuple(signatures)
    )
    arrival = judged(message, into_slot_ms).arrival
    assert not (keeps_form(arrival) and any(test(arrival) for _, test in FORM))
    assert not (keeps_place(arrival) and any(test(arrival) for _, test in PLACE))


@pytest.mark.parametrize("signers", [(1, 2, 3), (1, 3, 4), (1, 2, 3, 4)])
@pytest.mark.parametrize("slot", [ALAN_SLOT, BOOLE_SLOT])
def test_honest_decision_is_approved_at_once(signers: tuple[int, ...], slot: int) -> None:
    found = judged(decided(*signers, slot=slot), 5_000)
    assert keeps_form(found.arrival)
    assert keeps_place(found.arrival)
    assert found.is_approved


def test_decision_with_no_more_signers_than_the_last_is_not_approved() -> None:
    world = World()
    world.hear(decided(1, 2, 3))
    assert not judged(decided(2, 3, 4), 5_000, world=world).is_approved
    assert judged(decided(1, 2, 3, 4), 5_000, world=world).is_approved


def test_prepared_round_change_with_its_proof_is_approved_at_once() -> None:
    proof = tuple(encode_signed(prepare(signer)) for signer in (1, 2, 3))
    message = consensus(
        ConsensusKind.ROUND_CHANGE, round_=2, data_round=1, full_data=VALUE, round_changes=proof
    )
    assert judged(message, 6_000).is_approved
    assert not judged(replace(message, full_data=b""), 6_000).is_approved


def test_round_change_of_a_slow_round_is_approved_while_the_duty_lives() -> None:
    message = round_change(round_=9)
    assert judged(message, 20_000).is_approved
    assert judged(message, 34 * SLOT_MS).is_approved
    assert not judged(message, 34 * SLOT_MS + 1).is_approved
