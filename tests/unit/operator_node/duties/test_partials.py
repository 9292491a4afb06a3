"""The store of partial signatures: crossings, duplicates, culprits, bounds; checks on arrival."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.duties.partials import (
    Pair,
    Partials,
    check_known_roots,
    check_signer,
    check_slot,
    complain,
)
from operator_node.duties.types import Recovered
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import PartialSignature, PartialSignatures
from sdk.types import OperatorId, PublicKey, Signature, Slot
from tests.unit.operator_node.duties.many_validators import SHARES
from tests.unit.operator_node.duties.single_validator import (
    OPERATORS,
    recover,
    recovered_signature,
    stand_in,
)

INDEX, OTHER_INDEX = 17, 18
ROOT, OTHER_ROOT = b"\x0a" * 32, b"\x0b" * 32
PAIR = Pair(INDEX, ROOT)


def new_store(generation: Generation = Generation.BOOLE) -> Partials:
    return Partials(
        committee=Committee(OPERATORS),
        shares=SHARES,
        generation=generation,
    )


def part(
    operator: int,
    root: bytes = ROOT,
    *,
    index: int = INDEX,
    is_good: bool = True,
    is_worse: bool = False,
) -> PartialSignature:
    """`is_worse` is another signature that does not hold."""
    who = OperatorId(operator)
    signature = stand_in(who, root) if is_good else Signature(b"\xff" * 96)
    signature = Signature(b"\xee" * 96) if is_worse else signature
    return PartialSignature(signature, root, who, index)


def fill(store: Partials, *operators: int) -> list[Pair]:
    return [pair for operator in operators for pair in store.add([part(operator)])]


def test_quorum_is_reported_by_the_message_that_completes_it() -> None:
    store = new_store()
    assert fill(store, 1, 2) == []
    assert store.add([part(3)]) == [PAIR]
    assert store.add([part(4)]) == []


def test_each_validator_crosses_on_its_own() -> None:
    store = new_store()
    store.add([part(1), part(1, index=OTHER_INDEX)])
    store.add([part(2), part(2, index=OTHER_INDEX)])
    assert store.add([part(3)]) == [PAIR]
    assert store.add([part(4, index=OTHER_INDEX)]) == [Pair(OTHER_INDEX, ROOT)]


def test_request_holds_everything_stored_with_the_share_keys() -> None:
    store = new_store()
    fill(store, 1, 2, 4)
    request = store.recovery(INDEX, ROOT)
    assert request.partials == {o: stand_in(o, ROOT) for o in map(OperatorId, (1, 2, 4))}
    assert request.share_keys == {o: PublicKey(bytes([o]) * 48) for o in OPERATORS}
    assert request.validator_key == SHARES[INDEX].validator_key
    assert request.threshold == 3


def test_complete_pair_never_crosses_again() -> None:
    store = new_store()
    fill(store, 1, 2, 3)
    assert store.apply(recover(store.recovery(INDEX, ROOT))) is None
    assert store.is_complete(INDEX, ROOT)
    assert fill(store, 4) == []


def test_culprits_are_dropped_and_the_next_valid_one_crosses_again() -> None:
    store = new_store()
    fill(store, 1, 2)
    assert store.add([part(3, is_good=False)]) == [PAIR]
    assert store.apply(recover(store.recovery(INDEX, ROOT))) is None
    assert store.signers(INDEX, ROOT) == {1, 2}
    assert not store.is_complete(INDEX, ROOT)
    assert store.add([part(4)]) == [PAIR]


def test_messages_during_a_recovery_cross_nothing_but_are_used_when_it_fails() -> None:
    store = new_store()
    fill(store, 1, 2)
    store.add([part(3, is_good=False)])
    request = store.recovery(INDEX, ROOT)
    assert store.is_recovering
    assert store.add([part(4)]) == []
    again = store.apply(recover(request))
    assert again is not None
    assert set(again.partials) == {1, 2, 4}
    assert store.apply(recover(again)) is None
    assert store.is_complete(INDEX, ROOT)
    assert not store.is_recovering


def test_replaced_signature_is_not_dropped_for_the_one_that_was_judged() -> None:
    store = new_store()
    fill(store, 1, 2)
    store.add([part(3, is_good=False)])
    request = store.recovery(INDEX, ROOT)
    store.add([part(3)])
    again = store.apply(recover(request))
    assert store.signers(INDEX, ROOT) == {1, 2, 3}
    assert again is not None
    assert recover(again).signature is not None


def test_failure_that_nobody_is_to_blame_for_is_not_tried_again() -> None:
    """The validator key may be wrong in the registry; asking again would go on for ever."""
    store = new_store()
    fill(store, 1, 2, 3)
    assert store.apply(Recovered(store.recovery(INDEX, ROOT), None)) is None
    assert fill(store, 4) == []


def test_second_signature_is_not_used_while_the_first_holds() -> None:
    store = new_store()
    fill(store, 1)
    store.add([part(1, is_good=False)])
    assert fill(store, 2, 3) == [PAIR]
    request = store.recovery(INDEX, ROOT)
    assert request.partials[OperatorId(1)] == stand_in(OperatorId(1), ROOT)
    result = recover(request)
    assert (store.apply(result), store.was_doubted(result)) == (None, False)
    assert store.is_complete(INDEX, ROOT)


def test_second_signature_takes_the_place_of_one_that_does_not_hold() -> None:
    store = new_store()
    store.add([part(1, is_good=False)])
    fill(store, 1, 2, 3)
    failed = recover(store.recovery(INDEX, ROOT))
    again = store.apply(failed)
    assert again is not None
    assert again.partials[OperatorId(1)] == stand_in(OperatorId(1), ROOT)
    assert store.was_doubted(failed)
    assert store.apply(recover(again)) is None
    assert store.is_complete(INDEX, ROOT)


def test_two_signatures_that_do_not_hold_leave_nothing() -> None:
    store = new_store()
    store.add([part(1, is_good=False)])
    store.add([part(1, is_worse=True)])
    fill(store, 2, 3)
    again = store.apply(recover(store.recovery(INDEX, ROOT)))
    assert again is not None
    last = recover(again)
    assert store.apply(last) is None
    assert store.was_doubted(last)
    assert store.signers(INDEX, ROOT) == {2, 3}
    assert fill(store, 1) == [PAIR]


def test_third_signature_of_a_signer_is_not_kept() -> None:
    store = new_store()
    store.add([part(1, is_good=False)])
    store.add([part(1, is_worse=True)])
    fill(store, 1, 2, 3)
    again = store.apply(recover(store.recovery(INDEX, ROOT)))
    assert again is not None
    assert again.partials[OperatorId(1)] == part(1, is_worse=True).signature


def test_same_bytes_again_are_no_second_signature() -> None:
    store = new_store()
    store.add([part(1, is_good=False)])
    store.add([part(1, is_good=False)])
    fill(store, 2, 3)
    result = recover(store.recovery(INDEX, ROOT))
    assert store.apply(result) is None
    assert not store.was_doubted(result)


def test_first_of_a_pair_within_one_message_counts() -> None:
    store = new_store()
    store.add([part(1, is_good=False), part(1)])
    fill(store, 2, 3)
    assert store.apply(recover(store.recovery(INDEX, ROOT))) is None
    assert store.signers(INDEX, ROOT) == {2, 3}


def test_second_signature_for_what_is_not_due_is_not_kept() -> None:
    store = new_store()
    store.add([part(1, is_good=False)], ())
    store.add([part(1)], ())
    fill(store, 2, 3)
    assert store.apply(recover(store.recovery(INDEX, ROOT))) is None


def test_answer_to_nothing_that_was_asked_is_not_awaited() -> None:
    store = new_store()
    fill(store, 1, 2, 3)
    result = recover(store.recovery(INDEX, ROOT))
    assert store.awaits(result)
    assert not store.awaits(Recovered(replace(result.request, root=OTHER_ROOT), None))
    store.apply(result)
    assert not store.awaits(result)


def test_duplicates_of_an_unknown_validator_keep_the_first() -> None:
    store = new_store()
    store.add([part(1, index=99)])
    store.add([part(1, index=99, is_good=False)])
    assert [item.signature for item in store.stored()] == [stand_in(OperatorId(1), ROOT)]


def test_one_signer_is_stored_no_more_than_one_message_may_hold() -> None:
    store = new_store(Generation.ALAN)
    limit = Generation.ALAN.limits.partial_signatures
    roots = [number.to_bytes(32, "big") for number in range(limit + 10)]
    store.add(part(1, root, index=99) for root in roots)
    assert len(list(store.stored())) == limit
    store.add([part(2)])
    assert store.signers(INDEX, ROOT) == {2}


def test_dropping_makes_room_again() -> None:
    store = new_store(Generation.ALAN)
    limit = Generation.ALAN.limits.partial_signatures
    store.add([part(1, is_good=False)])
    store.add(part(1, number.to_bytes(32, "big"), index=99) for number in range(limit - 1))
    fill(store, 2, 3)
    store.apply(recover(store.recovery(INDEX, ROOT)))
    store.add([part(1, OTHER_ROOT)])
    assert store.signers(INDEX, OTHER_ROOT) == {1}


@pytest.mark.parametrize(
    ("slot", "fault"), [(11, Fault.PAST_SLOT), (13, Fault.FUTURE_SLOT), (12, None)]
)
def test_message_must_be_of_the_duty_slot(slot: int, fault: Fault | None) -> None:
    body = PartialSignatures(0, Slot(slot), (part(1),))
    assert _fault_of(lambda: check_slot(body, 12)) == fault


def test_signer_must_sit_in_the_committee() -> None:
    committee = Committee(OPERATORS)
    inside, outside = (PartialSignatures(0, Slot(1), (part(who),)) for who in (4, 5))
    assert _fault_of(lambda: check_signer(inside, committee)) is None
    fault = _fault_of(lambda: check_signer(outside, committee))
    assert fault == Fault.PARTIAL_SIGNER_NOT_IN_COMMITTEE


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ((part(1), part(1, OTHER_ROOT)), None),
        ((part(1, OTHER_ROOT), part(1)), None),
        ((part(1), part(1, OTHER_ROOT, index=99)), Fault.UNKNOWN_VALIDATOR),
        ((part(1),), Fault.ROOT_COUNT),
        ((part(1), part(1)), Fault.WRONG_SIGNING_ROOT),
        ((part(1, index=99),), Fault.UNKNOWN_VALIDATOR),
    ],
)
def test_single_validator_signs_exactly_the_known_roots(
    items: tuple[PartialSignature, ...], fault: Fault | None
) -> None:
    body = PartialSignatures(1, Slot(1), items)
    assert _fault_of(lambda: check_known_roots(body, INDEX, [ROOT, OTHER_ROOT])) == fault


def test_one_culprit_is_blamed_and_several_are_named() -> None:
    store = new_store()
    fill(store, 1)
    store.add([part(2, is_good=False)])
    store.add([part(3)])
    result = recover(store.recovery(INDEX, ROOT))
    assert complain(result, Fault.RECONSTRUCTION_FAILED).blame == 2
    both = Recovered(result.request, None, frozenset(OPERATORS[:2]))
    complaint = complain(both, Fault.QUORUM_WITH_BAD_SIGNATURES)
    assert complaint.blame is None
    assert "[1, 2]" in complaint.detail


def test_signature_is_kept_for_a_pair_with_a_culprit_and_a_quorum_beside_it() -> None:
    store = new_store()
    fill(store, 1, 2)
    store.add([part(3, is_good=False)])
    store.add([part(4)])
    result = recover(store.recovery(INDEX, ROOT))
    assert result.signature == recovered_signature(ROOT)
    assert store.apply(result) is None
    assert store.is_complete(INDEX, ROOT)
    assert store.signers(INDEX, ROOT) == {1, 2, 4}


def _fault_of(check: object) -> Fault | None:
    assert callable(check)
    try:
        check()
    except ProtocolFault as refusal:
        return refusal.fault
    return None
