"""Proofs and audit of a real registry on a real chain, by HTTP, by WebSocket, through a liar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from operator_node.registry import ExitRequested, Registry
from tests.client.world import World
from tests.indexer.faulty import Node, faulty, honest
from tests.unit.operator_node.registry.test_on_anvil import Follow, exit_validator, name_of
from tests.unit.operator_node.registry.world import until

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


@pytest.fixture
def liar(world: World) -> Iterator[Node]:
    """The chain's node, with a fault to be chosen."""
    with faulty(world.url) as made:
        yield made


async def vouched(registry: Registry) -> None:
    """Until everything that was read is known to be the contract's."""

    def is_there() -> bool:
        status = registry.status()
        return status.tip is not None and status.audit.verified == status.tip.number

    await until(is_there)
    assert registry.status().problem == ""


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_the_contract_agrees_with_what_was_read(world: World, tmp_path: Path, scheme: str) -> None:
    follow = Follow(world, tmp_path / "registry.sqlite", world.url.replace("http", scheme))

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await vouched(registry)
        await follow.act(registry, lambda: world.register(1, 2))
        await follow.act(registry, lambda: exit_validator(world, 1))
        await vouched(registry)
        await follow.act(registry, lambda: world.mine(200))
        await vouched(registry)
        assert registry.exits() != ()
        counts = registry.status().counts
        assert (counts["unproven"], counts["gaps"], counts["differences"]) == (0, 0, 0)
        assert counts["proven"] > 0

    follow.run(check)


def test_what_a_broken_index_hides_is_in_the_receipts(
    world: World, tmp_path: Path, liar: Node
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        return [] if call["method"] == "eth_getLogs" else result

    follow = Follow(world, tmp_path / "registry.sqlite", liar.url)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        liar.fault = fault
        await follow.act(registry, lambda: world.register(1))
        assert set(registry.own()) == {name_of(1)}
        await vouched(registry)
        assert registry.status().counts["gaps"] == 1

    follow.run(check)


def test_nothing_is_taken_of_a_node_that_alters_receipts_until_it_is_honest(
    world: World, tmp_path: Path, liar: Node
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_getLogs":
            return []
        if call["method"] == "eth_getBlockReceipts":
            return [each | {"logs": []} for each in result]
        return result

    follow = Follow(world, tmp_path / "registry.sqlite", liar.url)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await follow.act(registry, lambda: world.register(1))
        tip = registry.status().tip
        liar.fault = fault
        await trio.to_thread.run_sync(exit_validator, world, 1)
        await until(lambda: registry.status().counts["refuted"] > 1)
        assert registry.status().tip == tip
        assert "receipts" in registry.status().problem
        liar.fault = honest
        await follow.caught_up(registry)
        await until(lambda: any(isinstance(each, ExitRequested) for each in follow.changes))
        await vouched(registry)

    follow.run(check)
