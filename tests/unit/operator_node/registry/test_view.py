"""What gossip validation is told about the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from operator_node.registry import NetworkView
from operator_node.registry.codec import inverted
from operator_node.registry.values import ExitRequest
from operator_node.wire.ids import committee_id
from sdk.events import operator_public_key_bytes
from sdk.registry import (
    Change,
    ClusterChanged,
    OperatorChanged,
    Refusal,
    Validator,
    ValidatorChanged,
)
from sdk.testing import builders, keys
from sdk.types import BlockNumber, Epoch, OperatorId, PublicKey, Slot

IDS = builders.operator_ids()
COMMITTEE = committee_id(IDS)
CLUSTER = builders.cluster(builders.snapshot(validators=2))
OTHER = builders.cluster(builders.snapshot(validators=1), owner=builders.address(2))
KEY, SECOND, THIRD = (builders.public_key(number) for number in range(3))


@dataclass(frozen=True)
class State:
    index: int
    activation_epoch: int = 0
    exit_epoch: int = 1000


def validator(key: PublicKey, *, refusal: Refusal | None = None, of: int = 1) -> Validator:
    cluster = CLUSTER if of == 1 else OTHER
    return Validator(
        owner=cluster.owner,
        public_key=key,
        cluster_id=cluster.cluster_id,
        nonce=0,
        shares_digest=b"",
        effective_balance_eth=32,
        last_proof_slot=Slot(0),
        refusal=refusal,
        registered_at=BlockNumber(1),
        exit_requested_at=None,
    )


def added(key: PublicKey, *, refusal: Refusal | None = None, of: int = 1) -> ValidatorChanged:
    return ValidatorChanged(None, validator(key, refusal=refusal, of=of))


def toggled(cluster: ClusterChanged, *, active: bool) -> ClusterChanged:
    before = cluster.after
    assert before is not None
    after = replace(before, snapshot=replace(before.snapshot, active=active))
    return ClusterChanged(before, after)


# The reducer names a cluster's first validator before the cluster.
FIRST: list[Change] = [added(KEY), ClusterChanged(None, CLUSTER), added(SECOND)]


@pytest.fixture
def view() -> NetworkView:
    view = NetworkView(slot_at=lambda seconds: seconds // 12)
    view.apply(FIRST)
    return view


def test_a_committee_has_the_indices_that_are_known(view: NetworkView) -> None:
    found = view.committee(COMMITTEE)
    assert found is not None
    assert found.validators == frozenset()
    view.learn_states({KEY: State(5), THIRD: State(9)}, 3)
    found = view.committee(COMMITTEE)
    assert found is not None
    assert found.members.operators == IDS
    assert found.validators == {5}
    view.learn_states({SECOND: State(6)}, 3)
    found = view.committee(COMMITTEE)
    assert found is not None
    assert found.validators == {5, 6}
    assert view.committee(b"\0" * 32) is None


def test_a_validator_is_known_as_far_as_the_beacon_chain_says(view: NetworkView) -> None:
    found = view.validator(KEY)
    assert found is not None
    assert (found.index, found.attesting, found.liquidated) == (None, False, False)
    for epoch, attests in ((8, False), (9, True), (10, True), (19, True), (20, False)):
        view.learn_states({KEY: State(5, activation_epoch=10, exit_epoch=20)}, epoch)
        found = view.validator(KEY)
        assert found is not None
        assert (found.index, found.attesting) == (5, attests)
    assert view.validator(THIRD) is None


def test_a_refused_registration_is_nobody(view: NetworkView) -> None:
    view.apply([added(THIRD, refusal=Refusal.NONCE_SIGNATURE_INVALID)])
    assert view.validator(THIRD) is None
    assert set(view.keys) == {KEY, SECOND}


def test_a_committee_works_for_whichever_of_its_clusters_is_active(view: NetworkView) -> None:
    view.apply([ClusterChanged(None, OTHER), added(THIRD, of=2)])
    view.learn_states({KEY: State(1), SECOND: State(2), THIRD: State(3)}, 0)
    view.apply([toggled(ClusterChanged(None, CLUSTER), active=False)])
    found, mine = view.committee(COMMITTEE), view.validator(KEY)
    assert found is not None
    assert mine is not None
    assert found.validators == {1, 2, 3}
    assert mine.liquidated
    view.apply([toggled(ClusterChanged(None, OTHER), active=False)])
    found = view.committee(COMMITTEE)
    assert found is not None
    assert found.validators == frozenset()


def test_what_is_undone_was_never_there(view: NetworkView) -> None:
    more: list[Change] = [added(THIRD, of=2), ClusterChanged(None, OTHER)]
    view.apply(more)
    view.apply(inverted([*FIRST, *more]))
    assert view.committee(COMMITTEE) is None
    assert set(view.keys) == set()
    view.apply(FIRST)
    assert view.validator(KEY) is not None


def test_operators_come_with_their_keys_and_go() -> None:
    view = NetworkView(slot_at=lambda seconds: seconds)
    key = keys.operator_key(1).public_key
    first = replace(builders.operator(1), public_key=operator_public_key_bytes(key.text))
    view.apply([OperatorChanged(None, first), OperatorChanged(None, builders.operator(2))])
    assert view.has_operator(OperatorId(2))
    assert dict(view.operator_keys) == {1: key}
    gone = replace(first, public_key=b"", removed_at=BlockNumber(9))
    view.apply([OperatorChanged(first, gone)])
    assert not view.has_operator(OperatorId(1))
    assert dict(view.operator_keys) == {}
    view.apply([OperatorChanged(gone, first)])
    assert dict(view.operator_keys) == {1: key}


def test_duties_are_known_as_they_are_learned(view: NetworkView) -> None:
    view.learn_proposers(3, [(97, 5)])
    assert view.proposers_known(Epoch(3))
    assert not view.proposers_known(Epoch(4))
    assert view.has_proposal(5, Slot(97))
    assert not view.has_proposal(5, Slot(98))
    view.learn_sync_members(256, 511, [5])
    assert view.in_sync_committee(5, Epoch(511))
    assert not view.in_sync_committee(5, Epoch(512))
    for epoch in range(4, 40):
        view.learn_proposers(epoch, [])
        view.learn_sync_members(256 * epoch, 256 * epoch + 255, [])
    assert not view.proposers_known(Epoch(3))
    assert not view.in_sync_committee(5, Epoch(300))


def test_exits_are_counted_in_the_slot_of_their_duty(view: NetworkView) -> None:
    asked = [ExitRequest(BlockNumber(7), index, KEY, 120) for index in (0, 1)]
    view.set_exits([*asked, ExitRequest(BlockNumber(8), 0, KEY, 132)])
    assert [view.exit_requests(KEY, Slot(slot)) for slot in (13, 14, 15, 16)] == [0, 2, 1, 0]
    assert view.exit_requests(SECOND, Slot(14)) == 0
