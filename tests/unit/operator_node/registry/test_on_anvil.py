"""The registry of a node against a real chain: registrations, reorganisations, restarts, kills."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from operator_node.registry import ExitRequested, Identity, Registry, RegistryChange, RolledBack
from sdk.chain import Rpc
from sdk.crypto import SecretKey, bls, decrypt_share
from sdk.testing import keys
from sdk.types import BlockNumber, PublicKey, parse_address
from tests.client.world import OWNER, World
from tests.unit.operator_node.registry.follow_process import CHAIN_ID, ME, admit_all
from tests.unit.operator_node.registry.world import until

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]
SLOT_S = 12


def name_of(number: int) -> PublicKey:
    return keys.key_share(number).public_key


class Follow:
    """A registry on a real chain; as often as wanted, on the same store."""

    def __init__(self, world: World, path: Path, url: str = "") -> None:
        self.world = world
        self.url = url or world.url
        self.path = path
        self.key = keys.operator_key(ME)
        self.kept: dict[PublicKey, SecretKey] = {}
        self.changes: list[RegistryChange] = []

    def run(self, check: Callable[[Registry], Awaitable[None]], **more: Any) -> None:
        async def main() -> None:
            async with Rpc([self.url], chain_id=CHAIN_ID) as rpc:
                deployed = self.world.deployed
                settings: dict[str, Any] = {"distance": 0, "poll_s": 0.01} | more
                registry = Registry(
                    rpc,
                    path=self.path,
                    identity=Identity(
                        CHAIN_ID, parse_address(deployed.registry), self.key.public_key.fingerprint
                    ),
                    operator_key=self.key.public_key,
                    first_block=BlockNumber(deployed.start_block),
                    slot_at=lambda seconds: seconds // SLOT_S,
                    open_share=lambda box, share_key: decrypt_share(self.key, box, share_key),
                    keep_share=self.kept.__setitem__,
                    drop_share=lambda validator, share_key: None,
                    admit=admit_all,
                    **settings,
                )
                changes = registry.subscribe()
                async with trio.open_nursery() as nursery:
                    await nursery.start(registry.run)
                    nursery.start_soon(self._listen, changes)
                    await check(registry)
                    nursery.cancel_scope.cancel()

        trio.run(main)

    async def caught_up(self, registry: Registry) -> None:
        block: Any = await trio.to_thread.run_sync(self.world.w3.eth.get_block, "latest")

        def is_there() -> bool:
            tip = registry.status().tip
            return registry.is_complete and tip is not None and tip.hash == bytes(block["hash"])

        await until(is_there)

    async def act(self, registry: Registry, step: Callable[[], object]) -> None:
        """Something on the chain, and the registry after it."""
        await trio.to_thread.run_sync(step)
        await self.caught_up(registry)

    async def _listen(self, changes: trio.MemoryReceiveChannel[RegistryChange]) -> None:
        async for change in changes:
            self.changes.append(change)


def as_read_afresh(world: World, path: Path) -> tuple[Any, ...]:
    """What a node that reads the chain for the first time makes of it."""
    fresh = Follow(world, path)
    seen: list[tuple[Any, ...]] = []

    async def check(registry: Registry) -> None:
        await fresh.caught_up(registry)
        counts = registry.status().counts
        assert (counts["divergences"], counts["oddities"]) == (0, 0)
        seen.append(facts(registry))

    fresh.run(check)
    return seen[0]


def facts(registry: Registry) -> tuple[Any, ...]:
    return dict(registry.own()), set(registry.known()), dict(registry.operator_keys())


def exit_validator(world: World, number: int) -> None:
    world.client(OWNER).validators.exit((1, 2, 3, 4), [name_of(number)]).transact()


def test_reorganisations_of_a_real_chain_end_in_what_it_says_now(
    world: World, tmp_path: Path
) -> None:
    follow = Follow(world, tmp_path / "registry.sqlite")

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert registry.own() == {}
        assert registry.status().operator_id == ME
        await follow.act(registry, lambda: world.register(1, 2))
        assert set(registry.own()) == {name_of(1), name_of(2)}
        assert registry.status().counts["divergences"] == 0
        saved = await trio.to_thread.run_sync(world.rpc, "evm_snapshot")
        await follow.act(registry, lambda: world.register(3))
        await follow.act(registry, lambda: exit_validator(world, 1))
        assert len(registry.own()) == 3
        assert [each.validator_key for each in registry.exits()] == [name_of(1)]
        # Another registration at the same height, with the same nonce.
        await trio.to_thread.run_sync(world.rpc, "evm_revert", saved)
        await follow.act(registry, lambda: world.register(4))
        await follow.act(registry, lambda: world.mine(3))
        assert set(registry.own()) == {name_of(1), name_of(2), name_of(4)}
        assert registry.exits() == ()
        # Deeper, by anvil's own rollback: the registrations themselves vanish.
        await trio.to_thread.run_sync(world.rpc, "anvil_rollback", 5)
        await follow.act(registry, lambda: world.register(5))
        await follow.act(registry, lambda: world.mine(7))
        assert set(registry.own()) == {name_of(5)}
        assert registry.status().counts["rollbacks"] == 2
        assert registry.status().counts["failures"] == 0

    follow.run(check)
    for key, secret in follow.kept.items():
        assert bls.public_key(secret) != key
    kinds = [type(change).__name__ for change in follow.changes]
    assert kinds == [
        *["Joined", "Joined", "Joined", "ExitRequested"],
        *["RolledBack", "Left", "Joined", "RolledBack", "Left", "Left", "Left", "Joined"],
    ]
    asked = next(each for each in follow.changes if isinstance(each, ExitRequested))
    assert asked.block_time_s > 1_000_000_000
    back = [each.to.number for each in follow.changes if isinstance(each, RolledBack) if each.to]
    assert len(back) == 2
    again = Follow(world, follow.path)
    seen: list[tuple[Any, ...]] = []

    async def look(registry: Registry) -> None:
        seen.append(facts(registry))

    again.run(look)
    assert seen[0] == as_read_afresh(world, tmp_path / "fresh.sqlite")


def test_the_follow_distance_holds_events_back(world: World, tmp_path: Path) -> None:
    follow = Follow(world, tmp_path / "registry.sqlite")
    world.register(1)
    world.mine(7)

    async def check(registry: Registry) -> None:
        head = world.w3.eth.block_number
        await until(lambda: registry.is_complete)
        tip = registry.status().tip
        assert tip is not None
        assert tip.number == head - 8
        assert registry.own() == {}
        await trio.to_thread.run_sync(world.mine, 1)
        await until(lambda: len(registry.own()) == 1)

    follow.run(check, distance=8)


def test_a_process_killed_at_any_moment_leaves_a_registry_as_of_some_block(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "registry.sqlite"
    deployed = world.deployed
    command = [sys.executable, "-m", "tests.unit.operator_node.registry.follow_process"]
    command += [world.url, deployed.registry, str(deployed.start_block), str(path)]
    chance = random.Random(7)
    saved = world.rpc("evm_snapshot")
    for number in range(1, 7):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child, child.stdout:
            assert child.stdout.readline()
            if number == 4:
                world.rpc("evm_revert", saved)
                world.mine(chance.randrange(3))
            world.register(number)
            world.mine(chance.randrange(4))
            for _ in range(chance.randrange(3)):
                child.stdout.readline()
            child.kill()
    follow = Follow(world, path)
    seen: list[tuple[Any, ...]] = []

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert registry.status().counts["failures"] == 0
        assert set(registry.own()) == {name_of(4), name_of(5), name_of(6)}
        seen.append(facts(registry))

    follow.run(check)
    assert not path.with_name(path.name + ".damaged-1").exists()
    assert seen[0] == as_read_afresh(world, tmp_path / "fresh.sqlite")
