from __future__ import annotations

from operator_node.qbft import State, drafts
from operator_node.wire.codec import decode_signed, encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.messages import ConsensusKind, ConsensusMessage
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    IDENTIFIER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    change,
    prepare,
    prepares,
    proposal,
)

COMMITTEE = Committee.of(range(1, 5))


def test_a_first_proposal_names_its_value_by_hash_and_justifies_nothing() -> None:
    draft = drafts.proposal(IDENTIFIER, HEIGHT, 1, VALUE)
    assert draft.body == ConsensusMessage(
        ConsensusKind.PROPOSAL, HEIGHT, 1, IDENTIFIER, ROOT, 0, (), ()
    )
    assert draft.full_data == VALUE


def test_a_later_proposal_embeds_round_changes_in_order_of_arrival_without_data() -> None:
    changes = [change(3, value=VALUE, prepared_by=prepares([1, 2, 3])), change(1), change(2)]
    draft = drafts.proposal(IDENTIFIER, HEIGHT, 2, VALUE, round_changes=changes)
    embedded = [
        decode_signed(each, Generation.BOOLE) for each in draft.body.round_change_justification
    ]
    assert [each.signers for each in embedded] == [(3,), (1,), (2,)]
    assert {each.full_data for each in embedded} == {b""}
    assert [each.message for each in embedded] == [each.signed.message for each in changes]


def test_votes_name_round_and_root_and_carry_no_data() -> None:
    for draft, kind in (
        (drafts.prepare(IDENTIFIER, HEIGHT, 3, ROOT), ConsensusKind.PREPARE),
        (drafts.commit(IDENTIFIER, HEIGHT, 3, ROOT), ConsensusKind.COMMIT),
    ):
        assert draft.body == ConsensusMessage(kind, HEIGHT, 3, IDENTIFIER, ROOT)
        assert draft.full_data == b""


def test_an_unprepared_round_change_has_a_zero_root_and_no_data() -> None:
    draft = drafts.round_change(IDENTIFIER, State(HEIGHT, start_value=VALUE), 4, COMMITTEE)
    assert draft.body == ConsensusMessage(
        ConsensusKind.ROUND_CHANGE, HEIGHT, 4, IDENTIFIER, bytes(32)
    )
    assert draft.full_data == b""


def test_a_prepared_round_change_carries_the_value_and_the_matching_prepares() -> None:
    state = State(HEIGHT, round=5, prepared_round=2, prepared_value=VALUE)
    votes = [*prepares([4, 1, 2], round_=2), prepare(3, OTHER_ROOT, round_=2)]
    state.prepares = {2: votes, 5: prepares([1, 2, 3], round_=5)}
    draft = drafts.round_change(IDENTIFIER, state, 6, COMMITTEE)
    assert (draft.body.root, draft.body.data_round, draft.full_data) == (ROOT, 2, VALUE)
    assert draft.body.round_change_justification == tuple(
        encode_signed(each.signed) for each in votes[:3]
    )


def test_prepares_below_a_quorum_are_left_out() -> None:
    state = State(HEIGHT, round=5, prepared_round=2, prepared_value=VALUE)
    state.prepares = {2: prepares([1, 2], round_=2)}
    body = drafts.round_change(IDENTIFIER, state, 6, COMMITTEE).body
    assert (body.root, body.data_round, body.round_change_justification) == (ROOT, 2, ())


def test_an_adopted_proof_is_passed_on_as_it_came() -> None:
    state = State(
        HEIGHT, round=5, prepared_round=2, prepared_value=VALUE, adopted_proof=(b"a", b"b")
    )
    body = drafts.round_change(IDENTIFIER, state, 6, COMMITTEE).body
    assert body.round_change_justification == (b"a", b"b")


def test_full_data_is_left_out_of_justifications() -> None:
    assert drafts.without_data(proposal().signed).full_data == b""
    assert drafts.without_data(prepare(1).signed) is not None
    assert drafts.without_data(proposal().signed).signatures == proposal().signed.signatures
