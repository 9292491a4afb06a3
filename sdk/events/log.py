"""A log as an execution client returns it, and its place in the chain.

Pure values; never decodes (`sdk.events.decode` does). Structs of msgspec, as whoever reads a
history makes a million of them: a frozen dataclass takes seven times as long.
"""

from __future__ import annotations

import msgspec

from sdk.types import Address, BlockNumber


class LogPosition(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where a log stands in the chain; sorts in execution order.

    All three fields count: two transactions of one block, and two logs of one transaction, may
    touch the same cluster, and only the last one carries its current struct.
    """

    block_number: BlockNumber
    transaction_index: int
    log_index: int


class Log(msgspec.Struct, frozen=True, gc=False):
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
