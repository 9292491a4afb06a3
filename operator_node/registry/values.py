"""What the state store is given and gives back.

Pure values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sdk.chain.follower import Point
from sdk.registry import Change, RegistryState
from sdk.types import Address, BlockNumber, PublicKey, checksum_address


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose registry a store is a copy of.

    Attributes:
        chain_id: of the execution chain.
        contract: the registry's address.
        operator_key: fingerprint of the operator's public key.
        operator_id: as configured, None to find it by the key.
    """

    chain_id: int
    contract: Address
    operator_key: str
    operator_id: int | None = None

    def facts(self) -> dict[str, str]:
        """What a store keeps of it."""
        return {
            "chain id": str(self.chain_id),
            "contract": checksum_address(self.contract),
            "operator key": self.operator_key,
            "operator id": str(self.operator_id or ""),
        }


class ExitRequest(NamedTuple):
    """An exit event of any validator of the network; `time_s` of its block."""

    block: BlockNumber
    log_index: int
    key: PublicKey
    time_s: int


class Oddity(NamedTuple):
    """A log that nodes refuse, that is no event, or that contradicts the others."""

    block: BlockNumber
    log_index: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of the chain changes.

    Attributes:
        changes: in order, with the block of each.
        shares: by SHA-256, those that hold a share of this operator.
        points: see `sdk.chain.Extend`; undo records begin above the first.
        times: seconds by block number, of the newest points at least.
    """

    changes: Sequence[tuple[BlockNumber, Sequence[Change]]]
    shares: Mapping[bytes, bytes]
    exits: Sequence[ExitRequest]
    oddities: Sequence[Oddity]
    points: Sequence[Point]
    times: Mapping[BlockNumber, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds.

    Attributes:
        points: blocks that can be gone back to, empty if nothing was read yet.
        time_s: of the newest of them, 0 if there is none.
        begun: own validators that came or came back, and nobody said yet that they were let in.
        certain: blocks whose exits were proven.
        was_damaged: the file was set aside; this is a new one.
    """

    state: RegistryState
    points: tuple[Point, ...]
    time_s: int
    shares: dict[bytes, bytes]
    exits: tuple[ExitRequest, ...]
    begun: frozenset[PublicKey] = frozenset()
    certain: frozenset[BlockNumber] = frozenset()
    was_damaged: bool = False
