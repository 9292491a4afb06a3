"""Exits that wait for the proof of their event, and those that wait behind them."""

from __future__ import annotations

from typing import cast

import trio

from operator_node.registry.exits import AT_ONCE, HeldExits
from operator_node.registry.notices import ExitRequested
from operator_node.registry.proof import Proof
from sdk.chain import Block
from sdk.chain.proofs import BlockProof
from sdk.errors import ConfigError
from sdk.events import Log, encode
from sdk.types import BlockNumber
from tests.unit.operator_node.registry.world import exited, validator_key
from tests.unit.sdk.chain.pretend_node import CONTRACT

PROVABLE = BlockNumber(1000)


class OnlyNewest:
    """A proof of one block; others cannot be had."""

    def is_certain(self, block: BlockNumber) -> bool:
        return False

    async def prove(self, number: BlockNumber) -> BlockProof | None:
        if number == 0:
            raise ConfigError("every node serves another chain", code="wrong_chain")
        if number != PROVABLE:
            return None
        topics, data = encode(exited(1))
        log = Log(CONTRACT, tuple(topics), data, number, bytes(32), bytes(32), 0, 0)
        return BlockProof(Block(number, bytes(32), bytes(32), 0), (log,))


def test_those_that_cannot_be_proven_take_turns_with_newer_ones() -> None:
    old = [ExitRequested(validator_key(1), BlockNumber(each), 0) for each in range(3 * AT_ONCE)]
    new = ExitRequested(validator_key(1), PROVABLE, 0)
    held = HeldExits(cast(Proof, OnlyNewest()))
    assert held.sift([*old, new]) == []
    told: list[ExitRequested] = []
    for _ in range(4):
        told += trio.run(held.look_again)
    assert told == [new]
    assert len(held) == len(old)
