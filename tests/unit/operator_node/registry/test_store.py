"""The state store: what goes in comes out, what is undone is gone, and no failure leaves a half."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from operator_node.registry.binding import Binding
from operator_node.registry.replay import replay
from operator_node.registry.store import ODDITIES_KEPT, Store, open_store
from operator_node.registry.values import Batch, Identity, Oddity, Stored
from sdk.chain import Block, Extend, Point
from sdk.errors import ConfigError, StorageError
from sdk.events import Event, Log, encode
from sdk.events.types import OperatorMultipleWhitelistRemoved, OperatorMultipleWhitelistUpdated
from sdk.registry import RegistryState, SignatureVerdict
from sdk.testing import builders, keys
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, PublicKey, Wei

CONTRACT = Address(b"\xcc" * 20)
IDENTITY = Identity(5, CONTRACT, "fingerprint")
BINDING = Binding(keys.operator_key(1).public_key)
OWNERS = [builders.address(1), builders.address(2)]
SETS = [builders.operator_ids(1, 2, 3, 4), builders.operator_ids(2, 3, 4, 5)]
BLOCKS = 24
DEPTH = 8


def point(number: int) -> Point:
    return Point(BlockNumber(number), sha256(b"block %d" % number).digest())


def act(model: ModelRegistry, chance: random.Random) -> None:
    """Any call; the first ones register operators."""
    owner, ids = chance.choice(OWNERS), chance.choice(SETS)
    key, money = builders.public_key(chance.randrange(12)), Wei(chance.randrange(10**21))
    what = chance.randrange(4) if len(model.state.operators) >= 5 else 0
    match what:
        case 0:
            model.register_operator(owner, FeeUnits(chance.randrange(9_000)))
        case 1:
            verdict = SignatureVerdict.INVALID
            shares = [builders.shares()]
            model.register(owner, ids, [key], shares, value_wei=money, verdict=verdict)
        case 2:
            model.remove(owner, ids, [key])
        case _:
            model.deposit(owner, ids, value_wei=money)


@lru_cache(maxsize=1)
def steps() -> tuple[Extend, ...]:
    """A busy history, a step per block: every kind of record is made, changed and removed."""
    chance = random.Random(11)
    model = ModelRegistry(RegistryState().network)
    made = []
    for number in range(1, BLOCKS + 1):
        model.block = BlockNumber(number)
        for _ in range(3):
            act(model, chance)
        events: list[Event] = [event for event, _ in model.take_logs()]
        listed = (SETS[0], (builders.address(number // 4),))
        if number % 2:
            events.append(OperatorMultipleWhitelistRemoved(*listed))
        else:
            events.append(OperatorMultipleWhitelistUpdated(*listed))
        logs = tuple(
            Log(CONTRACT, *encode(event), BlockNumber(number), point(number).hash, b"", 0, index)
            for index, event in enumerate(events)
        )
        tip = Block(BlockNumber(number), point(number).hash, point(number - 1).hash, 12 * number)
        points = tuple(point(each) for each in range(max(0, number - DEPTH), number + 1))
        times = {BlockNumber(each): 12 * each for each in range(number + 1)}
        made.append(Extend(tip, logs, points, times))
    return tuple(made)


def opened(path: Path, identity: Identity = IDENTITY) -> tuple[Store, Stored]:
    return open_store(path, identity)


def extend(store: Store, state: RegistryState, *made: Extend) -> list[bytes]:
    """Digests after each step."""
    digests = []
    for step in made:
        store.extend(replay(state, step, BINDING).batch)
        digests.append(state.digest())
    return digests


def test_a_restart_loads_what_was_kept(tmp_path: Path) -> None:
    store, stored = opened(tmp_path / "a")
    extend(store, stored.state, *steps())
    store.close()
    store, again = opened(tmp_path / "a")
    store.close()
    assert again.state == stored.state
    assert again.state.digest() == stored.state.digest()
    assert again.points == steps()[-1].points
    assert again.time_s == 12 * BLOCKS
    assert {len(table) > 0 for table in (again.state.operators, again.state.validators)} == {True}
    assert any(
        len(cluster.snapshot.balance_wei.to_bytes(32, "big").lstrip(b"\0")) > 8
        for cluster in again.state.clusters.values()
    )


@pytest.mark.parametrize("back", [0, 1, 5, DEPTH])
def test_every_depth_within_the_journal_is_undone_exactly(tmp_path: Path, back: int) -> None:
    store, stored = opened(tmp_path / "a")
    state = stored.state
    digests = extend(store, state, *steps())
    to = point(BLOCKS - back)
    changes = store.undo_above(to.number)
    state.undo(changes)
    assert store.roll_back(to, changes) == 12 * to.number
    assert state.digest() == digests[-1 - back]
    store.close()
    store, again = opened(tmp_path / "a")
    assert again.state == state
    assert again.points[-1] == to
    assert again.time_s == 12 * to.number
    extend(store, again.state, *steps()[BLOCKS - back :])
    assert again.state.digest() == digests[-1]
    store.close()


class Failing:
    """A database whose so many-th statement fails."""

    def __init__(self, db: sqlite3.Connection, after: int) -> None:
        self._db = db
        self._left = after
        self.has_failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, *given: Any) -> Any:
        return self._run(self._db.execute, *given)

    def executemany(self, *given: Any) -> Any:
        return self._run(self._db.executemany, *given)

    def _run(self, run: Callable[..., Any], *given: Any) -> Any:
        self._left -= 1
        if self._left < 0 and not self.has_failed and given[0] != "ROLLBACK":
            self.has_failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return run(*given)


def test_a_failure_at_any_statement_keeps_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    store, stored = opened(path)
    before = extend(store, stored.state, *steps()[:20])[-1]
    batch = replay(stored.state, steps()[20], BINDING).batch
    store.close()
    for statements in range(50):
        store, again = opened(path)
        assert again.state.digest() == before
        assert again.points[-1] == point(20)
        failing = Failing(store._db, statements)
        store._db = failing  # type: ignore[assignment]
        with suppress(StorageError):
            store.extend(batch)
        store.close()
        if not failing.has_failed:
            break
    store, again = opened(path)
    store.close()
    assert statements > 8
    assert again.state.digest() == stored.state.digest()
    assert again.points[-1] == point(21)


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        (Identity(6, CONTRACT, "fingerprint"), "chain id"),
        (Identity(5, Address(b"\xdd" * 20), "fingerprint"), "contract"),
        (Identity(5, CONTRACT, "another"), "operator key"),
        (Identity(5, CONTRACT, "fingerprint", 7), "operator id"),
    ],
)
def test_a_store_of_another_network_or_operator_is_refused(
    tmp_path: Path, other: Identity, fact: str
) -> None:
    opened(tmp_path / "a")[0].close()
    with pytest.raises(ConfigError, match=fact) as caught:
        opened(tmp_path / "a", other)
    assert caught.value.code == "store_foreign"
    opened(tmp_path / "a")[0].close()


def spoil(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()


def test_who_begins_is_stored_with_the_step_until_it_is_settled(tmp_path: Path) -> None:
    first, second, third = map(builders.public_key, range(3))

    def reopened(store: Store) -> tuple[Store, frozenset[PublicKey]]:
        store.close()
        store, stored = opened(tmp_path / "a")
        return store, stored.begun

    store, stored = opened(tmp_path / "a")
    extend(store, stored.state, *steps()[:-1])
    store.extend(replay(stored.state, steps()[-1], BINDING).batch, [first, second])
    to = steps()[-1].points[-2]
    store, begun = reopened(store)
    assert begun == {first, second}
    store.roll_back(to, store.undo_above(to.number), [second, third])
    store.settle([first])
    store, begun = reopened(store)
    assert begun == {second, third}
    store.clear()
    store, begun = reopened(store)
    assert begun == frozenset()
    store.close()


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    opened(tmp_path / "a")[0].close()
    spoil(tmp_path / "a", "UPDATE identity SET value = value + 1 WHERE name = 'schema'")
    with pytest.raises(ConfigError, match="newer") as caught:
        opened(tmp_path / "a")
    assert caught.value.code == "store_newer"
    assert (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM record WHERE kind = 3 AND key = (SELECT max(key) FROM record WHERE kind = 3)",
        "UPDATE record SET value = substr(value, 1, 4) || zeroblob(9) WHERE kind = 2",
        "INSERT INTO share VALUES (x'00', x'11')",
        "DELETE FROM identity",
    ],
    ids=["a lost row", "a changed row", "a changed share", "no identity"],
)
def test_damage_is_noticed_and_the_file_set_aside(tmp_path: Path, statement: str) -> None:
    store, stored = opened(tmp_path / "a")
    extend(store, stored.state, *steps())
    store.close()
    spoil(tmp_path / "a", statement)
    store, again = opened(tmp_path / "a")
    store.close()
    assert again.was_damaged
    assert again.points == ()
    assert (tmp_path / "a.damaged-1").exists()


@pytest.mark.parametrize("at", [0, 5000, 20_000])
def test_a_file_overwritten_anywhere_is_noticed(tmp_path: Path, at: int) -> None:
    store, stored = opened(tmp_path / "a")
    extend(store, stored.state, *steps())
    store.close()
    with (tmp_path / "a").open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 4096)
    store, again = opened(tmp_path / "a")
    store.close()
    assert again.was_damaged


def test_two_processes_do_not_share_a_store(tmp_path: Path) -> None:
    store, _ = opened(tmp_path / "a")
    with pytest.raises(StorageError, match="locked"):
        opened(tmp_path / "a")
    store.close()


def test_oddities_are_bounded(tmp_path: Path) -> None:
    store, _ = opened(tmp_path / "a")
    odd = [Oddity(BlockNumber(1), index, "unknown_event", "") for index in range(ODDITIES_KEPT + 5)]
    store.extend(Batch((), {}, (), odd, (point(1),), {}))
    assert store.oddities() == odd[5:]
    store.close()
