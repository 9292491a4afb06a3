"""Generations around a fork, signatures last, and independence of our own part."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from operator_node.validation import Accept, Chain, KnownCommittee, Rule, Validator
from operator_node.wire.codec import decode_signed, encode_envelope, encode_signed
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import (
    DomainType,
    RunnerRole,
    alan_subnet,
    boole_subnet,
    committee_id,
    committee_message_id,
)
from operator_node.wire.messages import Received, SignedMessage
from sdk.testing import keys
from sdk.types import OperatorId
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    A_ID,
    A_IDS,
    ALAN_SLOT,
    BOOLE_EPOCH,
    CHAIN,
    EPOCH,
    SLOT_MS,
    A,
    Registry,
    World,
    broken,
    decided,
    post_consensus,
    prepare,
    seal,
    topic,
    verify,
)

Maker = Callable[..., SignedMessage]
LAST_ALAN = BOOLE_EPOCH * EPOCH - 1
FIRST_BOOLE = LAST_ALAN + 1


def test_an_accepted_message_is_the_one_that_came() -> None:
    data = encode_signed(decided())
    verdict = World().hear(data)
    assert isinstance(verdict, Accept)
    assert isinstance(verdict.message, Received)
    assert verdict.message.signed == decode_signed(data, Generation.ALAN)


@pytest.mark.parametrize("make", [prepare, post_consensus])
def test_after_the_fork_an_alan_slots_message_follows_alan(
    make: Callable[..., SignedMessage],
) -> None:
    message = make(slot=LAST_ALAN)
    five_later_ms = 5 * SLOT_MS
    World().accept(message, slot=LAST_ALAN, into_slot_ms=five_later_ms)
    wrong = World().hear(message, slot=LAST_ALAN, into_slot_ms=five_later_ms, on=topic(FIRST_BOOLE))
    ignored(wrong, "E24")


@pytest.mark.parametrize("make", [prepare, post_consensus])
def test_before_the_fork_a_boole_slots_message_follows_boole(
    make: Callable[..., SignedMessage],
) -> None:
    message = make(slot=FIRST_BOOLE)
    World().accept(message, slot=FIRST_BOOLE, into_slot_ms=-50)
    wrong = World().hear(message, slot=FIRST_BOOLE, into_slot_ms=-50, on=topic(LAST_ALAN))
    ignored(wrong, "E24")


def test_the_domain_is_that_of_the_slots_generation() -> None:
    boole_id = committee_message_id(CHAIN.boole_domain, RunnerRole.COMMITTEE, A_ID)
    message = prepare(slot=LAST_ALAN)
    ignored(
        World().hear(
            seal(replace(message.message, id=boole_id), 1), slot=LAST_ALAN, on=topic(LAST_ALAN)
        ),
        "E15",
    )


def test_a_role_may_exist_in_one_generation_only() -> None:
    role = RunnerRole.AGGREGATOR_COMMITTEE
    World().accept(prepare(slot=FIRST_BOOLE, role=role), slot=FIRST_BOOLE)
    rejected(World().hear(prepare(slot=LAST_ALAN, role=role), slot=LAST_ALAN), "E16")


def test_more_entries_than_alan_knows_are_accepted_in_boole() -> None:
    world = World()
    world.registry.committees[A_ID] = KnownCommittee.of(A_IDS, range(2_000))
    indexes = tuple(range(1_600))
    message = post_consensus(slot=FIRST_BOOLE, indexes=indexes)
    world.accept(message, slot=FIRST_BOOLE)
    alan = post_consensus(slot=LAST_ALAN, indexes=indexes)
    rejected(world.hear(alan, slot=LAST_ALAN), "P1")


def test_data_too_short_for_a_slot_is_measured_by_the_clock() -> None:
    def short(domain: DomainType) -> SignedMessage:
        name = committee_message_id(domain, RunnerRole.COMMITTEE, A_ID)
        return seal(replace(prepare().message, id=name, data=bytes(15)), 1)

    rejected(World().hear(short(CHAIN.alan_domain), slot=LAST_ALAN), "C2")
    rejected(World().hear(short(CHAIN.boole_domain), slot=FIRST_BOOLE), "C2")
    ignored(World().hear(short(CHAIN.boole_domain), slot=LAST_ALAN), "E15")


def test_before_genesis_messages_are_early() -> None:
    world = World()
    message = prepare(slot=0)
    ignored(world.hear(message, slot=0, into_slot_ms=-60_000), "C23")
    rejected(world.hear(seal(replace(message.message, data=b"x"), 1), slot=-5), "C2")


def test_a_committees_subnets_follow_from_its_operators() -> None:
    assert A.subnet(Generation.ALAN) == alan_subnet(committee_id(A_IDS))
    assert A.subnet(Generation.BOOLE) == boole_subnet(map(OperatorId, A_IDS))


def test_topics_name_the_network_in_lower_case() -> None:
    assert CHAIN.topic(Generation.ALAN, 7) == "ssv.v2.7"
    assert CHAIN.topic(Generation.BOOLE, 127) == "/ssv/hoodi/boole/127"


def test_signatures_are_verified_once_per_signer_and_only_if_nothing_else_is_wrong() -> None:
    asked: list[int] = []

    def counting(operator: OperatorId, data: bytes, signature: bytes) -> bool:
        asked.append(operator)
        return verify(operator, data, signature)

    validator = Validator(CHAIN, Registry(), counting)
    at_ms = ALAN_SLOT * SLOT_MS
    message = encode_signed(decided(1, 2, 4))
    validator.validate(message, "elsewhere", at_ms=at_ms)
    assert asked == []
    validator.validate(message, topic(), at_ms=at_ms)
    assert asked == [1, 2, 4]


def test_operators_real_signatures_hold() -> None:
    private = keys.private_keys()

    def real(operator: OperatorId, data: bytes, signature: bytes) -> bool:
        return private[operator].public_key.verify(data, signature)

    validator = Validator(CHAIN, Registry(), real)
    unsigned = prepare(3)
    covered = encode_envelope(unsigned.message)
    at_ms = ALAN_SLOT * SLOT_MS
    for operator, rule in ((2, Rule.CONSENSUS_SIGNATURE), (3, None)):
        signature = private[OperatorId(operator)].sign(covered)
        data = encode_signed(replace(unsigned, signatures=(signature,)))
        verdict = validator.validate(data, topic(), at_ms=at_ms)
        assert broken(verdict) is rule


def test_networks_have_their_own_fork_epoch() -> None:
    never = Chain("mainnet", ForkEpochs(EPOCH), CHAIN.alan_domain, CHAIN.boole_domain)
    validator = Validator(never, Registry(), verify)
    slot = FIRST_BOOLE
    name = committee_message_id(CHAIN.alan_domain, RunnerRole.COMMITTEE, A_ID)
    body = prepare(slot=slot).message.data.replace(
        committee_message_id(CHAIN.boole_domain, RunnerRole.COMMITTEE, A_ID), name
    )
    message = seal(replace(prepare().message, id=name, data=body), 1)
    verdict = validator.validate(encode_signed(message), topic(), at_ms=slot * SLOT_MS)
    assert isinstance(verdict, Accept)
