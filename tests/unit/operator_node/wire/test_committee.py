from __future__ import annotations

import pytest

from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import NEVER, ForkEpochs, Generation
from sdk.types import Epoch, OperatorId


@pytest.mark.parametrize(("size", "f"), [(1, 0), (4, 1), (7, 2), (10, 3), (13, 4)])
def test_a_quorum_outvotes_f_liars_and_a_partial_quorum_holds_an_honest_one(
    size: int, f: int
) -> None:
    committee = Committee.of(range(size, 0, -1))
    assert (committee.f, committee.quorum, committee.partial_quorum) == (f, 2 * f + 1, f + 1)
    assert committee.operators == tuple(range(1, size + 1))
    assert len(committee) == size


def test_a_committee_knows_its_members() -> None:
    committee = Committee.of([9, 5, 1, 13])
    assert 13 in committee
    assert 2 not in committee


@pytest.mark.parametrize("operators", [(), (1, 2, 3), (1, 2, 3, 3), (4, 3, 2, 1)])
def test_other_numbers_repetitions_and_orders_are_no_committee(operators: tuple[int, ...]) -> None:
    with pytest.raises(ProtocolFault) as caught:
        Committee(tuple(OperatorId(each) for each in operators))
    assert caught.value.fault is Fault.COMMITTEE_MEMBER_INVALID


def test_a_fault_travels_with_its_word() -> None:
    problem = ProtocolFault(Fault.ROUND_ZERO, "rounds begin at 1")
    assert (problem.fault, problem.code) == (Fault.ROUND_ZERO, "round_zero")
    assert str(problem) == "rounds begin at 1"


def test_a_generation_begins_with_the_first_slot_of_its_epoch() -> None:
    forks = ForkEpochs(slots_per_epoch=32, boole=Epoch(3))
    assert forks.generation_at(95) is Generation.ALAN
    assert forks.generation_at(96) is Generation.BOOLE


def test_a_generation_that_is_not_scheduled_never_begins() -> None:
    assert ForkEpochs(slots_per_epoch=32).generation_at(2**63) is Generation.ALAN
    assert NEVER == 2**64 - 1


def test_generations_differ_in_their_limits() -> None:
    alan, boole = Generation.ALAN.limits, Generation.BOOLE.limits
    assert (alan.partial_signatures, boole.partial_signatures) == (1512, 5048)
    assert (alan.message_data_bytes, boole.message_data_bytes) == (722_412, 726_932)
    assert boole.message_data_bytes == 20 + 144 * boole.partial_signatures
