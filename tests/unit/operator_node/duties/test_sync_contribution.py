"""Alan's contributions: one signature per position, one contribution per subnet that is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from msgspec import structs

from operator_node.duties.reasons import Reason
from operator_node.duties.sync_contribution import ContributionDuty
from operator_node.duties.types import (
    AttestationDataQuery,
    BeaconObject,
    ContributionQuery,
    Step,
    SubmissionKind,
    Unavailable,
    ValueCheck,
)
from operator_node.duties.values import Contribution, decode_contributions, encode_contributions
from operator_node.qbft.types import Verdict
from operator_node.spec.containers import (
    ContributionAndProof,
    SyncAggregatorSelectionData,
    SyncCommitteeContribution,
)
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import signed_contribution_and_proof_shape
from operator_node.spec.presets import Preset
from operator_node.spec.signing import (
    SigningDomain,
    contribution_and_proof_root,
    signing_root,
    sync_selection_data_root,
)
from operator_node.spec.ssz import field, hash_tree_root
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import decode_validator_value, encode_validator_value
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty, ValidatorValue
from sdk.types import Epoch, Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    SHARE,
    SLOTS_PER_EPOCH,
    Desk,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

SLOT = first_slot(FULU)
EPOCH = SLOT // SLOTS_PER_EPOCH
POSITIONS = (0, 1, 129, 400)
"""Two in subnet 0, one in subnet 1, one in subnet 3."""
DUTY = duty_of(BeaconRole.SYNC_CONTRIBUTION, SLOT, sync_committee_indices=POSITIONS)


@dataclass(frozen=True)
class Drawn:
    """A selection rule that is told which proofs win."""

    proofs: frozenset[bytes]

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        raise AssertionError("not asked here")

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        return proof in self.proofs


def root_of(subnet: int) -> bytes:
    domain = MAINNET.domain(SigningDomain.SYNC_SELECTION_PROOF, EPOCH)
    return signing_root(sync_selection_data_root(SyncAggregatorSelectionData(SLOT, subnet)), domain)


def proof_of(subnet: int) -> bytes:
    return recovered_signature(root_of(subnet))


def contribution(subnet: int) -> bytes:
    return SyncCommitteeContribution(SLOT, bytes(32), subnet, bytes(16), bytes(96)).encode()


def desk(*subnets: int, value_check: ValueCheck = ValueCheck.DUTY) -> Desk:
    """A duty whose validator is drawn for these subnets."""
    selection = Drawn(frozenset(proof_of(subnet) for subnet in subnets))
    ground = replace(setting(Generation.ALAN), value_check=value_check)
    return Desk(ContributionDuty(ground, DUTY, SHARE, selection=selection)).begin()


def value_of(*subnets: int) -> bytes:
    listed = [Contribution(proof_of(subnet), contribution(subnet)) for subnet in subnets]
    return encode_validator_value(ValidatorValue(DUTY, FULU, encode_contributions(listed)))


def provide(at: Desk, *subnets: int) -> Desk:
    for place, query in enumerate(at.queries):
        assert isinstance(query, ContributionQuery)
        if query.subnet in subnets:
            at.provide(BeaconObject(FULU, contribution(query.subnet)), place=place)
    return at


def test_every_position_is_signed_even_twice_in_a_subnet() -> None:
    at = desk()
    (body,) = at.published
    assert (body.kind, body.slot) == (PartialKind.CONTRIBUTION_PROOFS, SLOT)
    assert [item.root for item in body.items] == [root_of(subnet) for subnet in (0, 0, 1, 3)]
    assert [item.root for item in at.asked] == [root_of(subnet) for subnet in (0, 1, 3)]


def test_message_with_each_subnet_only_once_is_refused() -> None:
    roots = [root_of(subnet) for subnet in (0, 1, 3)]
    at = desk().receive(message(2, roots, slot=SLOT, kind=PartialKind.CONTRIBUTION_PROOFS))
    assert at.faults == [Fault.ROOT_COUNT]


def test_nobody_drawn_is_done_with_nothing_to_do() -> None:
    at = desk().hear(2, 3)
    assert [outcome.reason for outcome in at.outcomes] == [Reason.NOTHING_SELECTED]
    assert (at.opened, at.queries) == (0, [])


def test_each_drawn_subnet_is_asked_for_once() -> None:
    at = desk(0, 3).hear(2, 3)
    assert at.opened == 1
    assert at.queries == [
        ContributionQuery(SLOT, 0, recovered_signature(root_of(0))),
        ContributionQuery(SLOT, 3, recovered_signature(root_of(3))),
    ]


def test_contributions_are_proposed_when_all_answers_are_in() -> None:
    at = provide(desk(0, 3).hear(2, 3), 3)
    assert not at.proposals
    assert provide(at, 0).proposals == [value_of(0, 3)]


def test_contributions_that_came_are_proposed_without_the_missing_ones() -> None:
    at = provide(desk(0, 3).hear(2, 3), 3)
    at.provide(Unavailable(Reason.BN_DOWN), place=0)
    assert at.proposals == [value_of(3)]


def test_without_any_contribution_nothing_is_proposed_but_others_are_followed() -> None:
    at = desk(3).hear(2, 3).provide(Unavailable(Reason.BN_DOWN, "all of them"))
    assert not at.proposals
    assert at.duty.check_value(value_of(3), round_number=1) is Verdict.VALID
    assert desk(3).hear(2, 3).provide(Unavailable(Reason.BN_DOWN)).expire().reason is Reason.BN_DOWN


def test_bad_proof_of_one_subnet_waits_for_the_next_operator() -> None:
    at = desk(0, 3).hear(2).hear(3, is_good=False)
    assert at.opened == 0
    assert at.faults == [Fault.RECONSTRUCTION_FAILED] * 3
    assert at.hear(4).opened == 1


def test_decided_contributions_are_signed_and_each_is_submitted() -> None:
    at = provide(desk(0, 3).hear(2, 3), 0, 3)
    at.decide(value_of(0, 3))
    domain = MAINNET.domain(SigningDomain.CONTRIBUTION_AND_PROOF, EPOCH)
    messages = [
        ContributionAndProof(INDEX, contribution(subnet), proof_of(subnet)) for subnet in (0, 3)
    ]
    roots = [signing_root(contribution_and_proof_root(each), domain) for each in messages]
    assert [item.root for item in at.published[-1].items] == roots

    at.hear(2, 3)
    shape = signed_contribution_and_proof_shape(Preset.MAINNET)
    assert [submission.kind for submission in at.submissions] == [SubmissionKind.CONTRIBUTION] * 2
    for submission, wanted, root in zip(at.submissions, messages, roots, strict=True):
        assert bytes(field(shape, submission.data, "message")) == wanted.encode()
        assert bytes(field(shape, submission.data, "signature")) == recovered_signature(root)
        assert submission.root == hash_tree_root(shape, submission.data)
    assert at.submit().outcomes[0].submitted == (INDEX,)
    assert at.steps[-1] is Step.SUBMITTED


def test_refused_contribution_is_the_outcome_though_another_was_taken() -> None:
    at = desk(0, 3).hear(2, 3).decide(value_of(0, 3)).hear(2, 3)
    first, second = at.submissions
    at.submissions = [first]
    at.submit()
    assert not at.outcomes
    at.submissions = [second]
    at.submit(error="400")
    assert [outcome.reason for outcome in at.outcomes] == [Reason.BN_ERROR_SUBMIT]


def test_value_of_another_slot_is_refused_by_choice() -> None:
    later = replace(DUTY, slot=Slot(SLOT + 1))
    listed = encode_contributions([Contribution(proof_of(3), contribution(3))])
    value = encode_validator_value(ValidatorValue(later, FULU, listed))
    with pytest.raises(ProtocolFault) as refusal:
        desk(3).duty.check_value(value, round_number=1)
    assert refusal.value.fault is Fault.VALUE_INVALID
    network = desk(3, value_check=ValueCheck.NETWORK).duty
    assert network.check_value(value, round_number=1) is Verdict.VALID


def test_value_without_a_contribution_is_refused_by_choice() -> None:
    at = desk(3).hear(2, 3)
    with pytest.raises(ProtocolFault) as refusal:
        at.decide(value_of())
    assert refusal.value.fault is Fault.VALUE_INVALID
    assert at.expire().reason is Reason.PROPOSAL_INVALID
    assert len(at.published) == 1


def test_by_the_networks_rule_a_decided_list_of_nothing_ends_the_duty() -> None:
    at = desk(3, value_check=ValueCheck.NETWORK).hear(2, 3).decide(value_of())
    assert [outcome.reason for outcome in at.outcomes] == [Reason.PROPOSAL_INVALID]
    assert len(at.published) == 1


def test_list_survives_the_value_with_an_offset_per_element() -> None:
    data = decode_validator_value(value_of(0, 3)).data
    assert data[:8] == (8).to_bytes(4, "little") + (8 + 256).to_bytes(4, "little")
    assert len(decode_contributions(data, Preset.MAINNET).items) == 2


def test_value_of_another_validator_is_refused() -> None:
    other = ValidatorDuty(BeaconRole.SYNC_CONTRIBUTION, SHARE.validator_key, SLOT, INDEX + 1)
    value = encode_validator_value(ValidatorValue(other, FULU, b""))
    with pytest.raises(ProtocolFault) as refusal:
        desk(3).duty.check_value(value, round_number=1)
    assert refusal.value.fault is Fault.WRONG_VALIDATOR_INDEX


def test_answers_to_questions_of_other_duties_are_ignored() -> None:
    at = desk(3).hear(2, 3)
    elsewhere = AttestationDataQuery(SLOT)
    at.carry_out(at.duty.provide(elsewhere, BeaconObject(FULU, contribution(3))))
    at.carry_out(at.duty.provide(elsewhere, Unavailable(Reason.BN_LATE)))
    vote = BeaconVote(bytes(32), Checkpoint(Epoch(0), bytes(32)), Checkpoint(Epoch(1), bytes(32)))
    at.carry_out(at.duty.provide(elsewhere, vote))
    assert not at.proposals
    assert provide(at, 3).proposals == [value_of(3)]


def test_contribution_that_is_complete_is_submitted_before_the_others() -> None:
    at = desk(0, 3).hear(2, 3).decide(value_of(0, 3))
    roots = [item.root for item in at.published[-1].items]
    good, mixed = message(2, roots, slot=SLOT), message(3, roots, slot=SLOT)
    first, second = mixed.body.items
    items = (first, structs.replace(second, signature=bytes(96)))
    damaged = structs.replace(mixed.body, items=items)
    at.receive(good).receive(structs.replace(mixed, body=damaged))
    assert len(at.submissions) == 1
    assert at.faults == [Fault.RECONSTRUCTION_FAILED]
    assert len(at.hear(4).submissions) == 2
