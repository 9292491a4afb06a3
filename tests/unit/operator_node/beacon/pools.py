"""A pool of fake nodes at the start of a slot, and the votes they give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import trio
from trio.testing import MockClock

from operator_node.beacon import (
    BeaconPool,
)
from operator_node.duties.types import (
    Answer,
    Query,
    Submission,
)
from operator_node.duties.votes import submission_of, votes_of
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.types import Epoch, PublicKey, Signature, Slot
from tests.unit.operator_node.beacon.fake_node import (
    SLOT_S,
    FakeNetwork,
    FakeNode,
    chain_of_fake,
    hexed,
)

T = TypeVar("T")
ELECTRA = 6
SLOT = Slot(17)  # the second of epoch 2
EPOCH = Epoch(2)
CHAIN = chain_of_fake()
REVEAL = Signature(bytes([5]) * 96)
PROOF = Signature(bytes([6]) * 96)
KEY = PublicKey(bytes([4]) * 48)
POOL_PATH = "/eth/v2/beacon/pool/attestations"
VOTE_PATH = "/eth/v1/validator/attestation_data"


def root(number: int) -> bytes:
    return bytes([number]) * 32


def vote(head: int = 1, *, source: int = 1) -> BeaconVote:
    return BeaconVote(root(head), Checkpoint(Epoch(source), root(10)), Checkpoint(EPOCH, root(11)))


def attestation_data(found: BeaconVote, slot: int = SLOT) -> dict[str, Any]:
    def checkpoint(each: Checkpoint) -> dict[str, str]:
        return {"epoch": str(each.epoch), "root": hexed(each.root)}

    return {
        "slot": str(slot),
        "index": "0",
        "beacon_block_root": hexed(found.block_root),
        "source": checkpoint(found.source),
        "target": checkpoint(found.target),
    }


def voting(found: BeaconVote) -> Callable[[httpx.Request], Any]:
    return lambda request: {"data": attestation_data(found, int(request.url.params["slot"]))}


def with_pool(
    use: Callable[[BeaconPool], Awaitable[T]],
    *nodes: FakeNode,
    is_running: bool = False,
    slot: int = SLOT,
    genesis_validators_root: bytes | None = None,
) -> T:
    """What comes of using a pool of the nodes, from the start of a slot on."""

    async def main() -> T:
        began = trio.current_time()
        network = FakeNetwork(*nodes)

        def now_ms() -> int:
            return int((slot * SLOT_S + trio.current_time() - began) * 1000)

        async with (
            BeaconPool(
                network.urls,
                now_ms=now_ms,
                transport=network,
                genesis_validators_root=genesis_validators_root,
            ) as pool,
            trio.open_nursery() as nursery,
        ):
            await pool.connect()
            if is_running:
                await nursery.start(pool.run)
            found = await use(pool)
            nursery.cancel_scope.cancel()
        return found

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def asked(query: Query, *nodes: FakeNode, seconds: float = 4.0) -> Answer:
    """The answer to a duty's question at the start of the slot."""
    deadline_ms = int((SLOT * SLOT_S + seconds) * 1000)
    return with_pool(lambda pool: pool.answer(query, deadline_ms=deadline_ms), *nodes)


def attestation(found: BeaconVote) -> Submission:
    duty = ValidatorDuty(BeaconRole.ATTESTER, KEY, SLOT, 3, 0, 8, 2, 1)
    (ballot,) = votes_of(found, [duty], CHAIN)
    return submission_of(ballot, PROOF, CHAIN)
