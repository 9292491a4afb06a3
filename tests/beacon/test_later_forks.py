"""Every duty through the pool in the forms of Fulu, judged by Lodestar's state transition.

The node's routes and pools are our own (`deploy.devnet.later_forks`): what this proves is the newer
routes, SSZ, and that the chain takes the objects.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from deploy.devnet.later_forks import LEAD_S, running_later_fork
from deploy.devnet.rest import ask
from operator_node.beacon import BeaconPool, HeadEvent, NodeState, NodeStatus
from operator_node.duties.types import SubmissionKind
from operator_node.spec import ChainSpec
from operator_node.spec.versions import FULU
from sdk.types import Slot
from tests.beacon.validator_client import Diary, ValidatorClient, now_ms

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

INSIDE = 48
HELD = range(INSIDE, 64)
LAST_SLOT = 10
SLOT_S = 3


@dataclass
class Life:
    """What was seen while the node lived."""

    chain: ChainSpec
    diary: Diary
    status: NodeStatus
    heads: dict[int, bytes]
    canonical: dict[int, bytes]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return trio.run(live, tmp_path_factory.mktemp("fulu"))


async def live(folder: Path) -> Life:
    genesis_time = int(time.time()) + LEAD_S + 4
    async with (
        running_later_fork(
            folder, genesis_time=genesis_time, slot_seconds=SLOT_S, inside=INSIDE
        ) as node,
        BeaconPool([node.url], now_ms=now_ms) as pool,
        trio.open_nursery() as nursery,
    ):
        chain = await pool.connect()
        await nursery.start(pool.run)
        events = pool.subscribe()
        client = ValidatorClient(pool, chain, HELD)
        for slot in range(1, LAST_SLOT + 1):
            await client.run_slot(Slot(slot))
        heads = {}
        while events.statistics().current_buffer_used:
            event = await events.receive()
            if isinstance(event, HeadEvent):
                heads[int(event.slot)] = event.block_root
        canonical = {}
        for slot in client.diary.proposed:
            found = await ask(node.url, f"/eth/v1/beacon/blocks/{slot}/root")
            canonical[slot] = bytes.fromhex(found["data"]["root"][2:])
        nursery.cancel_scope.cancel()
    return Life(chain, client.diary, pool.status()[0], heads, canonical)


def test_the_chain_is_at_fulu(life: Life) -> None:
    assert life.chain.version_at(0) == FULU
    assert life.status.state is NodeState.SYNCED


def test_every_object_is_taken(life: Life) -> None:
    assert [done.error for done in life.diary.submitted if done.error] == []
    assert {done.item.kind for done in life.diary.submitted} == {
        SubmissionKind.ATTESTATION,
        SubmissionKind.SYNC_MESSAGE,
        SubmissionKind.AGGREGATE,
        SubmissionKind.CONTRIBUTION,
        SubmissionKind.BLOCK,
    }


def test_proposed_blocks_are_canonical(life: Life) -> None:
    assert life.diary.proposed
    assert life.canonical == life.diary.proposed


def test_heads_are_heard(life: Life) -> None:
    assert life.heads
    for slot, root in life.diary.proposed.items():
        assert life.heads.get(slot, root) == root
