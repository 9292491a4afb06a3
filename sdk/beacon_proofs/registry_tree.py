"""The subtree of all validators: a million containers hashed, branches kept for the few wanted.

Pure. The records are cut into pieces of 8,192; each piece is a task without shared state, so the
caller may hand in a `run` that spreads tasks over processes (`sdk.beacon_proofs.workers`).

Most of a container's hashing is shared: balances are mostly 32 ETH and epochs come in crowds. Per
piece, the roots of (effective balance, slashed) and of the four epochs are kept by their bytes, so
a validator costs four hashes instead of eight.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct
from typing import Final, TypeAlias

from sdk.beacon_proofs.merkle import Climb, climb, depth_of, with_length
from sdk.beacon_proofs.shapes import count_items
from sdk.beacon_proofs.state_shape import VALIDATOR_REGISTRY_LIMIT
from sdk.beacon_proofs.values import ValidatorIndex, ValidatorProof
from sdk.types import PUBLIC_KEY_BYTES, Epoch, Gwei, PublicKey

RECORD_BYTES: Final = 121
PIECE_DEPTH: Final = 13
_PIECE_BYTES: Final = RECORD_BYTES << PIECE_DEPTH
_LIST_DEPTH: Final = depth_of(VALIDATOR_REGISTRY_LIMIT)

_FIELDS: Final = Struct("<48s32sQ?4Q")
_HASHED: Final = Struct("48s32s9s32s")
"""Key, credentials, effective balance with slashed, the four epochs: what is hashed together."""
_KEY_PADDING: Final = bytes(16)
_NUMBER_PADDING: Final = bytes(24)
_BOOLEAN_PADDING: Final = bytes(31)


@dataclass(frozen=True, slots=True)
class Piece:
    """Serialised validators of one subtree, and the places in it whose branches are wanted."""

    records: bytes = field(repr=False)
    positions: tuple[int, ...]


Run: TypeAlias = Callable[[Callable[[Piece], Climb], Iterable[Piece]], Iterable[Climb]]
"""Like `map`: results in the order of the pieces."""


@dataclass(frozen=True, slots=True)
class RegistryTree:
    """The root of the list of validators, and the siblings below it per index asked for."""

    root: bytes
    branches: dict[ValidatorIndex, tuple[bytes, ...]] = field(repr=False)


def count_validators(records: memoryview) -> int:
    """How many validators the serialised list holds.

    Raises:
        BeaconError: not a whole number of records.
    """
    return count_items(
        records, item_bytes=RECORD_BYTES, limit=VALIDATOR_REGISTRY_LIMIT, path="state.validators"
    )


def find_records(
    records: memoryview, keys: Collection[PublicKey]
) -> dict[PublicKey, ValidatorIndex]:
    """The indices of the validators with these keys; a key that is not in the list is left out."""
    wanted = frozenset(keys)
    found: dict[PublicKey, ValidatorIndex] = {}
    first = 0
    for start in range(0, len(records), _PIECE_BYTES):
        piece = bytes(records[start : start + _PIECE_BYTES])
        for at in range(0, len(piece), RECORD_BYTES):
            key = PublicKey(piece[at : at + PUBLIC_KEY_BYTES])
            if key in wanted:
                found[key] = ValidatorIndex(first + at // RECORD_BYTES)
        first += 1 << PIECE_DEPTH
    return found


def hash_registry(
    records: memoryview, indices: Sequence[ValidatorIndex], *, run: Run
) -> RegistryTree:
    """Hash the list of validators; each index must be below their number."""
    count = count_validators(records)
    wanted = sorted(set(indices))
    by_piece: dict[int, list[int]] = {}
    for index in wanted:
        piece, position = divmod(index, 1 << PIECE_DEPTH)
        by_piece.setdefault(piece, []).append(position)
    results = list(run(hash_piece, _pieces(records, by_piece)))
    top = climb(
        b"".join(result.root for result in results),
        level=PIECE_DEPTH,
        height=_LIST_DEPTH,
        positions=list(by_piece),
    )
    length = count.to_bytes(32, "little")
    branches: dict[ValidatorIndex, tuple[bytes, ...]] = {}
    for (piece, positions), above in zip(by_piece.items(), top.branches, strict=True):
        for position, below in zip(positions, results[piece].branches, strict=True):
            index = ValidatorIndex((piece << PIECE_DEPTH) + position)
            branches[index] = (*below, *above, length)
    return RegistryTree(with_length(top.root, count), branches)


def hash_piece(piece: Piece) -> Climb:
    """The root of the subtree, and the siblings inside it for each position asked for."""
    return climb(
        _container_roots(piece.records), level=0, height=PIECE_DEPTH, positions=piece.positions
    )


def read_record(
    records: memoryview, index: ValidatorIndex, *, branch: tuple[bytes, ...]
) -> ValidatorProof:
    """The validator's fields, with the branch that belongs to them."""
    key, credentials, balance, slashed, eligibility, activation, leaving, withdrawable = (
        _FIELDS.unpack_from(records, index * RECORD_BYTES)
    )
    return ValidatorProof(
        public_key=PublicKey(key),
        validator_index=index,
        withdrawal_credentials=credentials,
        effective_balance_gwei=Gwei(balance),
        slashed=slashed,
        activation_eligibility_epoch=Epoch(eligibility),
        activation_epoch=Epoch(activation),
        exit_epoch=Epoch(leaving),
        withdrawable_epoch=Epoch(withdrawable),
        branch=branch,
    )


def _pieces(records: memoryview, by_piece: dict[int, list[int]]) -> Iterator[Piece]:
    for number, at in enumerate(range(0, len(records), _PIECE_BYTES)):
        yield Piece(
            records=bytes(records[at : at + _PIECE_BYTES]),
            positions=tuple(by_piece.get(number, ())),
        )


def _container_roots(records: bytes) -> bytes:
    """One root per record. The inner loop of everything here, hence its bareness."""
    money_roots: dict[bytes, bytes] = {}
    time_roots: dict[bytes, bytes] = {}
    roots = []
    for key, credentials, money, times in _HASHED.iter_unpack(records):
        try:
            money_root = money_roots[money]
        except KeyError:
            money_root = money_roots[money] = _money_root(money)
        try:
            time_root = time_roots[times]
        except KeyError:
            time_root = time_roots[times] = _time_root(times)
        identity = sha256(sha256(key + _KEY_PADDING).digest() + credentials).digest()
        roots.append(sha256(sha256(identity + money_root).digest() + time_root).digest())
    return b"".join(roots)


def _money_root(money: bytes) -> bytes:
    """The node over effective balance and slashed."""
    return sha256(money[:8] + _NUMBER_PADDING + money[8:] + _BOOLEAN_PADDING).digest()


def _time_root(times: bytes) -> bytes:
    """The node over the four epochs."""
    entry, leaving = (
        sha256(times[at : at + 8] + _NUMBER_PADDING + times[at + 8 : at + 16] + _NUMBER_PADDING)
        for at in (0, 16)
    )
    return sha256(entry.digest() + leaving.digest()).digest()
