"""The store of partial signatures under any order of arrivals, duplicates and late answers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from operator_node.duties.partials import Pair, Partials
from operator_node.duties.types import RecoveryRequest
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.messages import PartialSignature
from sdk.types import OperatorId, Signature
from tests.unit.operator_node.duties.many_validators import SHARES
from tests.unit.operator_node.duties.single_validator import recover, stand_in

INDEXES = (17, 18, 99)
ROOT = b"\x0a" * 32

arrivals = st.lists(
    st.tuples(
        st.integers(1, 7),
        st.sampled_from(INDEXES),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=60,
)
"""Signer, validator, whether the signature holds, and how many answers come back before it."""


def item_of(signer: int, index: int, is_good: bool) -> PartialSignature:
    who = OperatorId(signer)
    signature = stand_in(who, ROOT) if is_good else Signature(b"\xff" * 96)
    return PartialSignature(signature, ROOT, who, index)


def new_store(size: int) -> Partials:
    return Partials(
        committee=Committee.of(range(1, size + 1)),
        shares=SHARES,
        generation=Generation.BOOLE,
    )


@given(events=arrivals)
@settings(max_examples=300, deadline=None)
def test_pair_completes_as_soon_as_a_quorum_of_good_ones_is_there_and_answered(
    events: list[tuple[int, int, bool, int]],
) -> None:
    """However answers are delayed: nothing good is lost, and at most one request is open a pair."""
    store = new_store(4)
    open_requests: list[RecoveryRequest] = []
    last: dict[tuple[int, int], bool] = {}
    for signer, index, is_good, answers in events:
        signer = 1 + signer % 4
        for _ in range(min(answers, len(open_requests))):
            again = store.apply(recover(open_requests.pop(0)))
            if again is not None:
                open_requests.append(again)
        last[signer, index] = last.get((signer, index), False) or is_good
        crossed = store.add([item_of(signer, index, is_good)])
        known = [pair for pair in crossed if pair.validator_index in SHARES]
        open_requests += [store.recovery(*pair) for pair in known]
        pairs = [Pair(each.validator_index, each.root) for each in open_requests]
        assert len(pairs) == len(set(pairs))
        assert store.is_recovering == bool(pairs)
    while open_requests:
        again = store.apply(recover(open_requests.pop(0)))
        if again is not None:
            open_requests.append(again)
    for index in SHARES:
        good = {signer for signer in range(1, 5) if last.get((signer, index))}
        assert store.is_complete(index, ROOT) == (len(good) >= 3)


@given(events=arrivals)
@settings(max_examples=100, deadline=None)
def test_arrival_order_does_not_matter_to_what_is_stored_of_honest_signers(
    events: list[tuple[int, int, bool, int]],
) -> None:
    honest = [(1 + signer % 4, index) for signer, index, _, _ in events]
    stores = new_store(4), new_store(4)
    for store, order in zip(stores, (honest, honest[::-1]), strict=True):
        for signer, index in order:
            store.add([item_of(signer, index, is_good=True)])
    found = [{(each.validator_index, each.signer) for each in store.stored()} for store in stores]
    assert found[0] == found[1] == {(index, signer) for signer, index in honest}
