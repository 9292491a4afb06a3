"""Watches how long a cluster's balance lasts, and raises the alarm before it runs out.

    python -m examples.watch_cluster http://127.0.0.1:8545 REGISTRY START_BLOCK OWNER 1,2,3,4 30

Says when the runway falls below so many days, when anybody may liquidate the cluster, and ends once
it is liquidated. `phalanx watch` is the finished tool, for any number of clusters and conditions.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from web3 import HTTPProvider, Web3

from sdk.client import Client, ClusterState
from sdk.units import format_ether

BLOCKS_PER_DAY = 7_200
SLOT_S = 12.0


def condition(cluster: ClusterState, *, least_blocks: int) -> str:
    """What an owner should know of the cluster, in a word or two."""
    if not cluster.snapshot.active:
        return "liquidated"
    if cluster.is_liquidatable:
        return "ALARM: anybody may liquidate it now"
    left = cluster.runway_blocks
    if left is not None and left < least_blocks:
        return f"ALARM: less than {least_blocks} blocks of runway"
    return "fine"


def watch(
    look: Callable[[], ClusterState], *, least_blocks: int, pause: Callable[[], None]
) -> Iterator[str]:
    """A line whenever the condition is another one; ends when there is nothing left to save."""
    known = ""
    while known != "liquidated":
        cluster = look()
        now = condition(cluster, least_blocks=least_blocks)
        if now != known:
            known = now
            yield f"block {cluster.block.number}: {now}; {figures(cluster)}"
        pause()


def figures(cluster: ClusterState) -> str:
    """Balance, rate, runway and the block in which it ends."""
    left, end = cluster.runway_blocks, cluster.liquidation_block
    return (
        f"{format_ether(cluster.balance_wei)} ETH, {cluster.burn_rate_wei} wei per block, "
        f"{left} blocks left, liquidatable from block {end}"
    )


def main(url: str, registry: str, start_block: str, owner: str, ids: str, days: str) -> None:
    """Looks once per slot."""
    web3 = Web3(HTTPProvider(url))
    client = Client(web3, registry=registry, start_block=int(start_block))
    operators = [int(each) for each in ids.split(",")]
    look = partial(client.clusters.get, owner, operators)
    least = int(days) * BLOCKS_PER_DAY
    for line in watch(look, least_blocks=least, pause=partial(time.sleep, SLOT_S)):
        print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
