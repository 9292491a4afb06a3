"""A whole network on this machine for as long as a program needs it: contract, chains, nodes.

    deploy/toolchain/run .venv/bin/python -m examples.local_network

Anvil with the registry, two Lodestar beacon nodes, four operator nodes with eight validators, an
indexer with API and explorer, all real processes. `phalanx devnet up` is the finished tool.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from deploy.devnet.network import (
    FIRST_SLOT,
    VALIDATORS,
    LocalNetwork,
    NetworkOptions,
    running_network,
)

SLOTS = 10
"""Votes begin with the second epoch, slot 8."""
HELD = tuple(range(VALIDATORS - 8, VALIDATORS))
"""Validators of the operators; the beacon nodes run the others."""


async def main(folder: Path, *, last_slot: int = SLOTS) -> None:
    """Starts it, looks, and leaves nothing behind."""
    options = NetworkOptions(
        folder=folder, validators=HELD, inside=VALIDATORS - len(HELD), indexed=True
    )
    async with running_network(options, print) as network:
        await look(network)
        report = await network.report(FIRST_SLOT, last_slot)
    print(f"slots {FIRST_SLOT} to {last_slot}: {report.done} of {report.due} duties in the chain")


async def look(network: LocalNetwork) -> None:
    """What a program would ask the parts, each at its own address."""
    print(f"registry {network.registry.deployment.registry} on {network.registry.chain.url}")
    for beacon in network.beacons:
        print(f"beacon node {beacon.url}")
    for node in network.nodes:
        status = await node.ask("/v2/status")
        print(f"operator {node.operator.id}: {node.api}, {status['state']}")
    if network.indexer is not None:
        answer = await network.indexer.ask("/v1/network")
        totals = answer["data"]["totals"]
        print(f"API and explorer {network.indexer.url}: {totals['validators']} validators")


if __name__ == "__main__":
    # A root user's Postgres runs as another user, who has to get into the folder.
    with TemporaryDirectory(prefix="phalanx-example-") as name:
        trio.run(main, Path(name))
