"""The local network's indexer as the demo runs it: real chain, Postgres and processes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import trio

from deploy.devnet.chain import running_chain
from deploy.devnet.indexer import PATIENCE_S, running_indexer
from deploy.devnet.registry import set_up_registry

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.realtime]

VALIDATORS = (32, 33)


def test_the_indexer_serves_the_registry_of_the_network_and_its_explorer() -> None:
    # Not below pytest's folder: a root user's Postgres runs as another user, who must get there.
    with TemporaryDirectory(prefix="phalanx-test-") as name:
        network, overview = trio.run(_served, Path(name))

    totals = network["data"]["totals"]
    assert (totals["operators"], totals["validators"], totals["clusters"]) == (4, 2, 1)
    assert network["meta"]["chain_id"] == 31337
    assert overview.headers["content-type"].startswith("text/html")
    assert "<h1" in overview.text


async def _served(folder: Path) -> tuple[dict[str, Any], httpx.Response]:
    async with running_chain(folder, slot_seconds=3) as chain:
        registry = await set_up_registry(chain, folder, operators=4, validators=VALIDATORS)
        async with running_indexer(registry, folder) as indexer:
            await indexer.until_ready(patience_s=PATIENCE_S)
            head = int(await chain.ask("eth_blockNumber"), 16)
            with trio.fail_after(PATIENCE_S):
                network = await indexer.ask("/v1/network")
                while network["meta"]["block"]["number"] < head:
                    network = await indexer.ask("/v1/network")
            async with httpx.AsyncClient() as client:
                return network, await client.get(f"{indexer.url}/")
