from __future__ import annotations

import pytest

from sdk.errors import InvariantBroken
from sdk.events import Event, types
from sdk.registry import Change, RegistryState, apply, cluster_id, snapshot_hash
from sdk.registry.changes import OperatorChanged, WhitelistChanged
from sdk.registry.digest import canonical
from sdk.testing import builders
from sdk.types import Address, BlockNumber, OperatorId, Wei

OWNER = builders.address(1)
IDS = builders.operator_ids()
EVENTS: list[Event] = [
    *(types.OperatorAdded(number, OWNER, b"key", Wei(100_000)) for number in IDS),
    builders.validator_added(builders.snapshot(validators=2), key=1),
    builders.validator_added(builders.snapshot(validators=2), key=2),
    types.ValidatorExited(OWNER, IDS, builders.public_key(1)),
    types.OperatorMultipleWhitelistUpdated((OperatorId(1),), (OWNER,)),
    types.FeeRecipientAddressUpdated(OWNER, builders.address(2)),
    types.ValidatorRemoved(OWNER, IDS, builders.public_key(1), builders.snapshot()),
    types.OperatorMultipleWhitelistRemoved((OperatorId(1),), (OWNER,)),
    types.OperatorRemoved(OperatorId(2)),
]


def test_undo_restores_state_lookups_and_digest_after_every_kind_of_change() -> None:
    state = RegistryState()
    history: list[tuple[bytes, tuple[Change, ...]]] = []
    for block, event in enumerate(EVENTS):
        changes = apply(state, event, builders.at(block)).changes
        history.append((state.digest(), changes))
        state.commit(changes)
    assert len({digest for digest, _ in history}) == len(history)
    for digest, changes in reversed(history):
        state.undo(changes)
        assert state.digest() == digest
    assert state == RegistryState()
    assert state.accepted_validator(builders.public_key(2)) is None
    assert not state.validators_of_cluster(cluster_id(OWNER, IDS))
    assert not state.clusters_of_operator(OperatorId(1))


def test_changes_of_several_events_are_undone_together_last_first() -> None:
    state = RegistryState()
    changes: list[Change] = []
    for block, event in enumerate(EVENTS):
        latest = apply(state, event, builders.at(block)).changes
        state.commit(latest)
        changes += latest
    state.undo(changes)
    assert state == RegistryState()


def test_digest_depends_on_the_records_and_not_on_the_way_there() -> None:
    def added(number: int) -> OperatorChanged:
        return OperatorChanged(None, builders.operator(number))

    one, other = RegistryState(), RegistryState()
    one.commit([added(1), added(2)])
    one.digest()
    one.commit([WhitelistChanged(OperatorId(1), OWNER, before=False, after=True)])
    one.commit([WhitelistChanged(OperatorId(1), OWNER, before=True, after=False)])
    other.commit([added(2)])
    other.commit([added(1)])
    assert one == other
    assert one.digest() == other.digest()
    other.commit([added(3)])
    assert one != other
    assert one.digest() != other.digest()


def test_change_made_for_another_state_is_a_bug() -> None:
    state = RegistryState()
    first = OperatorChanged(None, builders.operator(1))
    state.commit([first])
    with pytest.raises(InvariantBroken, match="a change expects None"):
        state.commit([first])
    with pytest.raises(InvariantBroken):
        state.undo([OperatorChanged(None, builders.operator(1, fee_units=5))])
    with pytest.raises(InvariantBroken):
        state.commit([OperatorChanged(None, None)])


def test_state_equals_only_states() -> None:
    assert RegistryState() != 1


def test_canonical_forms_tell_values_apart() -> None:
    values = [None, True, False, 1, 0, -1, 12, "", "1", b"", b"1", (), (1,), (1, 2), ((1,), 2)]
    assert len({canonical(value) for value in values}) == len(values)
    with pytest.raises(InvariantBroken):
        canonical(1.5)


def test_cluster_id_is_the_hash_of_owner_and_ids_as_words() -> None:
    # The address and ids of the reference network's documented example.
    owner = Address(bytes.fromhex("71562b71999873DB5b286dF957af199Ec94617F7"))
    published = "a341933234aa1e6dfd3b8d6677172bdcd0986b1e6afc2e84d321f154d9736717"
    assert cluster_id(owner, IDS).hex() == published


def test_snapshot_hash_packs_the_balance_before_the_flag() -> None:
    struct = builders.snapshot(validators=0, balance_wei=0)
    published = "945136e8ded695398662a5fbc88b6751c57028f18395fba49ba444d7a2c1e9f8"
    assert snapshot_hash(struct).hex() == published
    lively = builders.snapshot(network_fee_index=100, index=200, balance_wei=10**18)
    published = "f5cfe7b850d4816f539ffa06cd4cb70fb2d7b0f9e66a503f4d2f500c87a1d7f4"
    assert snapshot_hash(lively).hex() == published


def test_event_before_what_the_state_holds_is_a_bug_of_the_caller() -> None:
    state = RegistryState()
    late = types.OperatorAdded(OperatorId(1), OWNER, b"key", Wei(100_000))
    state.commit(apply(state, late, builders.at(10)).changes)
    early = types.OperatorFeeExecuted(OWNER, OperatorId(1), BlockNumber(9), Wei(0))
    with pytest.raises(InvariantBroken):
        apply(state, early, builders.at(9))
