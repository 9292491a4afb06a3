"""Rules E1 to E24: a named case each, with its number and outcome, and their order."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.validation import Ignore, KnownValidator, Reject, Rule
from operator_node.wire.codec import MAX_FULL_DATA_BYTES, encode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MessageId, RunnerRole, committee_message_id
from operator_node.wire.messages import Envelope, PartialKind, SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    A_ID,
    ALAN_SLOT,
    BOOLE_SLOT,
    C_ID,
    CHAIN,
    EMPTY_ID,
    VALIDATOR,
    A,
    World,
    broken,
    commit,
    consensus,
    decided,
    key,
    partials,
    prepare,
    proposal,
    seal,
    topic,
)

ALAN, BOOLE = Generation.ALAN.limits, Generation.BOOLE.limits


def rejects(message: SignedMessage | bytes, number: str, world: World | None = None) -> None:
    rejected((world or World()).hear(message), number)


def ignores(message: SignedMessage | bytes, number: str, world: World | None = None) -> None:
    ignored((world or World()).hear(message), number)


def signed_by(*signers: int) -> SignedMessage:
    """A prepare that names the signers, each with a signature of its length."""
    return replace(
        prepare(),
        signatures=(bytes(256),) * len(signers),
        signers=tuple(OperatorId(signer) for signer in signers),
    )


def with_data(size: int, *, slot: int = ALAN_SLOT, full_data: bytes = b"") -> SignedMessage:
    """An envelope of so many bytes, whose slot can be read."""
    data = bytes(8) + slot.to_bytes(8, "little") + bytes(size - 16)
    return replace(
        prepare(slot=slot),
        message=replace(prepare(slot=slot).message, data=data),
        full_data=full_data,
    )


def under(domain: bytes) -> SignedMessage:
    message_id = committee_message_id(domain, RunnerRole.COMMITTEE, A_ID)
    return seal(replace(prepare().message, id=message_id), 1)


def of_validator(number: int) -> SignedMessage:
    return partials(
        PartialKind.VALIDATOR_REGISTRATION,
        role=RunnerRole.VALIDATOR_REGISTRATION,
        executor=key(number),
    )


def test_e1_empty_data_is_rejected() -> None:
    rejects(b"", "E1")


def test_e2_a_packet_above_the_bound_of_the_generation_is_ignored() -> None:
    ignores(bytes(ALAN.envelope_bytes + 1), "E2")
    rejects(bytes(ALAN.envelope_bytes), "E3")
    beyond = World().hear(bytes(BOOLE.envelope_bytes + 1), slot=BOOLE_SLOT)
    ignored(beyond, "E2")
    rejected(World().hear(bytes(BOOLE.envelope_bytes), slot=BOOLE_SLOT), "E3")


def test_e2_stops_no_packet_that_decodes() -> None:
    message = with_data(BOOLE.message_data_bytes, full_data=bytes(MAX_FULL_DATA_BYTES))
    signers = tuple(map(OperatorId, range(1, 14)))
    largest = replace(message, signatures=(bytes(256),) * 13, signers=signers)
    assert len(encode_signed(largest)) < ALAN.envelope_bytes
    rejects(largest, "E13")


def test_e3_bytes_that_are_no_signed_message_are_rejected() -> None:
    rejects(b"\x00" * 40, "E3")
    rejects(encode_signed(prepare())[:-1], "E3")


def test_e4_a_message_without_signers_is_rejected() -> None:
    rejects(replace(prepare(), signers=()), "E4")


def test_e5_a_message_without_signatures_is_rejected() -> None:
    rejects(replace(prepare(), signatures=()), "E5")


@pytest.mark.parametrize("size", [0, 255])
def test_e6_a_signature_that_is_not_256_bytes_long_is_rejected(size: int) -> None:
    rejects(replace(decided(), signatures=(bytes(256), bytes(256), bytes(size))), "E6")


def test_e7_signers_out_of_order_are_rejected() -> None:
    rejects(signed_by(1, 3, 2), "E7")


def test_e8_another_number_of_signatures_is_rejected() -> None:
    rejects(replace(prepare(), signatures=(bytes(256), bytes(256))), "E8")


def test_e9_signer_zero_is_rejected() -> None:
    rejects(signed_by(0, 1, 2), "E9")


def test_e10_a_signer_twice_is_rejected() -> None:
    rejects(signed_by(1, 2, 2), "E10")


def test_e11_an_operator_that_is_not_registered_is_ignored() -> None:
    ignores(signed_by(1, 2, 99), "E11")


def test_e12_an_empty_envelope_is_rejected() -> None:
    rejects(replace(prepare(), message=replace(prepare().message, data=b"")), "E12")


def test_e13_more_data_than_an_envelope_holds_is_rejected() -> None:
    rejects(with_data(ALAN.message_data_bytes + 1), "E13")


def test_e13_the_bound_is_that_of_the_messages_slot() -> None:
    at_bound = with_data(ALAN.message_data_bytes)
    beyond = with_data(ALAN.message_data_bytes + 1, slot=BOOLE_SLOT)
    assert broken(World().hear(at_bound)) is Rule.CONSENSUS_MALFORMED
    assert broken(World().hear(beyond, slot=BOOLE_SLOT)) is Rule.CONSENSUS_MALFORMED


@pytest.mark.parametrize("kind", [2, 3, 2**64 - 1])
def test_e14_kinds_that_nobody_gossips_are_rejected(kind: int) -> None:
    rejects(replace(prepare(), message=replace(prepare().message, kind=kind)), "E14")


def test_e15_another_domain_is_ignored() -> None:
    ignores(under(bytes.fromhex("00000001")), "E15")


def test_e15_the_other_generations_domain_is_ignored() -> None:
    ignores(under(CHAIN.boole_domain), "E15")


@pytest.mark.parametrize("role", [-1, 7, 2**31 - 1])
def test_e16_roles_that_do_not_exist_are_rejected(role: int) -> None:
    rejects(consensus(1, role=role), "E16")


def test_e16_the_aggregator_committee_does_not_exist_in_alan() -> None:
    rejects(consensus(1, role=RunnerRole.AGGREGATOR_COMMITTEE), "E16")


@pytest.mark.parametrize("role", [RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION])
def test_e16_a_validators_aggregation_roles_do_not_exist_in_boole(role: int) -> None:
    message = consensus(1, role=role, slot=BOOLE_SLOT)
    rejected(World().hear(message, slot=BOOLE_SLOT), "E16")


def test_e17_an_unknown_committee_is_ignored() -> None:
    ignores(consensus(1, executor=bytes(32)), "E17")


def test_e18_a_committee_whose_last_validator_left_here_first_is_ignored() -> None:
    ignores(consensus(1, 5, executor=EMPTY_ID), "E18")


def test_e19_an_unknown_validator_is_ignored() -> None:
    ignores(of_validator(999), "E19")


def test_e20_a_validator_of_a_liquidated_cluster_is_ignored() -> None:
    world = World()
    world.registry.validators[VALIDATOR] = KnownValidator(None, A, liquidated=True)
    ignores(of_validator(100), "E20", world)


def test_e21_a_validator_without_metadata_is_ignored() -> None:
    world = World()
    world.registry.validators[VALIDATOR] = KnownValidator(None, A, attesting=False)
    ignores(of_validator(100), "E21", world)


def test_e22_a_validator_that_does_not_attest_is_ignored() -> None:
    world = World()
    world.registry.validators[VALIDATOR] = KnownValidator(100, A, attesting=False)
    ignores(of_validator(100), "E22", world)


def test_e23_a_signer_outside_the_committee_is_rejected() -> None:
    rejects(prepare(5), "E23")
    rejects(decided(1, 2, 5), "E23")


def test_e23_a_signer_outside_the_committee_that_we_know_of_a_validator_is_ignored() -> None:
    # The validator may have moved to another committee, here or there first.
    ignores(
        partials(
            PartialKind.VALIDATOR_REGISTRATION,
            role=RunnerRole.VALIDATOR_REGISTRATION,
            signers=(5,),
        ),
        "E23",
    )


@pytest.mark.parametrize("name", ["", "ssv.v2.0", topic(BOOLE_SLOT)])
def test_e24_a_message_on_another_topic_is_ignored(name: str) -> None:
    ignored(World().hear(prepare(), on=name), "E24")


def test_e24_in_boole_the_topic_is_that_of_the_lowest_operator_hash() -> None:
    message = prepare(slot=BOOLE_SLOT)
    assert topic(BOOLE_SLOT).startswith("/ssv/hoodi/boole/")
    World().accept(message, slot=BOOLE_SLOT)
    ignored(World().hear(message, slot=BOOLE_SLOT, on=topic()), "E24")


def test_operators_need_not_sit_with_us_to_be_validated() -> None:
    message = consensus(1, 13, executor=C_ID)
    world = World()
    committee = world.registry.committees[C_ID]
    world.accept(message, on=topic(committee=committee))


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (replace(signed_by(3, 2), signatures=(bytes(3),)), "E6"),
        (replace(signed_by(3, 2), signatures=(bytes(256),)), "E7"),
        (replace(signed_by(0, 99), signatures=(bytes(256),)), "E8"),
        (signed_by(0, 0, 99), "E9"),
        (signed_by(2, 2, 99), "E10"),
        (replace(signed_by(99), message=Envelope(9, MessageId(bytes(56)), b"")), "E11"),
        (replace(signed_by(1), message=Envelope(9, MessageId(bytes(56)), b"")), "E12"),
        (replace(signed_by(1), message=Envelope(9, MessageId(bytes(56)), bytes(20))), "E14"),
        (replace(signed_by(1), message=Envelope(1, MessageId(b"\xff" * 56), bytes(20))), "E15"),
        (consensus(7, 5, executor=bytes(32)), "E17"),
        (commit(5, 6), "E23"),
        (proposal(2, 3, round_=0), "C3"),
    ],
)
def test_the_first_broken_rule_is_the_verdict(message: SignedMessage, number: str) -> None:
    rule = broken(World().hear(message))
    assert rule is not None
    assert rule.number == number


def test_a_foreign_topic_is_told_after_a_foreign_signer() -> None:
    rejected(World().hear(prepare(5), on="elsewhere"), "E23")


def test_refusals_say_why() -> None:
    verdict = World().hear(prepare(5))
    assert isinstance(verdict, Reject)
    assert verdict.why == "operator 5, committee (1, 2, 3, 4)"
    unknown = World().hear(signed_by(99))
    assert isinstance(unknown, Ignore)
    assert unknown.why == "operator 99 is not registered"
