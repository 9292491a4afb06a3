"""The address book: the newest good record of each operator, bounded, kept across restarts.

Records that expired are not spread any more, but still tell where to look: a dial proves who
answers, so an outdated address costs an attempt and nothing else. That is how a network of which
every node was off for days finds itself together again. Reads and writes one file, which belongs
to this node alone, and never the network.

Source: operator_node/p2p/records.py.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from operator_node.p2p.records import (
    RECORD_BYTES,
    AddressRecord,
    Refused,
    SignedRecord,
    VerifyingKey,
    check_record,
    check_signature,
    read_record,
)
from operator_node.p2p.scoring import PeerId
from sdk.errors import InputError, PeerError
from sdk.files import read_bounded, write_private
from sdk.types import OperatorId

_log: Final = logging.getLogger(__name__)

RECORDS: Final = 5000
"""As many operators as the largest registry that nodes are built for; 13 MB at the very most."""
_FILE_BYTES: Final = RECORDS * (RECORD_BYTES * 2 + 64)

KeyOf: TypeAlias = Callable[[OperatorId], VerifyingKey | None]
"""Looks up the registry's key of an operator."""
Digest: TypeAlias = Mapping[OperatorId, int]
"""Which sequence number of each operator somebody has."""


class AddressBook:
    """Takes records, one per operator, and gives out what others lack.

    Args:
        domain: 4 bytes, of the network.
        key_of: asked for each record that is taken.
        path: of the file; None keeps the book in memory.
    """

    def __init__(self, *, domain: bytes, key_of: KeyOf, path: Path | None) -> None:
        self._domain = domain
        self._key_of = key_of
        self._path = path
        self._records: dict[OperatorId, SignedRecord] = {}
        self._operators: dict[PeerId, OperatorId] = {}
        self._wanted: frozenset[OperatorId] = frozenset()
        self.is_changed = False
        """Whether there is something to write since the last `snapshot`."""

    def want(self, operators: frozenset[OperatorId]) -> None:
        """Keeps room for records of these operators before others."""
        self._wanted = operators

    def offer(self, signed: SignedRecord, *, now_ms: int) -> Refused | None:
        """Takes a record if it is good and newer than ours; else says why not."""
        operator = signed.record.operator
        known = self._records.get(operator)
        if known is not None and signed.record.sequence <= known.record.sequence:
            return Refused.REPLAYED
        key = self._key_of(operator)
        refused = check_record(signed, domain=self._domain, key=key, now_ms=now_ms)
        if refused is not None:
            return refused
        if known is None and len(self._records) >= RECORDS and not self._make_room(operator):
            return Refused.NO_ROOM
        self._put(signed)
        self.is_changed = True
        return None

    def of(self, operator: OperatorId) -> AddressRecord | None:
        """Where the operator was last known to be."""
        signed = self._records.get(operator)
        return None if signed is None else signed.record

    def operator_of(self, peer: PeerId) -> OperatorId | None:
        """The operator that says the peer is his node."""
        return self._operators.get(peer)

    def operators(self) -> frozenset[OperatorId]:
        """Of whom there is a record."""
        return frozenset(self._records)

    def digest(self, *, now_ms: int) -> dict[OperatorId, int]:
        """What this book can give to others."""
        return {
            operator: signed.record.sequence
            for operator, signed in self._records.items()
            if signed.record.expires_ms > now_ms and self._key_of(operator) is not None
        }

    def missing_in(self, other: Digest, *, now_ms: int, limit: int) -> list[SignedRecord]:
        """Up to `limit` records that are newer than what the digest names, or not in it."""
        lacking = [
            self._records[operator]
            for operator, sequence in self.digest(now_ms=now_ms).items()
            if sequence > other.get(operator, -1)
        ]
        return lacking[:limit]

    def drop_unregistered(self) -> None:
        """Forgets operators whose key does not fit their record any more; needs a full registry."""
        for operator, signed in list(self._records.items()):
            key = self._key_of(operator)
            if key is None or check_signature(signed, key) is not None:
                self._remove(operator)

    def load(self) -> int:
        """Reads the file; a damaged one counts as empty. The number of records."""
        if self._path is None or not self._path.exists():
            return 0
        try:
            for text in _texts(read_bounded(self._path, limit_bytes=_FILE_BYTES)):
                self._load_one(read_record(base64.b64decode(text, validate=True)))
        except (InputError, PeerError, ValueError) as problem:
            # Losing it costs time, not safety: peers have the same records.
            _log.warning("the address book %s is damaged and not used: %s", self._path, problem)
        return len(self._records)

    def snapshot(self) -> bytes:
        """The file's content for `write`."""
        self.is_changed = False
        records = [base64.b64encode(each.raw).decode() for each in self._records.values()]
        return json.dumps({"version": 1, "records": records}).encode()

    def write(self, content: bytes) -> None:
        """Replaces the file at once; waits for the disk, so call it in a thread.

        Raises:
            StorageError: the disk refused; the old file stays.
        """
        if self._path is not None:
            write_private(self._path, content, overwrite=True)

    def _load_one(self, signed: SignedRecord) -> None:
        # While the registry is not loaded no key is known; the file is our own, so that is enough.
        key = self._key_of(signed.record.operator)
        is_forged = key is not None and check_signature(signed, key) is not None
        if signed.record.domain == self._domain and not is_forged and len(self._records) < RECORDS:
            self._put(signed)

    def _put(self, signed: SignedRecord) -> None:
        self._remove(signed.record.operator)
        self._records[signed.record.operator] = signed
        self._operators[signed.record.peer] = signed.record.operator

    def _remove(self, operator: OperatorId) -> None:
        old = self._records.pop(operator, None)
        if old is not None and self._operators.get(old.record.peer) == operator:
            del self._operators[old.record.peer]

    def _make_room(self, operator: OperatorId) -> bool:
        if operator not in self._wanted:
            return False
        others = (each for each in self._records if each not in self._wanted)
        victim = next(others, None)
        if victim is not None:
            self._remove(victim)
        return victim is not None


def _texts(content: bytes) -> Iterable[str]:
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("version") != 1:
        raise ValueError("no address book of version 1")
    records = document.get("records")
    if not isinstance(records, list) or not all(isinstance(each, str) for each in records):
        raise ValueError("its records are no list of texts")
    return records
