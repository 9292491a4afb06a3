"""Proposals: the reveal, the block of whoever leads, and what is refused before it is prepared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.graffiti import fit_graffiti
from operator_node.duties.proposal_rules import (
    NOBODY,
    BlockCheck,
    ProposalRules,
    RecipientCheck,
)
from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import BeaconObject, BlockQuery, Step, SubmissionKind, Unavailable
from operator_node.qbft.types import Verdict
from operator_node.signer.rules import BlockGuard
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_shape,
    signed_block_contents_shape,
)
from operator_node.spec.blocks import find_block
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import signed
from operator_node.spec.presets import Preset
from operator_node.spec.signing import SigningDomain, signing_root, uint64_root
from operator_node.spec.ssz import decode, field
from operator_node.spec.versions import CAPELLA, DENEB, ELECTRA, FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorValue
from sdk.types import Address, Slot, checksum_address
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    OWNER_RECIPIENT,
    SHARE,
    SLOTS_PER_EPOCH,
    Desk,
    block_bytes,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

SLOT = first_slot(FULU)
DUTY = duty_of(BeaconRole.PROPOSER, SLOT)
RANDAO_ROOT = signing_root(
    uint64_root(SLOT // SLOTS_PER_EPOCH),
    MAINNET.domain(SigningDomain.RANDAO, SLOT // SLOTS_PER_EPOCH),
)
REVEAL = recovered_signature(RANDAO_ROOT)
NETWORK = ProposalRules(frozenset(), BlockCheck.NETWORK, RecipientCheck.OFF)
WARN = ProposalRules(frozenset({OWNER_RECIPIENT}), recipient=RecipientCheck.WARN)
THIEF = Address(b"\x66" * 20)


def block(**more: object) -> bytes:
    return block_bytes(FULU, **{"slot": SLOT, "reveal": REVEAL, **more})  # type: ignore[arg-type]


def value_of(data: bytes, *, version: int = FULU) -> bytes:
    return encode_validator_value(ValidatorValue(DUTY, version, data))


def guard_of(data: bytes) -> BlockGuard:
    domain = MAINNET.domain(SigningDomain.PROPOSER, SLOT // SLOTS_PER_EPOCH)
    return BlockGuard(SLOT, signing_root(find_block(FULU, data).root, domain))


def desk(**more: object) -> Desk:
    duty = ProposerDuty(setting(), DUTY, SHARE, **more)  # type: ignore[arg-type]
    return Desk(duty).begin()


def opened(**more: object) -> Desk:
    return desk(**more).hear(2, 3)


def refusal(at: Desk, value: bytes, *, round_number: int = 1) -> Fault | None:
    try:
        assert at.duty.check_value(value, round_number=round_number) is Verdict.VALID
    except ProtocolFault as found:
        return found.fault
    return None


# --- the reveal ----------------------------------------------------------------------------


def test_epoch_is_signed_under_the_randao_domain() -> None:
    at = desk()
    (body,) = at.published
    assert (body.kind, body.slot) == (PartialKind.RANDAO, SLOT)
    assert [item.root for item in body.items] == [RANDAO_ROOT]


def test_quorum_opens_consensus_at_once_and_asks_for_a_block() -> None:
    at = desk().hear(2)
    assert (at.opened, at.queries) == (0, [])
    at.hear(3)
    assert at.opened == 1
    assert at.queries == [BlockQuery(SLOT, INDEX, REVEAL, bytes(32))]
    assert at.steps == [Step.STARTED, Step.PRE_SIGNED, Step.PRE_QUORUM]


def test_quorum_with_a_bad_signature_opens_nothing_until_the_next_good_one() -> None:
    at = desk().hear(2).hear(3, is_good=False)
    assert (at.opened, at.faults) == (0, [Fault.RECONSTRUCTION_FAILED])
    assert at.hear(4).opened == 1


def test_graffiti_of_the_registry_goes_before_the_nodes() -> None:
    node, own = fit_graffiti("node"), fit_graffiti("owner")
    assert opened(graffiti=node).queries[0] == BlockQuery(SLOT, INDEX, REVEAL, node)
    share = replace(SHARE, graffiti=own)
    at = Desk(ProposerDuty(setting(), DUTY, share, graffiti=node)).begin().hear(2, 3)
    assert at.queries[0] == BlockQuery(SLOT, INDEX, REVEAL, own)


# --- the own block -------------------------------------------------------------------------


def test_own_block_is_proposed_in_a_value_of_the_duty() -> None:
    at = opened().provide(BeaconObject(FULU, block()))
    assert at.proposals == [value_of(block())]
    assert at.steps[-1] is Step.DATA


def test_leaders_block_is_answered_before_the_own_one_came() -> None:
    assert refusal(opened(), value_of(block())) is None


def test_without_a_block_of_its_own_a_node_follows_a_leader() -> None:
    at = opened().provide(Unavailable(Reason.BN_DOWN))
    assert not at.proposals
    assert refusal(at, value_of(block())) is None
    at.decide(value_of(block())).hear(2, 3).submit()
    assert at.outcomes[0].reason is Reason.DONE


def test_own_block_that_comes_after_the_decision_is_ignored() -> None:
    at = opened().decide(value_of(block())).provide(BeaconObject(FULU, block()))
    assert not at.proposals


def test_own_block_that_pays_nobody_is_offered_again_in_the_second_round() -> None:
    at = opened().provide(BeaconObject(FULU, block(recipient=NOBODY)))
    at.carry_out(at.duty.enter_round(2))
    assert at.proposals == [value_of(block(recipient=NOBODY))] * 2
    at.carry_out(at.duty.enter_round(3))
    assert len(at.proposals) == 2
    without = opened()
    without.carry_out(without.duty.enter_round(2))
    assert not without.proposals


# --- the value check -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"slot": Slot(SLOT + 1)}, Fault.VALUE_INVALID),
        ({"proposer": INDEX + 1}, Fault.VALUE_INVALID),
        ({"reveal": bytes(96)}, Fault.VALUE_INVALID),
        ({"recipient": THIEF}, Fault.FEE_RECIPIENT_REFUSED),
        ({"recipient": NOBODY}, Fault.FEE_RECIPIENT_REFUSED),
    ],
)
def test_block_that_is_not_the_dutys_is_refused_unless_the_rules_are_the_networks(
    changed: dict[str, object], fault: Fault
) -> None:
    value = value_of(block(**changed))
    assert refusal(opened(), value) is fault
    assert refusal(opened(rules=NETWORK), value) is None


@pytest.mark.parametrize("changed", [{"proposer": 1}, {"reveal": bytes(96)}])
def test_blinded_block_that_is_not_the_dutys_is_refused(changed: dict[str, object]) -> None:
    assert refusal(opened(), value_of(block(is_blinded=True))) is None
    value = value_of(block(is_blinded=True, **changed))
    assert refusal(opened(), value) is Fault.VALUE_INVALID


def test_value_of_another_slots_duty_is_refused() -> None:
    other = replace(DUTY, slot=Slot(SLOT + 1))
    value = encode_validator_value(ValidatorValue(other, FULU, block()))
    assert refusal(opened(), value) is Fault.VALUE_INVALID


def test_blinded_block_names_its_builder_which_is_not_compared() -> None:
    assert refusal(opened(), value_of(block(is_blinded=True, recipient=THIEF))) is None


def test_where_builders_are_not_wanted_only_local_blocks_are_asked_for_and_accepted() -> None:
    rules = ProposalRules(frozenset({OWNER_RECIPIENT}), takes_builder_blocks=False)
    at = opened(rules=rules)
    assert at.queries == [BlockQuery(SLOT, INDEX, REVEAL, bytes(32), is_local=True)]
    assert refusal(at, value_of(block())) is None
    for round_number in (1, 2, 6):
        value = value_of(block(is_blinded=True))
        assert refusal(at, value, round_number=round_number) is Fault.FEE_RECIPIENT_REFUSED
    with pytest.raises(ProtocolFault, match="never"):
        at.decide(value_of(block(is_blinded=True)))


def test_block_that_pays_nobody_is_accepted_from_the_second_round_on() -> None:
    value = value_of(block(recipient=NOBODY))
    assert refusal(opened(), value, round_number=1) is Fault.FEE_RECIPIENT_REFUSED
    assert refusal(opened(), value, round_number=2) is None
    assert refusal(opened(), value, round_number=3) is None
    thief = value_of(block(recipient=THIEF))
    assert refusal(opened(), thief, round_number=9) is Fault.FEE_RECIPIENT_REFUSED


def test_earlier_recipient_is_accepted_beside_the_new_one() -> None:
    rules = ProposalRules(frozenset({OWNER_RECIPIENT, THIEF}))
    assert refusal(opened(rules=rules), value_of(block(recipient=THIEF))) is None


def test_slashable_block_is_refused_before_it_is_prepared() -> None:
    data = block()
    duty = ProposerDuty(setting(slashable=[guard_of(data)]), DUTY, SHARE)
    at = Desk(duty).begin().hear(2, 3)
    assert refusal(at, value_of(data)) is Fault.SLASHABLE_BLOCK
    assert refusal(at, value_of(block(is_blinded=True, recipient=THIEF))) is None


def test_undecodable_value_and_undecodable_block_have_their_faults() -> None:
    assert refusal(opened(), b"\x01" * 40) is Fault.BLOCK_VALUE_MALFORMED
    assert refusal(opened(), value_of(b"")) is Fault.VALUE_INVALID
    alan = Desk(ProposerDuty(setting(Generation.ALAN), DUTY, SHARE)).begin().hear(2, 3)
    assert refusal(alan, b"\x01" * 40) is Fault.MALFORMED


# --- decided -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [CAPELLA, DENEB, ELECTRA, FULU])
@pytest.mark.parametrize("is_blinded", [False, True])
def test_decided_block_of_any_kind_is_signed_guarded_and_submitted(
    version: int, is_blinded: bool
) -> None:
    slot = first_slot(version)
    duty = duty_of(BeaconRole.PROPOSER, slot)
    at = Desk(ProposerDuty(setting(), duty, SHARE)).begin().hear(2, 3)
    query = at.queries[0]
    assert isinstance(query, BlockQuery)
    data = block_bytes(version, slot=slot, is_blinded=is_blinded, reveal=query.randao_reveal)
    at.decide(encode_validator_value(ValidatorValue(duty, version, data)))
    epoch = slot // SLOTS_PER_EPOCH
    root = signing_root(
        find_block(version, data).root, MAINNET.domain(SigningDomain.PROPOSER, epoch)
    )
    assert at.asked[-1].guard == BlockGuard(slot, root)
    body = at.published[-1]
    assert (body.kind, body.slot) == (PartialKind.POST_CONSENSUS, slot)
    assert [item.root for item in body.items] == [root]

    (submission,) = at.hear(2, 3).submissions
    assert (submission.kind, submission.version) == (SubmissionKind.BLOCK, version)
    assert submission.blinded is is_blinded
    assert submission.root == find_block(version, data).root
    assert _signature_in(submission.data, version, is_blinded) == recovered_signature(root)
    assert at.submit().outcomes[0].reason is Reason.DONE
    assert at.steps[3:] == [Step.DECIDED, Step.SIGNED, Step.POST_QUORUM, Step.SUBMITTED]


def _signature_in(data: bytes, version: int, is_blinded: bool) -> bytes:
    preset = Preset.MAINNET
    if is_blinded:
        return bytes(field(signed(blinded_block_shape(version, preset)), data, "signature"))
    if version < DENEB:
        return bytes(field(signed(block_shape(version, preset)), data, "signature"))
    shape = signed_block_contents_shape(version, preset)
    decode(shape, data)
    return bytes(field(shape, data, "signed_block", "signature"))


def test_decided_value_is_checked_again_and_nothing_of_a_bad_one_is_signed() -> None:
    at = opened()
    with pytest.raises(ProtocolFault) as found:
        at.decide(value_of(block(recipient=THIEF)))
    assert found.value.fault is Fault.FEE_RECIPIENT_REFUSED
    assert len(at.asked) == 1
    assert at.duty.decided_value == b""
    outcome = at.expire()
    assert outcome.reason is Reason.FEE_RECIPIENT_REFUSED
    assert "0x6666666666666666666666666666666666666666" in str(outcome.detail["why"])


def test_decided_block_that_pays_nobody_is_signed_and_told() -> None:
    at = opened().decide(value_of(block(recipient=NOBODY))).hear(2, 3).submit()
    assert at.outcomes[0].reason is Reason.DONE
    assert at.outcomes[0].detail == {
        "block": "full",
        "recipients": [checksum_address(OWNER_RECIPIENT)],
        "fee_recipient": "0x" + "00" * 20,
    }


def test_warning_signs_the_block_and_tells_whom_it_pays() -> None:
    value = value_of(block(recipient=THIEF))
    at = opened(rules=WARN)
    assert refusal(at, value) is None
    at.decide(value).hear(2, 3).submit()
    assert at.outcomes[0].detail == {
        "block": "full",
        "recipients": [checksum_address(OWNER_RECIPIENT)],
        "fee_recipient": "0x" + "66" * 20,
    }


def test_a_builders_block_is_told_without_whom_it_names() -> None:
    value = value_of(block(is_blinded=True, recipient=THIEF))
    at = opened().decide(value).hear(2, 3).submit()
    assert at.outcomes[0].detail == {
        "block": "blinded",
        "recipients": [checksum_address(OWNER_RECIPIENT)],
    }


def test_signatures_over_another_block_are_refused() -> None:
    at = opened().decide(value_of(block()))
    at.receive(message(2, [bytes(32)], slot=SLOT))
    assert at.faults == [Fault.WRONG_SIGNING_ROOT]


def test_signatures_before_the_decision_are_refused() -> None:
    at = opened().receive(message(2, [bytes(32)], slot=SLOT))
    assert at.faults == [Fault.NO_DECIDED_VALUE]


def test_refused_signature_is_the_outcome_when_the_others_are_too_few() -> None:
    at = opened()
    at.withhold = Reason.SLASHING_REFUSED
    at.decide(value_of(block()))
    assert len(at.published) == 1
    assert at.expire().reason is Reason.SLASHING_REFUSED


# --- time over -----------------------------------------------------------------------------


def test_time_over_says_what_was_waited_for() -> None:
    silent = Desk(ProposerDuty(setting(), DUTY, SHARE), is_silent=True).begin()
    assert silent.expire().reason is Reason.SIGNER_DOWN
    assert desk().hear(2).expire().reason is Reason.PRE_QUORUM_MISSING
    assert opened().expire().reason is Reason.BLOCK_FETCH_LATE
    down = opened().provide(Unavailable(Reason.BN_DOWN, "nobody answered"))
    assert down.expire().reason is Reason.BN_DOWN
    assert opened().provide(BeaconObject(FULU, block())).expire().reason is Reason.NO_PROPOSAL
    decided = opened().decide(value_of(block()))
    assert decided.expire().reason is Reason.POST_QUORUM_MISSING
    assert opened().decide(value_of(block())).hear(2, 3).expire().reason is Reason.BN_LATE


def test_leader_that_was_seen_is_not_the_own_nodes_lateness() -> None:
    at = opened()
    assert refusal(at, value_of(block())) is None
    assert at.expire().reason is Reason.NO_PROPOSAL


def test_beacon_nodes_that_refuse_the_block_are_the_outcome() -> None:
    at = opened().decide(value_of(block())).hear(2, 3).submit(error="block is late")
    assert at.outcomes[0].reason is Reason.BN_ERROR_SUBMIT
    assert at.duty.finished
