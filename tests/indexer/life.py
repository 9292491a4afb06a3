"""A random life of a real registry, its tables compared with every view at every block sampled.

    deploy/toolchain/run .venv/bin/python -m tests.indexer.life --transactions 5000

Calls of everybody, good and bad, as one seed has it. Every so many transactions the indexer is
started anew, follows to the head, and everything it holds is compared with the contract.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from web3 import HTTPProvider, Web3

from indexer.store import database
from sdk.client.abi import encode_call
from sdk.committee import nonce_message, shares_data_length
from sdk.crypto import bls
from sdk.events import (
    EMPTY_SNAPSHOT,
    LogPosition,
    Undecodable,
    decode,
    operator_public_key_bytes,
)
from sdk.registry import EventContext, RegistryState, SignatureVerdict, apply, cluster_id
from sdk.testing import keys
from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.deploy import deploy_local
from sdk.types import BlockNumber, OperatorId, PublicKey, parse_address
from tests.client.world import World
from tests.indexer import databases
from tests.indexer.indexing import ask, audited, compared, index

ETHER = 10**18
OPERATORS = 9
SETS = ((1, 2, 3, 4), (2, 3, 4, 5), (4, 5, 6, 7), (1, 2, 3, 4, 5, 6, 7))
GAS = 8_000_000
ANSWER_S = 300
"""Anvil gets slow when its chain gets long."""


class Life:
    """Somebody always does something.

    Attributes:
        outcomes: how often which call succeeded or reverted.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(f"life {seed}")
        self.outcomes: Counter[str] = Counter()
        self.state = RegistryState()
        self.people = [world.raw(number) for number in range(1, 6)]
        self.number = 1
        self._read = world.deployed.start_block
        self._follow()

    def act(self) -> None:
        """One transaction, and sometimes time."""
        if len(self.state.operators) < OPERATORS:
            key = operator_public_key_bytes(f"key {len(self.state.operators)}")
            self._send(self.people[0], "registerOperator", key, self._fee(), False)
            return
        if self.chance.random() < 0.1:
            self.world.mine(self.chance.choice((1, 10, 60)))
        if self.chance.random() < 0.03:
            self.world.rpc("evm_increaseTime", self.chance.choice((600, 604_800)))
        calls = [self._register, self._money, self._operate] * 2
        call = self.chance.choice([*calls, self._leave, self._liquidate, self._govern])
        call()

    def _fee(self) -> int:
        return self.chance.choice((0, 1_000_000_000, 1_770_000_000, 5_000_000_000))

    def _cluster(self) -> tuple[Any, tuple[int, ...], Any, list[bytes]]:
        """Owner, operators, struct and keys of some cluster, which may not exist."""
        owner, ids = self.chance.choice(self.people[:3]), self.chance.choice(SETS)
        key = cluster_id(owner, tuple(OperatorId(each) for each in ids))
        cluster = self.state.clusters.get(key)
        snapshot = EMPTY_SNAPSHOT if cluster is None else cluster.snapshot
        members = sorted(name for _, name in self.state.validators_of_cluster(key))
        return owner, ids, astuple(snapshot), members

    def _register(self) -> None:
        owner, ids, struct, _ = self._cluster()
        numbers = [self.number + each for each in range(self.chance.randrange(1, 4))]
        self.number += len(numbers)
        nonce = self.state.account(owner).next_nonce
        names, shares = [], []
        for place, number in enumerate(numbers):
            secret = keys.validator_secret(number)
            wrong = self.chance.random() < 0.1
            names.append(bls.public_key(secret))
            signature = bls.sign(secret, nonce_message(owner, nonce + place + wrong))
            shares.append(signature + self.chance.randbytes(shares_data_length(len(ids)) - 96))
        value = self.chance.choice((ETHER // 100, ETHER, 0))
        self._send(owner, "bulkRegisterValidator", names, ids, shares, struct, value=value)

    def _leave(self) -> None:
        owner, ids, struct, members = self._cluster()
        chosen = [PublicKey(each) for each in members[: self.chance.randrange(1, 3)]]
        if self.chance.random() < 0.3:
            self._send(owner, "bulkExitValidator", chosen, ids)
        else:
            self._send(owner, "bulkRemoveValidator", chosen, ids, struct)

    def _money(self) -> None:
        owner, ids, struct, _ = self._cluster()
        amount = self.chance.choice((ETHER // 1000, ETHER // 10))
        match self.chance.randrange(3):
            case 0:
                self._send(owner, "deposit", _text(owner), ids, struct, value=amount)
            case 1:
                self._send(owner, "withdraw", ids, amount, struct)
            case _:
                self._send(owner, "reactivate", ids, struct, value=ETHER)
        if self.chance.random() < 0.2:
            recipient = _text(self.chance.choice(self.people))
            self._send(owner, "setFeeRecipientAddress", recipient)

    def _liquidate(self) -> None:
        owner, ids, struct, _ = self._cluster()
        who = owner if self.chance.random() < 0.4 else self.people[4]
        self._send(who, "liquidate", _text(owner), ids, struct)

    def _operate(self) -> None:
        owner = self.people[0]
        number = self.chance.randrange(1, OPERATORS + 1)
        fee = self.state.operators[OperatorId(number)].fee_units * 100_000
        calls: tuple[tuple[Any, ...], ...] = (
            ("declareOperatorFee", number, fee + fee // 1_000_000_000 * 100_000_000),
            ("executeOperatorFee", number),
            ("cancelDeclaredOperatorFee", number),
            ("reduceOperatorFee", number, max(1_000_000_000, fee // 2)),
            ("withdrawAllOperatorEarnings", number),
            ("setOperatorsPrivateUnchecked", [number]),
            ("setOperatorsPublicUnchecked", [number]),
            ("setOperatorsPublicUnchecked", list(range(1, OPERATORS))),
            ("setOperatorsWhitelists", [number], [_text(self.people[1]), _text(self.people[2])]),
            ("removeOperatorsWhitelists", [number], [_text(self.people[1])]),
        )
        if self.chance.random() < 0.01:
            calls = (("removeOperator", OPERATORS),)
        self._send(owner, *self.chance.choice(calls))

    def _govern(self) -> None:
        governor = self.world.raw(0)
        fee = self.chance.choice((3_550_900_000, 5_000_000_000, 2_000_000_000))
        calls: tuple[tuple[Any, ...], ...] = (
            ("updateNetworkFee", fee),
            ("updateLiquidationThresholdPeriod", self.chance.choice((40_000, 50_190, 60_000))),
            ("updateValidatorsPerOperatorLimit", self.chance.choice((2_500, 3_000))),
            ("updateDeclareOperatorFeePeriod", self.chance.choice((500_000, 604_800))),
            ("withdrawNetworkEarnings", 100_000_000_000),
        )
        self._send(governor, *self.chance.choice(calls))

    def _send(self, sender: bytes, function: str, *arguments: Any, value: int = 0) -> None:
        data = "0x" + encode_call(function, arguments).hex()
        call = {
            "from": _text(sender),
            "to": self.world.deployed.registry,
            "data": data,
            "value": hex(value),
            "gas": hex(GAS),
        }
        name = self.world.rpc("eth_sendTransaction", call)
        self.world.w3.eth.wait_for_transaction_receipt(name, poll_latency=0.01)
        receipt = self.world.rpc("eth_getTransactionReceipt", name)
        done = receipt["status"] == "0x1"
        self.outcomes[f"{function} {'done' if done else 'reverted'}"] += 1
        if done:
            self._apply(receipt["logs"])

    def _follow(self) -> None:
        """What happened before."""
        wanted = {"address": self.world.deployed.registry, "fromBlock": hex(self._read)}
        self._apply(self.world.rpc("eth_getLogs", wanted))

    def _apply(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:
            event = decode([_bytes(topic) for topic in log["topics"]], _bytes(log["data"]))
            assert not isinstance(event, Undecodable)
            place = (int(log["transactionIndex"], 16), int(log["logIndex"], 16))
            at = EventContext(LogPosition(BlockNumber(int(log["blockNumber"], 16)), *place), 0)
            applied = apply(self.state, event, at, SignatureVerdict.UNCHECKED)
            self.state.commit(applied.changes)


def live(
    world: World,
    url: str,
    *,
    transactions: int,
    seed: int,
    every: int,
    say: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """So many transactions, everything compared after every so many; what happened how often.

    Raises:
        AssertionError: the tables differ from the contract's views.
    """
    life = Life(world, seed)
    totals: Counter[str] = Counter()
    while life.outcomes.total() < transactions:
        for _ in range(every):
            life.act()
        index(world, url)
        count, wrong = compared(world, url)
        words, missing = audited(world, url)
        wrong += missing
        totals["subjects compared"] += count
        totals["words compared"] += words
        totals["blocks compared"] += 1
        say(f"{life.outcomes.total()} transactions, {dict(totals)}, {len(wrong)} differ")
        assert wrong == [], f"seed {seed}, block {world.w3.eth.block_number}: {wrong[:5]}"
        assert ask(url, "SELECT count(*) FROM divergence") == [(0,)]
    return life.outcomes + totals


def _text(address: bytes) -> str:
    return "0x" + address.hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.indexer.life")
    parser.add_argument("--transactions", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=50, help="transactions between comparisons")
    given = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        database(None, Path(folder) / "data") as server,
        running_anvil() as address,
    ):
        databases.prepare(server)
        w3 = Web3(HTTPProvider(address, request_kwargs={"timeout": ANSWER_S}))
        world = World(w3, address, deploy_local(w3))
        assert parse_address(world.deployed.registry)
        with databases.fresh(server) as url:
            outcomes = live(
                world,
                url,
                transactions=given.transactions,
                seed=given.seed,
                every=given.every,
                say=partial(print, flush=True),
            )
    for name, count in sorted(outcomes.items()):
        print(f"{count:8} {name}")
    print(f"nothing differed, seed {given.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
