"""What a network is told by stays the same from one start to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from deploy.devnet.belongings import write_account
from deploy.devnet.chain import running_chain
from deploy.devnet.operators import make_nodes
from deploy.devnet.ports import PortPlan
from deploy.devnet.registry import set_up_registry
from tests.devnet.bases import OWN_BASE

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

SLOT_SECONDS = 3


async def addresses(folder: Path) -> list[object]:
    """Of a registry with four operators, their nodes, and an account."""
    plan = PortPlan(OWN_BASE)
    async with running_chain(folder, slot_seconds=SLOT_SECONDS, port=plan.chain) as chain:
        registry = await set_up_registry(chain, folder, operators=4)
        nodes = make_nodes(
            registry, folder, beacon_urls=["http://127.0.0.1:1"], ports=plan.operators(4)
        )
        return [
            chain.url,
            registry.deployment,
            registry.cluster,
            await write_account(chain, folder / "staker.key"),
            *((node.operator.id, node.api, node.metrics, node.peer) for node in nodes),
        ]


def test_addresses_follow_from_the_base_alone(tmp_path: Path) -> None:
    first = trio.run(addresses, tmp_path / "first")
    assert trio.run(addresses, tmp_path / "second") == first
    assert first[0] == f"http://127.0.0.1:{OWN_BASE}"
