"""A node that was stopped, or killed, does duties again within ten seconds of its start."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from deploy.devnet.network import LocalNetwork, NetworkOptions, running_network
from tests.e2e.restarting import FirstDuty, restart

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

LIMIT_S = 10.0
SLOT_SECONDS = 4
BEGINNINGS = ((17.2, 1, False), (21.7, 2, True), (26.7, 3, False), (31.2, 0, True))
"""Slot, which operator, and whether it is killed rather than stopped: early and late in a slot, and
after an epoch with votes, so that nobody has to be watched anew."""
DEADLINE_S = 330.0


def test_first_duty_comes_within_ten_seconds_of_a_restart(tmp_path: Path) -> None:
    found = trio.run(live, NetworkOptions(folder=tmp_path, slot_seconds=SLOT_SECONDS))
    assert len(found) == len(BEGINNINGS)
    assert max(first.seconds for first in found) <= LIMIT_S


async def live(options: NetworkOptions) -> list[FirstDuty]:
    with trio.fail_after(DEADLINE_S):
        async with running_network(options, print) as network:
            return [await begin_anew(network, *each) for each in BEGINNINGS]


async def begin_anew(network: LocalNetwork, slot: float, place: int, is_killed: bool) -> FirstDuty:
    """Ends one node and starts it again at once."""
    node = network.nodes[place]
    await network.observer.until_slot(slot)
    await (node.child.kill() if is_killed else node.child.stop())
    first = await restart(network, node)
    how = "kill -9" if is_killed else "SIGTERM"
    print(
        f"{node.child.name} after {how}: first duty {first.name} after {first.seconds:.1f} s, "
        f"started {first.into_slot:.0%} into a slot"
    )
    return first
