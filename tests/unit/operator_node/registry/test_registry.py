"""A node's registry over a chain in memory: joining, leaving, going back, restarting, refusing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from operator_node.registry import (
    ExitRequested,
    FeeRecipientChanged,
    Joined,
    Left,
    Liquidated,
    Reactivated,
    Registry,
    RolledBack,
)
from operator_node.registry.notices import departed
from sdk.crypto import SecretKey, bls
from sdk.errors import ConfigError
from sdk.events import Event
from sdk.events.types import FeeRecipientAddressUpdated, OperatorRemoved, ValidatorAdded
from sdk.testing import builders, keys
from sdk.types import BlockNumber, Epoch, OperatorId, PublicKey, Slot
from tests.unit.operator_node.registry.world import (
    CHAIN_ID,
    IDS,
    OWNER,
    Follow,
    encoded,
    exited,
    key_share,
    liquidated,
    operators,
    reactivated,
    registered,
    removed,
    until,
    validator_key,
)
from tests.unit.sdk.chain.pretend_node import Node, Refuse


@pytest.fixture
def node() -> Node:
    """A chain with four operators and two validators."""
    node = Node()
    node.mine(3)
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(1, 0, total=2), registered(2, 1)))
    return node


@pytest.fixture
def follow(node: Node, tmp_path: Path) -> Follow:
    return Follow(node, tmp_path / "registry.sqlite")


def kinds(follow: Follow) -> list[str]:
    return [type(change).__name__ for change in follow.take_changes()]


def test_own_validators_join_with_their_share_kept(follow: Follow) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        own = registry.own()
        assert set(own) == {validator_key(1), validator_key(2)}
        assignment = own[validator_key(1)]
        assert assignment.committee.operators == IDS
        assert assignment.fee_recipient == OWNER
        assert assignment.active
        assert assignment.registered_at == 4
        assert assignment.share_key == assignment.share_keys[OperatorId(2)]
        assert registry.status().operator_id == 2
        assert registry.operator_keys()[OperatorId(3)] == keys.operator_key(3).public_key

    follow.run(check)
    joined = [change.assignment for change in follow.changes if isinstance(change, Joined)]
    assert {each.validator_key for each in joined} == {validator_key(1), validator_key(2)}
    kept = dict(follow.kept)
    assert all(bls.public_key(kept[each.validator_key]) == each.share_key for each in joined)


def test_what_happens_to_a_validator_is_told(follow: Follow, node: Node) -> None:
    recipient = builders.address(77)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        follow.take_changes()
        node.mine(events=encoded(liquidated(2)))
        await follow.caught_up(registry)
        assert follow.take_changes() == [
            Liquidated(key) for key in sorted([validator_key(1), validator_key(2)])
        ]
        assert not registry.own()[validator_key(1)].active
        node.mine(events=encoded(reactivated(2)))
        node.mine(events=encoded(FeeRecipientAddressUpdated(OWNER, recipient)))
        await follow.caught_up(registry)
        assert [each for each in follow.take_changes() if not isinstance(each, Reactivated)] == [
            FeeRecipientChanged(OWNER, recipient, BlockNumber(7), 1000 + 12 * 7)
        ]
        assert registry.own()[validator_key(2)].fee_recipient == recipient
        node.mine(events=encoded(exited(1)))
        await follow.caught_up(registry)
        asked = ExitRequested(validator_key(1), BlockNumber(8), 1000 + 12 * 8)
        assert follow.take_changes() == [asked]
        assert registry.exits() == (asked,)
        assert registry.view.exit_requests(validator_key(1), Slot(8 + 4)) == 1
        assert registry.view.exit_requests(validator_key(1), Slot(8)) == 0
        node.mine(events=encoded(removed(1, total=1)))
        await follow.caught_up(registry)
        (left,) = follow.take_changes()
        assert isinstance(left, Left)
        assert left.validator_key == validator_key(1)
        assert set(registry.own()) == {validator_key(2)}
        assert registry.view.validator(validator_key(1)) is None

    follow.run(check)


def test_a_reorganisation_takes_back_exactly_what_vanished(follow: Follow, node: Node) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        node.mine(2)
        node.mine(events=encoded(exited(2), removed(1, total=1)))
        await follow.caught_up(registry)
        assert kinds(follow) == ["Joined", "Joined", "Left", "ExitRequested"]
        assert len(follow.kept) == 2
        node.reorganise(2, 3)
        await follow.caught_up(registry)
        changes = follow.take_changes()
        assert isinstance(changes[0], RolledBack)
        assert changes[0].to is not None
        assert changes[0].to.number == 5
        assert [type(each) for each in changes[1:]] == [Joined]
        assert registry.exits() == ()
        assert registry.view.exit_requests(validator_key(2), Slot(11)) == 0
        assert set(registry.own()) == {validator_key(1), validator_key(2)}
        node.reorganise(5, 6)
        await follow.caught_up(registry)
        assert registry.own() == {}
        assert registry.known() == set()
        assert registry.view.has_operator(OperatorId(4))
        assert kinds(follow) == ["RolledBack", "Left", "Left"]

    follow.run(check)


def test_a_restart_needs_no_chain(
    follow: Follow, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operator_node.registry.registry.FIRST_PAUSE_S", 0.001)
    node.mine(events=encoded(exited(2)))

    async def first(registry: Registry) -> None:
        await follow.caught_up(registry)

    follow.run(first)
    follow.kept.clear()
    follow.take_changes()

    def refuse(call: dict[str, Any]) -> Any:
        raise Refuse("syncing")

    node.rule = refuse

    async def second(registry: Registry) -> None:
        assert set(registry.own()) == {validator_key(1), validator_key(2)}
        assert not registry.is_complete
        assert registry.exits() == (ExitRequested(validator_key(2), BlockNumber(5), 1000 + 12 * 5),)
        assert registry.view.exit_requests(validator_key(2), Slot(9)) == 1
        node.rule = None
        await follow.caught_up(registry)

    follow.run(second)
    assert {key for key, _ in follow.kept} == {validator_key(1), validator_key(2)}
    assert follow.take_changes() == []


def test_a_reorganisation_while_the_node_was_down_is_undone(follow: Follow, node: Node) -> None:
    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)

    follow.run(read)
    node.reorganise(1, 2)

    async def check(registry: Registry) -> None:
        assert len(registry.own()) == 2
        await follow.caught_up(registry)
        assert registry.own() == {}

    follow.run(check)


def test_a_chain_that_differs_from_its_beginning_is_read_again(follow: Follow, node: Node) -> None:
    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)

    follow.run(read)
    del node.blocks[:]
    node.mine(2)
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(3, 0)))
    node.mine(9)
    follow.take_changes()

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == {validator_key(3)}
        assert registry.status().counts["restarts"] == 1

    follow.run(check)
    changes = follow.take_changes()
    assert changes[0] == RolledBack(None)
    assert [type(each).__name__ for each in changes[1:]] == ["Left", "Left", "Joined"]


def test_a_long_history_is_read_in_ranges_and_its_last_blocks_can_be_undone(
    follow: Follow, node: Node
) -> None:
    node.mine(400)
    node.mine(events=encoded(registered(3, 2)))
    node.mine(60)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert len(registry.own()) == 3
        steps = registry.status().counts["steps"]
        assert steps <= 4
        node.reorganise(100, 105)
        await follow.caught_up(registry)
        assert set(registry.own()) == {validator_key(1), validator_key(2)}
        assert registry.status().counts["rollbacks"] == 1
        assert registry.status().counts["restarts"] == 0

    follow.run(check)


def test_an_operator_that_is_not_registered_waits(tmp_path: Path) -> None:
    node = Node()
    node.mine(4)
    follow = Follow(node, tmp_path / "registry.sqlite")

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert registry.status().is_waiting_operator
        node.mine(events=encoded(*operators()))
        node.mine(events=encoded(registered(1, 0)))
        await follow.caught_up(registry)
        assert not registry.status().is_waiting_operator
        assert set(registry.own()) == {validator_key(1)}
        node.mine(events=encoded(OperatorRemoved(OperatorId(2))))
        await follow.caught_up(registry)
        assert registry.status().is_waiting_operator
        assert registry.own() == {}
        node.reorganise(1, 2)
        await follow.caught_up(registry)
        assert set(registry.own()) == {validator_key(1)}

    follow.run(check)


def test_nodes_of_another_chain_end_the_node_at_its_start(follow: Follow, node: Node) -> None:
    node.chain_id = 1

    async def never(registry: Registry) -> None:
        await until(lambda: False)

    with pytest.RaisesGroup(pytest.RaisesExc(ConfigError, match="serves chain 1")):
        follow.run(never)


def test_a_node_that_comes_back_on_another_chain_is_asked_again(
    follow: Follow, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operator_node.registry.registry.FIRST_PAUSE_S", 0.001)

    def away(call: dict[str, Any]) -> Any:
        raise httpx.ConnectError("away")

    async def check(registry: Registry) -> None:
        async def fails_again() -> None:
            before = registry.status().counts["failures"]
            await until(lambda: registry.status().counts["failures"] >= before + 2)

        await follow.caught_up(registry)
        node.rule = away
        await fails_again()
        node.chain_id, node.rule = 1, None
        await fails_again()
        node.chain_id = CHAIN_ID
        node.mine(events=encoded(registered(3, 2)))
        await follow.caught_up(registry)
        assert validator_key(3) in registry.own()

    follow.run(check)


@pytest.mark.parametrize("operator_id", [1, 3])
def test_another_key_than_the_registered_one_ends_the_node(
    node: Node, tmp_path: Path, operator_id: int
) -> None:
    follow = Follow(node, tmp_path / "registry.sqlite", operator_id=operator_id)

    async def never(registry: Registry) -> None:
        await until(lambda: False)

    with pytest.RaisesGroup(pytest.RaisesExc(ConfigError, match="another key")):
        follow.run(never)


def test_a_configured_id_with_its_key_is_taken(node: Node, tmp_path: Path) -> None:
    follow = Follow(node, tmp_path / "registry.sqlite", operator_id=2)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert len(registry.own()) == 2

    follow.run(check)


@pytest.mark.parametrize(("me", "operator_id", "fact"), [(3, None, "key"), (2, 2, "id")])
def test_a_store_of_another_operator_is_refused(
    follow: Follow, node: Node, me: int, operator_id: int | None, fact: str
) -> None:
    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)

    follow.run(read)
    other = Follow(node, follow.path, me=me, operator_id=operator_id)
    with pytest.RaisesGroup(pytest.RaisesExc(ConfigError, match=f"operator {fact}")):
        other.run(read)


def test_a_refused_registration_uses_up_a_nonce_and_is_kept_with_its_reason(
    follow: Follow, node: Node
) -> None:
    forged = registered(3, 7, total=3)
    assert isinstance(forged, ValidatorAdded)
    node.mine(events=[*encoded(forged), ((b"\x01" * 32,), b"?")])
    node.mine(events=encoded(registered(4, 3, total=4)))

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == {validator_key(1), validator_key(2), validator_key(4)}
        assert registry.view.validator(validator_key(3)) is None
        # The two registrations of the fixture, whose deposit no log explains, are odd as well.
        assert registry.status().counts["oddities"] >= 2

    follow.run(check)
    found = sqlite3.connect(follow.path)
    reasons = [row for (row,) in found.execute("SELECT reason FROM oddity WHERE block = 5")]
    found.close()
    assert reasons == ["nonce_signature_invalid", "unknown_event"]


def test_an_own_share_that_cannot_be_decrypted_is_an_alarm(follow: Follow, node: Node) -> None:
    event = registered(3, 2)
    assert isinstance(event, ValidatorAdded)
    spoiled = event.shares[:-600] + bytes(600)
    node.mine(
        events=encoded(
            ValidatorAdded(
                event.owner, event.operator_ids, event.public_key, spoiled, event.cluster
            )
        )
    )
    other = Follow(node, follow.path, me=4)

    async def check(registry: Registry) -> None:
        await other.caught_up(registry)
        assert set(registry.own()) == {validator_key(1), validator_key(2)}
        assert set(registry.status().alarms) == {validator_key(3)}
        assert registry.view.validator(validator_key(3)) is not None

    other.run(check)


def test_a_store_without_an_own_share_is_read_again(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operator_node.registry.registry.FIRST_PAUSE_S", 0.001)

    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert len(registry.own()) == 2

    follow.run(read)
    store = sqlite3.connect(follow.path)
    store.execute("DELETE FROM share")
    store.commit()
    store.close()
    follow.run(read)
    assert follow.path.with_name("registry.sqlite.damaged-1").exists()


def test_a_damaged_store_is_set_aside_and_read_again(follow: Follow) -> None:
    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert len(registry.own()) == 2

    follow.run(read)
    follow.path.write_bytes(b"nothing of use" * 1000)
    follow.run(read)
    assert follow.path.with_name("registry.sqlite.damaged-1").exists()


def test_after_a_failure_the_store_is_opened_again_and_nothing_is_lost(
    follow: Follow, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operator_node.registry.registry.FIRST_PAUSE_S", 0.001)
    failures: list[Any] = []

    def keep_badly(key: Any, secret: Any) -> None:
        if len(failures) < 3:
            failures.append(key)
            raise OSError("disk full")
        follow.kept.append((key, secret))

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert len(registry.own()) == 2
        node.mine(events=encoded(registered(3, 2)))
        await follow.caught_up(registry)
        assert len(registry.own()) == 3

    follow.run(check, keep_share=keep_badly)
    assert {key for key, _ in follow.kept} == {validator_key(number) for number in (1, 2, 3)}
    assert kinds(follow) == ["Joined"] * 3


def test_a_start_lets_in_again_whom_the_one_before_had_not_finished_letting_in(
    follow: Follow, node: Node
) -> None:
    async def read(registry: Registry) -> None:
        await follow.caught_up(registry)

    follow.run(read)
    follow.admitted.clear()

    asked: list[object] = []

    async def never(keys: object) -> None:
        asked.append(keys)
        await trio.sleep_forever()  # the process ends before it returns

    async def cut_off(registry: Registry) -> None:
        node.mine(events=encoded(liquidated(2)))
        await until(lambda: not registry.own()[validator_key(1)].active)
        node.mine(events=encoded(reactivated(2)))
        await until(lambda: asked != [])
        assert not registry.own()[validator_key(1)].active

    follow.run(cut_off, admit=never)
    shown: list[bool] = []

    async def again(registry: Registry) -> None:
        shown.append(registry.own()[validator_key(1)].active)

    follow.run(again)
    assert shown == [True]
    assert follow.admitted == sorted([validator_key(1), validator_key(2)])
    follow.admitted.clear()
    follow.run(again)
    assert follow.admitted == []


@pytest.mark.parametrize(
    ("events", "again"),
    [
        ([removed(1, total=1), registered(1, 2, total=2)], {1}),
        ([liquidated(2), reactivated(2)], {1, 2}),
        ([removed(1, total=1), registered(1, 2, total=2), liquidated(2)], set()),
        ([liquidated(2), reactivated(2), removed(2, total=1)], {1}),
        ([exited(1)], set()),
        ([FeeRecipientAddressUpdated(OWNER, builders.address(77))], set()),
    ],
)
def test_what_was_gone_within_one_step_is_let_in_again(
    follow: Follow, node: Node, events: list[Event], again: set[int]
) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        follow.admitted.clear()
        steps = registry.status().counts["steps"]
        node.mine(events=encoded(*events))
        await follow.caught_up(registry)
        assert registry.status().counts["steps"] == steps + 1

    follow.run(check)
    assert follow.admitted == sorted(map(validator_key, again))


def test_somebody_elses_refused_registration_of_a_key_begins_nothing(
    follow: Follow, node: Node
) -> None:
    event = registered(1, 0)
    assert isinstance(event, ValidatorAdded)
    stranger = ValidatorAdded(
        builders.address(55), event.operator_ids, event.public_key, event.shares, event.cluster
    )

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        follow.admitted.clear()
        node.mine(events=encoded(stranger))
        await follow.caught_up(registry)
        assert registry.own()[validator_key(1)].owner == OWNER

    follow.run(check)
    assert follow.admitted == []


def test_a_removal_that_is_undone_lets_in_again(follow: Follow, node: Node) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        node.mine(events=encoded(removed(1, total=1)))
        await follow.caught_up(registry)
        follow.admitted.clear()
        node.reorganise(1, 2)
        await follow.caught_up(registry)
        assert validator_key(1) in registry.own()

    follow.run(check)
    assert follow.admitted == [validator_key(1)]


def test_a_share_is_forgotten_before_it_can_be_handed_over_again(
    follow: Follow, node: Node
) -> None:
    held: dict[PublicKey, PublicKey] = {}

    def keep(key: PublicKey, secret: SecretKey) -> None:
        held[key] = bls.public_key(secret)

    def drop(key: PublicKey, share_key: PublicKey) -> None:
        assert held.pop(key) == share_key

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        share_key = registry.own()[validator_key(1)].share_key
        node.mine(events=encoded(removed(1, total=1)))
        await follow.caught_up(registry)
        assert set(held) == {validator_key(2)}
        node.mine(events=encoded(registered(1, 2, total=2)))
        await follow.caught_up(registry)
        assert held[validator_key(1)] == share_key
        node.mine(events=encoded(removed(1, total=1), registered(1, 3, total=2)))
        await follow.caught_up(registry)
        assert held[validator_key(1)] == share_key

    follow.run(check, keep_share=keep, drop_share=drop)


def test_a_share_that_another_owner_registered_too_is_not_forgotten(follow: Follow) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        own = registry.own()
        (now, other) = (own[validator_key(number)] for number in (1, 2))
        left = Left(now.validator_key, now.share_key)
        assert departed([left, RolledBack(None)], {}) == [left]
        assert departed([left], own) == []
        moved = replace(now, share_key=other.share_key)
        assert departed([left], {now.validator_key: moved}) == [left]

    follow.run(check)


def test_gossip_validation_is_told_of_the_whole_network(node: Node, tmp_path: Path) -> None:
    stranger = Follow(node, tmp_path / "registry.sqlite", me=9)

    async def check(registry: Registry) -> None:
        await stranger.caught_up(registry)
        assert registry.own() == {}
        assert registry.known() == {validator_key(1), validator_key(2)}
        found = registry.view.validator(validator_key(1))
        assert found is not None
        assert found.index is None
        assert found.committee.members.operators == IDS
        assert not registry.view.proposers_known(Epoch(0))

    stranger.run(check)
    assert stranger.kept == []
    assert key_share(1, 0).operator_ids == IDS
