"""Operations of the timelock: their ids, calls and states. Pure.

An operation is one call that waits: proposed by a proposer, executed after the delay. Everything
needed to execute it is in the timelock's own logs, so no file has to be kept.
Source: OpenZeppelin, governance/TimelockController.sol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from deploy.contracts_parts import calls, human
from sdk.types import checksum_address, keccak256, parse_hex

NOTHING = bytes(32)
DONE_TIMESTAMP = 1
SCHEDULED = "0x" + keccak256(
    b"CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)"
).hex()  # fmt: skip
SALTED = "0x" + keccak256(b"CallSalt(bytes32,bytes32)").hex()
STATES = ("unknown", "waiting", "ready", "done")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call through the timelock.

    Attributes:
        value: wei that whoever executes sends along.
        predecessor: operation that must be done first, zero for none.
        salt: tells apart operations that are otherwise equal.
    """

    target: str
    value: int
    data: bytes
    predecessor: bytes = NOTHING
    salt: bytes = NOTHING

    @property
    def id(self) -> bytes:
        return keccak256(
            encode(
                ["address", "uint256", "bytes", "bytes32", "bytes32"],
                [self.target, self.value, self.data, self.predecessor, self.salt],
            )
        )

    def schedule_call(self, delay_s: int) -> bytes:
        """Calldata with which a proposer proposes it."""
        return calls.call(
            "schedule(address,uint256,bytes,bytes32,bytes32,uint256)",
            self.target,
            self.value,
            self.data,
            self.predecessor,
            self.salt,
            delay_s,
        )

    def execute_call(self) -> bytes:
        """Calldata with which an executor executes it."""
        return calls.call(
            "execute(address,uint256,bytes,bytes32,bytes32)",
            self.target,
            self.value,
            self.data,
            self.predecessor,
            self.salt,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """Where an operation stands; `ready_at_s` is 0 unless it is waiting or ready."""

    state: str
    ready_at_s: int


def status(timestamp_s: int, *, now_s: int) -> Status:
    """The state behind `getTimestamp(id)`, at the time of a block."""
    if timestamp_s == 0:
        return Status("unknown", 0)
    if timestamp_s == DONE_TIMESTAMP:
        return Status("done", 0)
    return Status("ready" if timestamp_s <= now_s else "waiting", timestamp_s)


def status_words(found: Status, *, now_s: int) -> str:
    """The state for people, with the time that is left."""
    if found.state != "waiting":
        return found.state if found.state != "unknown" else "cancelled or never proposed"
    left = human.duration(found.ready_at_s - now_s)
    return f"waiting, {left} left (ready at {human.moment(found.ready_at_s)})"


def operations_in(logs: Iterable[Mapping[str, Any]]) -> dict[bytes, Operation]:
    """Every single-call operation that `CallScheduled` and `CallSalt` logs describe, by id.

    Batches are left out: their id does not match that of their first call.
    """
    proposed: dict[bytes, Operation] = {}
    salts: dict[bytes, bytes] = {}
    for log in logs:
        topics = [str(topic) for topic in log["topics"]]
        data = parse_hex(log["data"], what="log data")
        key = parse_hex(topics[1], what="operation id")
        if topics[0] == SALTED:
            salts[key] = data
        elif topics[0] == SCHEDULED:
            target, value, call, predecessor, _ = decode(
                ["address", "uint256", "bytes", "bytes32", "uint256"], data
            )
            proposed[key] = Operation(
                checksum_address(parse_hex(target, what="target")), value, call, predecessor
            )
    found = {}
    for key, operation in proposed.items():
        salted = Operation(
            operation.target,
            operation.value,
            operation.data,
            operation.predecessor,
            salts.get(key, NOTHING),
        )
        if salted.id == key:
            found[key] = salted
    return found
