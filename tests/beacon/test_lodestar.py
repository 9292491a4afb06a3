"""Every duty through the pool on a consensus client that nobody here wrote: Lodestar 1.5.1.

One network serves all tests: the client runs 48 validators, the pool the other 16, with whole keys.
A little more than an epoch is lived through once, and each test looks at one side of it.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from deploy.devnet.beacon import BeaconOptions, running_beacons
from deploy.devnet.keys import interop_key
from operator_node.beacon import (
    BeaconEvent,
    BeaconPool,
    BlockSeenEvent,
    CommitteeSubscription,
    HeadEvent,
    NodeState,
    NodeStatus,
    SyncSubscription,
    ValidatorState,
    ViewChangedEvent,
)
from operator_node.duties.types import (
    AttestationDataQuery,
    BeaconObject,
    CheckpointView,
    Submission,
    SubmissionKind,
    Submitted,
)
from operator_node.wire.values import BeaconVote
from sdk.types import Address, Epoch, PublicKey, Slot
from tests.beacon.validator_client import GRAFFITI, Diary, ValidatorClient, now_ms

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

INSIDE = 48
HELD = range(INSIDE, 64)
LAST_SLOT = 10
SLOT_S = 4  # two seconds suffice on an idle machine
LEAD_S = 14
RECIPIENT = Address(bytes([0xAB]) * 20)


@dataclass
class Life:
    """What was seen while the network lived."""

    diary: Diary
    status: NodeStatus
    states: dict[PublicKey, ValidatorState]
    liveness: dict[int, bool]
    view: CheckpointView | None
    vote: BeaconVote | object
    events: list[BeaconEvent]
    again: tuple[Submitted, ...]
    refused: tuple[Submitted, ...]
    once_each: tuple[Submitted, ...]
    blocks: dict[int, dict[str, Any]]
    stale_view: CheckpointView | None = None


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return trio.run(live, tmp_path_factory.mktemp("lodestar"))


async def live(folder: Path) -> Life:
    options = BeaconOptions(
        folder=folder,
        genesis_time=int(time.time()) + LEAD_S,
        slot_seconds=SLOT_S,
        nodes=1,
        inside=INSIDE,
    )
    async with (
        running_beacons(options) as network,
        BeaconPool(network.urls, now_ms=now_ms) as pool,
        trio.open_nursery() as nursery,
    ):
        chain = await pool.connect()
        await nursery.start(pool.run)
        events = pool.subscribe()
        await pool.prepare_proposers(dict.fromkeys(HELD, RECIPIENT))
        await pool.subscribe_committees((CommitteeSubscription(HELD[0], 0, 2, Slot(3), True),))
        await pool.subscribe_sync((SyncSubscription(HELD[0], (1, 2), Epoch(2)),))
        client = ValidatorClient(pool, chain, HELD)
        for slot in range(1, LAST_SLOT + 1):
            await client.run_slot(Slot(slot))
        attestations = [
            done.item
            for done in client.diary.submitted
            if done.item.kind is SubmissionKind.ATTESTATION
        ][-3:]
        life = Life(
            diary=client.diary,
            status=pool.status()[0],
            states=dict(await pool.validators([interop_key(48), interop_key(9999)])),
            liveness=dict(await pool.liveness(Epoch(1), [HELD[0]])),
            view=pool.view(Slot(LAST_SLOT)),
            vote=await pool.answer(
                AttestationDataQuery(Slot(LAST_SLOT)), deadline_ms=now_ms() + 1500
            ),
            events=drained(events),
            again=await pool.submit(tuple(attestations)),
            refused=await pool.submit((of_the_future(attestations[-1]), attestations[0])),
            once_each=await pool.submit(
                (client.voluntary_exit(HELD[-1], Epoch(1)), client.registration(HELD[0], RECIPIENT))
            ),
            blocks=await blocks(network.urls[0]),
        )
        await network.nodes[0].child.stop()
        with trio.fail_after(40):
            while not isinstance(await events.receive(), ViewChangedEvent):
                pass
        life.stale_view = pool.view(Slot(LAST_SLOT))
        nursery.cancel_scope.cancel()
    return life


def drained(events: trio.MemoryReceiveChannel[BeaconEvent]) -> list[BeaconEvent]:
    found = []
    while True:
        try:
            found.append(events.receive_nowait())
        except trio.WouldBlock:
            return found


def of_the_future(item: Submission) -> Submission:
    """An attestation whose slot is moved on by four."""
    slot = int.from_bytes(item.data[4:12], "little") + 4
    data = item.data[:4] + slot.to_bytes(8, "little") + item.data[12:]
    return replace(item, data=data)


async def blocks(url: str) -> dict[int, dict[str, Any]]:
    """The canonical chain, by slot."""
    found = {}
    async with httpx.AsyncClient(base_url=url) as client:
        for slot in range(1, LAST_SLOT + 1):
            answer = await client.get(f"/eth/v2/beacon/blocks/{slot}")
            if answer.status_code == 200:
                found[slot] = answer.json()["data"]["message"]
                root = await client.get(f"/eth/v1/beacon/blocks/{slot}/root")
                found[slot]["root"] = bytes.fromhex(root.json()["data"]["root"][2:])
    return found


def test_every_question_of_a_duty_is_answered(life: Life) -> None:
    kinds = Counter(type(answer) for answer in life.diary.answers)
    assert set(kinds) == {BeaconVote, BeaconObject}
    assert kinds[BeaconVote] == LAST_SLOT


def test_every_object_is_taken(life: Life) -> None:
    assert [done.error for done in life.diary.submitted if done.error] == []
    kinds = {done.item.kind for done in life.diary.submitted}
    assert kinds == {
        SubmissionKind.ATTESTATION,
        SubmissionKind.SYNC_MESSAGE,
        SubmissionKind.AGGREGATE,
        SubmissionKind.CONTRIBUTION,
        SubmissionKind.BLOCK,
    }


def test_proposed_blocks_are_canonical_and_pay_the_recipient(life: Life) -> None:
    assert life.diary.proposed
    for slot, root in life.diary.proposed.items():
        block = life.blocks[slot]
        assert block["root"] == root
        assert block["body"]["graffiti"] == f"0x{GRAFFITI.hex()}"
        assert block["body"]["execution_payload"]["fee_recipient"] == f"0x{RECIPIENT.hex()}"


def test_attestations_are_in_blocks(life: Life) -> None:
    included = {
        each["data"]["slot"]
        for block in life.blocks.values()
        for each in block["body"]["attestations"]
    }
    assert included >= {str(slot) for slot in range(1, LAST_SLOT - 1)}


def test_a_known_attestation_counts_as_taken(life: Life) -> None:
    assert [done.error for done in life.again] == ["", "", ""]


def test_what_is_wrong_is_reported_for_its_item_alone(life: Life) -> None:
    wrong, known = life.refused
    assert known.error == ""
    assert "status 500: ATTESTATION_ERROR_" in wrong.error


def test_an_exit_and_a_registration_are_taken(life: Life) -> None:
    assert [done.error for done in life.once_each] == ["", ""]


def test_events_tell_of_every_block(life: Life) -> None:
    heads = {event.slot: event.block_root for event in life.events if isinstance(event, HeadEvent)}
    seen = {event.slot for event in life.events if isinstance(event, BlockSeenEvent)}
    assert heads
    for slot, root in heads.items():
        if slot in life.blocks:
            assert life.blocks[slot]["root"] == root
    assert seen >= set(heads)


def test_the_view_is_that_of_the_attestation_data(life: Life) -> None:
    assert isinstance(life.vote, BeaconVote)
    assert life.view == CheckpointView(life.vote.source, life.vote.target, compare_roots=True)
    assert life.view.target.epoch == 1


def test_the_view_is_stale_once_the_node_is_gone(life: Life) -> None:
    assert isinstance(life.vote, BeaconVote)
    assert life.stale_view == CheckpointView(
        life.vote.source, life.vote.target, compare_roots=True, is_stale=True
    )


def test_validators_and_liveness_are_told(life: Life) -> None:
    assert list(life.states) == [interop_key(48)]
    state = life.states[interop_key(48)]
    assert (state.index, state.status) == (48, "active_ongoing")
    assert state.effective_balance_gwei == 32_000_000_000
    assert life.liveness == {HELD[0]: True}


def test_the_node_is_synced_and_named(life: Life) -> None:
    assert life.status.state is NodeState.SYNCED
    assert life.status.client.startswith("Lodestar/v1.5.1")
