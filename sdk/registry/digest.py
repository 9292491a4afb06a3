"""A hash over the whole state that is cheap to keep up to date.

Pure. Records are spread over buckets by the hash of their key; the digest hashes the buckets in
order, each a sorted list of keys and record hashes. So it depends on the records alone, not on
how they came about, and after a block only the touched buckets are hashed again. Two nodes with
equal digests hold equal registries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from hashlib import sha256

from sdk.errors import InvariantBroken

BUCKETS = 4096
"""With 200,000 records a bucket holds about 50, and the top level hashes 128 kB."""


class Digest:
    """Hashes of buckets, updated by the records that changed."""

    def __init__(self) -> None:
        self._leaves: list[dict[bytes, bytes]] = [{} for _ in range(BUCKETS)]
        self._hashes: list[bytes] = [sha256(b"").digest()] * BUCKETS

    def update(self, records: Iterable[tuple[object, object]]) -> None:
        """Take the current values of changed records; None for one that is gone."""
        touched = set()
        for key, record in records:
            leaf = sha256(canonical(key)).digest()
            bucket = int.from_bytes(leaf[:2], "big") % BUCKETS
            if record is None:
                self._leaves[bucket].pop(leaf, None)
            else:
                self._leaves[bucket][leaf] = sha256(canonical(record)).digest()
            touched.add(bucket)
        for bucket in touched:
            leaves = sorted(self._leaves[bucket].items())
            self._hashes[bucket] = sha256(b"".join(key + value for key, value in leaves)).digest()

    def value(self) -> bytes:
        """SHA-256 over all buckets, 32 bytes."""
        return sha256(b"".join(self._hashes)).digest()


def canonical(value: object) -> bytes:
    """One byte string per value, different for different values of the same shape.

    Every part carries its length, so no two lists of parts run together.
    """
    match value:
        case None:
            body = b"n"
        case bool():
            body = b"t" if value else b"f"
        case bytes():
            body = b"b" + value
        case str():
            body = b"s" + value.encode()
        case int():
            body = b"i%d" % value
        case tuple():
            body = b"l" + b"".join(map(canonical, value))
        case _ if is_dataclass(value):
            parts = (canonical(getattr(value, field.name)) for field in fields(value))
            body = b"r" + b"".join(parts)
        case _:
            raise InvariantBroken(f"{type(value).__name__} has no canonical form")
    return len(body).to_bytes(4, "big") + body
