"""The reducer against logs that no contract would emit: it answers, and its sums stay true."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.events import EVENT_ABIS, ClusterSnapshot, Event, EventAbi
from sdk.events.abi import CLUSTER_TYPE
from sdk.registry import RegistryState, SignatureVerdict, apply, cluster_id
from sdk.testing import builders
from sdk.types import Wei

OWNERS = [builders.address(number) for number in (1, 2)]
ID_LISTS = [(1, 2, 3, 4), (2, 3, 4, 5), (1, 1, 2, 3), (4, 3), (), (1, 2, 3, 99)]
CLUSTERS = [
    cluster_id(owner, builders.operator_ids(*ids)) for owner in OWNERS for ids in ID_LISTS[:2]
]
SMALL = st.integers(0, 40)
BYTES = st.sampled_from([builders.public_key(1), builders.public_key(2), b"", builders.shares(4)])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint32": SMALL,
    "uint64": st.integers(0, 6),
    "uint256": st.one_of(SMALL, SMALL.map(lambda units: units * 100_000), st.just(2**256 - 1)),
    "bool": st.booleans(),
    "address": st.sampled_from([*OWNERS, bytes(20)]),
    "bytes32": st.sampled_from([*CLUSTERS, bytes(32)]),
    "bytes": BYTES,
    "uint64[]": st.sampled_from(ID_LISTS),
    "address[]": st.lists(st.sampled_from(OWNERS), max_size=3).map(tuple),
    CLUSTER_TYPE: st.builds(
        ClusterSnapshot, SMALL, SMALL, SMALL, st.booleans(), SMALL.map(lambda u: Wei(u * 99_999))
    ),
}


def event_of(abi: EventAbi) -> st.SearchStrategy[Event]:
    encoded = (*abi.topic_types, *abi.data_types)
    return st.builds(abi.event_class, *[VALUES[encoded[place]] for place in abi.order])


EVENTS = st.sampled_from(EVENT_ABIS).flatmap(event_of)


def assert_sums_are_true(state: RegistryState) -> None:
    active = [cluster for cluster in state.clusters.values() if cluster.snapshot.active]
    for operator in state.operators.values():
        mine = [cluster for cluster in active if operator.operator_id in cluster.operator_ids]
        if operator.removed_at is not None:
            mine = []
        assert operator.effective_balance_eth == sum(c.effective_balance_eth for c in mine)
        assert operator.validator_count == sum(c.validator_count for c in mine)
    assert state.network.validator_count == sum(c.validator_count for c in active)
    for cluster in state.clusters.values():
        keys = state.validators_of_cluster(cluster.cluster_id)
        assert cluster.validator_count == len(keys)
        assert cluster.effective_balance_eth == sum(
            state.validators[key].effective_balance_eth for key in keys
        )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(EVENTS, st.integers(0, 3), st.sampled_from(list(SignatureVerdict))), max_size=25
    )
)
def test_any_events_are_survived_and_undone(
    moves: list[tuple[Event, int, SignatureVerdict]],
) -> None:
    state = RegistryState()
    history = []
    block = 0
    for event, blocks, verdict in moves:
        block += blocks
        applied = apply(state, event, builders.at(block), verdict)
        history.append((state.digest(), applied.changes))
        state.commit(applied.changes)
        assert_sums_are_true(state)
    for digest, changes in reversed(history):
        state.undo(changes)
        assert state.digest() == digest
    assert state == RegistryState()
