"""What the contract tests need of a chain, whichever it is: an in-process EVM or a real node.

Pure declarations. Addresses are 20 raw bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sdk.types import Address


@dataclass(frozen=True, slots=True)
class RawLog:
    """One log as the EVM recorded it."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction or call came to.

    Attributes:
        succeeded: false after a revert and after running out of gas or into an invalid opcode.
        output: returned data, or what the revert carried.
        halted: why the EVM stopped without a revert, empty otherwise.
    """

    succeeded: bool
    output: bytes
    logs: tuple[RawLog, ...]
    gas_used: int
    halted: str = ""


class Chain(Protocol):
    """A chain whose blocks pass only when told to.

    Attributes:
        block: number of the block in which the next transaction and every view run.
        timestamp_s: of that block.
        base_fee_wei: of that block.
        longest_jump: most blocks that pass at once in reasonable time.
        is_in_memory: several transactions share a block, and a call takes microseconds.
    """

    block: int
    timestamp_s: int
    base_fee_wei: int
    longest_jump: int
    is_in_memory: bool

    def advance(self, *, blocks: int, seconds: int, base_fee_wei: int) -> None:
        """Open a later block; 0 blocks stays in the same one where the chain can."""

    def deploy(self, code: bytes, *, sender: Address) -> tuple[Address, tuple[RawLog, ...]]:
        """A new contract's address and its constructor's logs; `code` includes the arguments."""

    def transact(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Run a transaction and keep what it did."""

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Run a transaction and undo it."""

    def balance_wei(self, account: Address) -> int:
        """Ether of an account."""

    def give_ether(self, account: Address, amount_wei: int) -> None:
        """Add ether out of nothing, without running the account's code."""

    def snapshot(self) -> object:
        """A point to come back to; points are used last in, first out."""

    def revert(self, point: object) -> None:
        """Undo everything since the point, the block included."""
