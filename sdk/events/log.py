"""A log as an execution client returns it, and its place in the chain.

Pure values; never decodes (`sdk.events.decode` does).
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.types import Address, BlockNumber


@dataclass(frozen=True, slots=True, order=True)
class LogPosition:
    """Where a log stands in the chain; sorts in execution order.

    All three fields count: two transactions of one block, and two logs of one transaction, may
    touch the same cluster, and only the last one carries its current struct.
    """

    block_number: BlockNumber
    transaction_index: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Log:
    """One log of the registry, undecoded.

    Attributes:
        address: contract that emitted it.
        topics: up to four words of 32 bytes; the first is the event's signature hash.
        data: ABI encoding of the arguments that are not indexed.
        block_hash: tells apart two blocks of the same number during a reorganisation.
        log_index: place within the block, not within the transaction.
    """

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: BlockNumber
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int

    @property
    def position(self) -> LogPosition:
        """Key to sort logs by."""
        return LogPosition(self.block_number, self.transaction_index, self.log_index)
