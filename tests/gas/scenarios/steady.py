"""The state before each scenario: operators that serve validators, owners who have registered.

So the words of operators, network, owners and counters are non-zero, as they are for nearly every
transaction of a network in use.
"""

from __future__ import annotations

import base64

from sdk.events import operator_public_key_bytes
from tests.gas.bench import ETHER, OPERATOR_FEE_WEI, Bench, Ids

CLUSTER_OPERATORS: Ids = tuple(range(1, 14))
FURTHER_OPERATORS: Ids = tuple(range(14, 24))
IDLE_OPERATOR = 24
KEY_TEXT_LENGTH = 612  # of base64: an RSA public key of 2,048 bits in PEM


def prepare(bench: Bench) -> None:
    """24 operators; the first 13 serve validators of three owners."""
    for _ in range(IDLE_OPERATOR):
        register_operator(bench)
    register(bench, bench.actors.newcomer, CLUSTER_OPERATORS)
    for owner in (bench.actors.owner, bench.actors.other_owner):
        register(bench, owner, CLUSTER_OPERATORS[-4:])


def register_operator(bench: Bench) -> None:
    bench.send("registerOperator", *new_operator(bench), sender=bench.actors.operators)


def new_operator(bench: Bench, *, private: bool = False) -> tuple[bytes, int, bool]:
    """Arguments of a registration: a key of the usual length, the usual fee."""
    text = base64.b64encode(bench.random.randbytes(KEY_TEXT_LENGTH * 3 // 4)).decode()
    return operator_public_key_bytes(text), OPERATOR_FEE_WEI, private


def register(bench: Bench, owner: str, ids: Ids, value_wei: int = ETHER) -> bytes:
    """One validator more for the owner's cluster; its key."""
    key = bench.key()
    bench.send(
        "registerValidator",
        *(key, ids, bench.shares(ids), bench.cluster(owner, ids)),
        sender=owner,
        value_wei=value_wei,
    )
    return key
