"""Operations of the timelock: their ids, calls and states. Pure.

An operation is a call, or a batch of calls, that waits: proposed by a proposer, executed after the
delay. Everything needed to execute it is in the timelock's own logs, so no file has to be kept.
Source: OpenZeppelin, governance/TimelockController.sol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from deploy.contracts_parts import calls, human
from sdk.errors import NetworkError
from sdk.types import checksum_address, keccak256, parse_hex

NOTHING = bytes(32)
DONE_TIMESTAMP = 1
SCHEDULED_TOPIC = keccak256(
    b"CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)"
)  # fmt: skip
SALTED_TOPIC = keccak256(b"CallSalt(bytes32,bytes32)")
ADMIN_ROLE = bytes(32)
ROLES = {
    name: keccak256(f"{name.upper()}_ROLE".encode())
    for name in ("proposer", "canceller", "executor")
}
STATES = ("unknown", "waiting", "ready", "done")


@dataclass(frozen=True, slots=True)
class Call:
    """One call the timelock makes; `value` is the wei it sends along."""

    target: str
    value: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """What waits as one: a single call, or a batch that succeeds or fails as a whole.

    Attributes:
        predecessor: operation that must be done first, zero for none.
        salt: tells apart operations that are otherwise equal.
        is_batch: proposed by `scheduleBatch`, which may also hold just one call.
    """

    calls: tuple[Call, ...]
    predecessor: bytes = NOTHING
    salt: bytes = NOTHING
    is_batch: bool = False

    @property
    def id(self) -> bytes:
        """As `hashOperation` and `hashOperationBatch` compute it."""
        return keccak256(encode(self._types.split(","), self._fields))

    @property
    def value(self) -> int:
        """Wei that whoever executes sends along, for all calls together."""
        return sum(each.value for each in self.calls)

    def schedule_call(self, delay_s: int) -> bytes:
        """Calldata with which a proposer proposes it."""
        name = "scheduleBatch" if self.is_batch else "schedule"
        return calls.call(f"{name}({self._types},uint256)", *self._fields, delay_s)

    def execute_call(self) -> bytes:
        """Calldata with which an executor executes it."""
        name = "executeBatch" if self.is_batch else "execute"
        return calls.call(f"{name}({self._types})", *self._fields)

    @property
    def _types(self) -> str:
        many = "[]" if self.is_batch else ""
        return f"address{many},uint256{many},bytes{many},bytes32,bytes32"

    @property
    def _fields(self) -> list[Any]:
        columns = (
            [each.target for each in self.calls],
            [each.value for each in self.calls],
            [each.data for each in self.calls],
        )
        what = columns if self.is_batch else [column[0] for column in columns]
        return [*what, self.predecessor, self.salt]


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
    """Every operation that `CallScheduled` and `CallSalt` logs describe, by id, oldest first.

    A batch of no calls leaves no `CallScheduled` log, and is missing here.

    Raises:
        NetworkError: `logs_incomplete`, if an operation's logs do not hash to its id.
    """
    proposed: dict[bytes, dict[int, Call]] = {}
    predecessors: dict[bytes, bytes] = {}
    salts: dict[bytes, bytes] = {}
    for log in logs:
        topic, key, *rest = (parse_hex(str(each), what="topic") for each in log["topics"])
        data = parse_hex(log["data"], what="log data")
        if topic == SALTED_TOPIC:
            salts[key] = data
        elif topic == SCHEDULED_TOPIC:
            target, value, call, predecessors[key], _ = decode(
                ["address", "uint256", "bytes", "bytes32", "uint256"], data
            )
            address = checksum_address(parse_hex(target, what="target"))
            # By index: what was cancelled and proposed again has each of its logs twice.
            index = int.from_bytes(rest[0], "big")
            proposed.setdefault(key, {})[index] = Call(address, value, call)
    return {
        key: _operation(key, found, predecessors[key], salts.get(key, NOTHING))
        for key, found in proposed.items()
    }


def _operation(key: bytes, found: Mapping[int, Call], predecessor: bytes, salt: bytes) -> Operation:
    """The single call or batch whose id is `key`."""
    each = tuple(found[index] for index in sorted(found))
    for is_batch in (False, True):
        operation = Operation(each, predecessor, salt, is_batch)
        if (is_batch or len(each) == 1) and operation.id == key:
            return operation
    raise NetworkError(
        f"the logs of operation 0x{key.hex()} do not hash to its id",
        code="logs_incomplete",
        hint="The node keeps back a part of them: use another --rpc-url.",
    )
