"""Effective balances: proofs with their whole verification, and clusters that have had one.

The proofs are real for the verifier: a validator container and the branches up to a root that the
beacon-roots contract knows. Only the siblings are random, which costs the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tests.gas.bench import Bench
from tests.gas.chain import GENESIS_S, SECONDS_PER_BLOCK
from tests.gas.scenarios.clusters import (
    measure_own_liquidation,
    measure_registration,
    operators_of_size,
)
from tests.gas.scenarios.steady import register

SIZES = (4, 13)
VALIDATOR_INDEX = 1_234_567
GWEI_PER_ETH = 10**9
FAR_FUTURE_EPOCH = 2**64 - 1
ROOTS_ADDRESS = "0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02"
# Runtime code of the beacon roots contract. Source: EIP-4788, "Bytecode".
ROOTS_CODE = (
    "0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762"
    "001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062"
    "001fff015500"
)
ROOTS_KEPT = 8_191  # source: EIP-4788, HISTORY_BUFFER_LENGTH
# Positions in the trees. Source: contracts/proofs/ValidatorTree.sol.
STATE_ROOT_PLACE, STATE_ROOT_SIBLINGS = 11, 3
FIRST_VALIDATOR_PLACE, VALIDATOR_SIBLINGS = 150 << 40, 47


@dataclass(frozen=True, slots=True)
class Proven:
    """Arguments of `proveEffectiveBalances` after the cluster, and the root they lead to."""

    timestamp_s: int
    root: bytes
    arguments: tuple[Any, ...]


def measure_proofs(bench: Bench, size: int) -> None:
    """A validator's first proof and a later one, each with another balance."""
    ids, owner = operators_of_size(size), bench.actors.owner
    key = register(bench, owner, ids)
    window_s = (GENESIS_S + SECONDS_PER_BLOCK, 2**40)
    verifier = bench.deploy("BeaconVerifier", GENESIS_S, SECONDS_PER_BLOCK, *window_s)
    bench.send("updateBeaconVerifier", verifier, sender=bench.actors.governance)
    for slot, (when, balance_eth) in enumerate((("first", 64), ("again", 96)), 2):
        row, claim = f"update_cluster_balance_{when}_{size}", proof(bench, key, balance_eth, slot)
        _record_root(bench, claim)
        bench.measure(
            row,
            "proveEffectiveBalances",
            *(owner, ids, bench.cluster(owner, ids), claim.timestamp_s, *claim.arguments),
            sender=bench.actors.newcomer,
        )


def measure_proven_cluster(bench: Bench, size: int) -> None:
    """Registration and liquidation where the effective balance is no longer 32 per validator."""
    ids, owner = operators_of_size(size), bench.actors.owner
    key = register(bench, owner, ids)
    verifier = bench.deploy("OpenBeaconVerifier")
    bench.send("updateBeaconVerifier", verifier, sender=bench.actors.governance)
    claim = proof(bench, key, 64, 2)
    bench.send(
        "proveEffectiveBalances",
        *(owner, ids, bench.cluster(owner, ids), claim.timestamp_s, *claim.arguments),
        sender=owner,
    )
    measure_registration(bench, f"register_validator_existing_explicit_eb_{size}", ids)
    measure_own_liquidation(bench, f"liquidate_self_explicit_eb_{size}", ids)


def proof(bench: Bench, key: bytes, balance_eth: int, slot: int) -> Proven:
    """One validator with this balance, active since genesis, in a state of random siblings."""
    validator = (
        *(key, VALIDATOR_INDEX, bench.random.randbytes(32), balance_eth * GWEI_PER_ETH, False),
        *(0, 0, FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH),
    )
    branch = _siblings(bench.random, VALIDATOR_SIBLINGS)
    place = FIRST_VALIDATOR_PLACE + VALIDATOR_INDEX
    state_root = _climb(_container_root(validator), place, branch)
    header = _siblings(bench.random, STATE_ROOT_SIBLINGS)
    root = _climb(state_root, STATE_ROOT_PLACE, header)
    timestamp_s = GENESIS_S + slot * SECONDS_PER_BLOCK
    return Proven(timestamp_s, root, (state_root, header, [(*validator, branch)]))


def _record_root(bench: Bench, claim: Proven) -> None:
    """What the chain itself does with the parent beacon block's root in every block."""
    bench.chain.request("anvil_setCode", ROOTS_ADDRESS, ROOTS_CODE)
    place = claim.timestamp_s % ROOTS_KEPT
    for slot, word in (
        (place, claim.timestamp_s.to_bytes(32, "big")),
        (place + ROOTS_KEPT, claim.root),
    ):
        bench.chain.request("anvil_setStorageAt", ROOTS_ADDRESS, hex(slot), "0x" + word.hex())


def _siblings(source: random.Random, count: int) -> list[bytes]:
    return [source.randbytes(32) for _ in range(count)]


def _climb(node: bytes, place: int, siblings: list[bytes]) -> bytes:
    """Root of a tree from one node, its generalized index and its siblings, lowest first."""
    for sibling in siblings:
        pair = sibling + node if place & 1 else node + sibling
        node, place = sha256(pair).digest(), place >> 1
    return node


def _container_root(validator: tuple[Any, ...]) -> bytes:
    key, _, credentials, *numbers = validator
    leaves: list[bytes] = [sha256(key + bytes(16)).digest(), credentials]
    leaves += [int(number).to_bytes(32, "little") for number in numbers]
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=True)
        leaves = [sha256(left + right).digest() for left, right in pairs]
    return leaves[0]
