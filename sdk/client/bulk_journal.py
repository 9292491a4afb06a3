"""What a bulk registration writes down: which validators, in which transactions, how far.

Pure values. A transaction's hash and account nonce stand here before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from typing import Final

from sdk.client.tracking import SentTransaction
from sdk.errors import InputError, InvariantBroken
from sdk.shares.keyshares_file import KeyShare

FORMAT: Final = "phalanx-bulk-registration"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive entries that one transaction registers.

    Attributes:
        start: position of its first entry in the keyshares file.
        count: entries.
        deposit_wei: ether that goes with it; what is planned, until it is sent.
        sent: its transaction, written down before it was sent; None before that.
        block: where it was mined, as first seen.
        is_verified: the registry has all its validators, with the nonces they were signed for.
    """

    start: int
    count: int
    deposit_wei: int
    sent: SentTransaction | None = None
    block: int | None = None
    is_verified: bool = False

    @property
    def end(self) -> int:
        """Position after its last entry."""
        return self.start + self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJournal:
    """One bulk registration.

    Attributes:
        digest: of the keyshares, see `keyshares_digest`.
        first_nonce: registration nonce of the first entry.
        deposit_wei: ether for all chunks together.
        keys: public keys in the order of the entries, as hex.
        chunks: consecutive, together all entries.
    """

    chain_id: int
    registry: str
    owner: str
    operator_ids: tuple[int, ...]
    digest: str
    first_nonce: int
    deposit_wei: int
    keys: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    format: str = FORMAT
    version: int = VERSION

    def __post_init__(self) -> None:
        starts = [chunk.start for chunk in self.chunks]
        ends = [chunk.end for chunk in self.chunks]
        whole = [0, *ends[:-1]] == starts and ends[-1:] == [len(self.keys)]
        if not whole or any(chunk.count < 1 for chunk in self.chunks):
            raise InputError(
                "the journal's transactions do not cover its validators",
                code="journal_damaged",
                hint="Move the journal away; what the registry has is not registered again.",
            )

    @property
    def verified(self) -> int:
        """Validators known to be registered."""
        return sum(chunk.count for chunk in self.chunks if chunk.is_verified)

    @property
    def is_done(self) -> bool:
        """Whether every validator is known to be registered."""
        return self.verified == len(self.keys)

    @property
    def unspent_wei(self) -> int:
        """Ether that no transaction carries yet."""
        spent = sum(chunk.deposit_wei for chunk in self.chunks if _is_spent(chunk))
        return max(0, self.deposit_wei - spent)

    def with_chunk(self, index: int, *chunks: Chunk) -> BulkJournal:
        """The journal with the chunk at `index` replaced by these."""
        before, after = self.chunks[:index], self.chunks[index + 1 :]
        return replace(self, chunks=(*before, *chunks, *after))


def _is_spent(chunk: Chunk) -> bool:
    return chunk.is_verified or chunk.sent is not None


def split_chunk(chunk: Chunk, count: int) -> tuple[Chunk, Chunk]:
    """An unsent chunk as two, the first with `count` entries; the deposit by their numbers."""
    if chunk.sent is not None or not 0 < count < chunk.count:
        raise InvariantBroken("only an unsent chunk can be split")
    share = chunk.deposit_wei * count // chunk.count
    return (
        replace(chunk, count=count, deposit_wei=share),
        replace(
            chunk,
            start=chunk.start + count,
            count=chunk.count - count,
            deposit_wei=chunk.deposit_wei - share,
        ),
    )


def plan_chunks(*, entries: int, first: int, most: int, deposit_wei: int) -> tuple[Chunk, ...]:
    """Chunks of at most `most` entries; those before `first` are registered already.

    The deposit is spread by the number of validators, the last chunk takes what rounding leaves.
    """
    chunks = []
    if first:
        chunks.append(Chunk(start=0, count=first, deposit_wei=0, is_verified=True))
    total = entries - first
    cuts = [*range(first, entries, most), entries]
    for start, end in pairwise(cuts):
        before = deposit_wei * (start - first) // total
        after = deposit_wei * (end - first) // total
        chunks.append(Chunk(start=start, count=end - start, deposit_wei=after - before))
    return tuple(chunks)


def keyshares_digest(shares: Sequence[KeyShare]) -> str:
    """SHA-256 over what is registered: keys, operators and shares, in order; as hex."""
    digest = sha256()
    for share in shares:
        ids = ",".join(map(str, share.operator_ids)).encode()
        for part in (bytes(share.public_key), ids, share.shares_data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def keys_of(shares: Iterable[KeyShare]) -> tuple[str, ...]:
    """Public keys as hex."""
    return tuple("0x" + bytes(share.public_key).hex() for share in shares)
