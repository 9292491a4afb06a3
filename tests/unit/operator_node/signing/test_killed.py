"""kill -9 of the signing process in the middle of batches: what was signed is in the record."""

from __future__ import annotations

import random
import threading
from functools import partial
from pathlib import Path

import pytest
import trio

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.signer.rules import BlockGuard
from operator_node.signing import ProcessShares, SigningProcess
from sdk.crypto import bls
from sdk.types import Slot
from tests.unit.operator_node.signer.disk import open_store, records_of
from tests.unit.operator_node.signer.guards import block
from tests.unit.operator_node.signing import holding
from tests.unit.operator_node.signing.holding import NOW, item

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

SHARES = 24
KILLS = 8
LATEST_KILL_S = 0.04
"""After a batch was given; it takes about half of that."""


def batch(slot: int, said: int) -> tuple[SignItem, ...]:
    return tuple(item(number, block(slot, said), said) for number in range(SHARES))


def kill_soon(process: SigningProcess, after_s: float) -> threading.Timer:
    assert process._link is not None
    timer = threading.Timer(after_s, process._link.process.kill)
    timer.start()
    return timer


def test_no_signature_without_a_record(tmp_path: Path) -> None:
    chance = random.Random(7)
    process, shares = holding.started(tmp_path, *range(SHARES))
    signed: list[Signed] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(process.run)
            for slot in range(NOW - KILLS, NOW):
                timer = kill_soon(process, chance.uniform(0, LATEST_KILL_S))
                signed.extend(await sign(shares, slot, said=1))
                await trio.to_thread.run_sync(timer.join)
                # Whatever the kill left behind, nothing else is signed for that slot.
                results = await trio.to_thread.run_sync(
                    partial(shares.sign, batch(slot, 2), slot=Slot(slot))
                )
                assert {each.reason for each in results if isinstance(each, Withheld)} == {
                    Reason.SLASHING_REFUSED
                }
                assert not any(isinstance(each, Signed) for each in results)
            nursery.cancel_scope.cancel()

    try:
        trio.run(main)
    finally:
        process.close()
    assert process.restarts >= KILLS - 1
    assert len(signed) == KILLS * SHARES  # the node went on each time, within the same call
    with open_store(tmp_path) as store:
        assert not store.needs_arming
        histories = records_of(store).histories
    for each in signed:
        share, guard = each.item.share, each.item.guard
        assert isinstance(guard, BlockGuard)
        assert guard in histories[share.validator_key].blocks
        assert bls.verify(share.share_key, each.item.root, each.signature)


async def sign(shares: ProcessShares, slot: int, *, said: int) -> list[Signed]:
    results = await trio.to_thread.run_sync(
        partial(shares.sign, batch(slot, said), slot=Slot(slot))
    )
    return [each for each in results if isinstance(each, Signed)]
