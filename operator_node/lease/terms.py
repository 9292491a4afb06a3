"""Who may sign, of several instances of one operator: the rules of the lease.

Pure. Times are milliseconds since the machine booted, which are compared only with others of the
same machine. What is shared is one small entry, read and replaced under a lock. A holder counts its
beat up; one that waits takes over when it has seen the very same entry for as long as a lease is
valid, or when the holder gave it back. The holder counts from before it asked for the lock, the
other from after it had read, and the holder's time is shorter: so the lease of one has ended before
another's begins, however slow the disk, whatever the time on either machine.

Each new term has a higher number than all before (the fencing number).

Source: docs/slashing.md, "Two instances and a lease"; the technique is that of leases in
distributed systems at large.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import Final

from operator_node.signer.standing import Standing
from sdk.errors import ConfigError, StorageError

VALID_MS: Final = 10_000
"""Whoever waits sees the same entry for this long, before it takes over."""
HELD_MS: Final = 8_000
"""For this long a holder believes its last renewal: clocks of two machines may differ by a fifth in
how fast they run, far more than any do."""
RENEW_MS: Final = 2_000
"""Four renewals may fail in a row."""
ENTRY_BYTES: Final = 320
"""An entry is always of this length, so that one write in place replaces another."""
_FORM: Final = re.compile(
    rb"phalanx-lease owner=([0-9a-f]{64}) term=([0-9]{20}) holder=([0-9a-f]{32}) beat=([0-9]{20}) "
    rb"until=([0-9]{20}) record=([0-9a-f]{32}) sequence=([0-9]{20}) (held|free) "
    rb"check=([0-9a-f]{8}) *\n"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is shared.

    Attributes:
        owner: of the operator on its network, 64 hex digits.
        term: the fencing number.
        holder: one life of an instance, 32 hex digits.
        beat: renewals of this term.
        until_ms: unix time on the holder's clock after which it signs no more, unless it renews.
        record_id: of the holder's slashing record.
        sequence: of that record, when the entry was written.
        is_free: the holder gave the lease back and signs no more in this term.
    """

    owner: str
    term: int
    holder: str
    beat: int
    until_ms: int
    record_id: str
    sequence: int
    is_free: bool = False


def write_entry(entry: Entry) -> bytes:
    """`ENTRY_BYTES` bytes, one line of text."""
    line = (
        f"phalanx-lease owner={entry.owner} term={entry.term:020d} holder={entry.holder} "
        f"beat={entry.beat:020d} until={entry.until_ms:020d} "
        f"record={entry.record_id} sequence={entry.sequence:020d} "
        f"{'free' if entry.is_free else 'held'}"
    ).encode()
    line += f" check={zlib.crc32(line):08x}".encode()
    return line.ljust(ENTRY_BYTES - 1) + b"\n"


def read_entry(content: bytes) -> Entry | None:
    """The entry; None if there was never one.

    Raises:
        StorageError: `lease_damaged`, these are other bytes.
    """
    if not content:
        return None
    found = _FORM.fullmatch(content)
    body, _, _ = content.partition(b" check=")
    if found is None or f"{zlib.crc32(body):08x}".encode() != found[9]:
        raise StorageError(
            "the lease's file holds something else",
            code="lease_damaged",
            hint="Stop all instances of this operator, empty the file, and start one.",
        )
    owner, holder, record_id = (found[place].decode() for place in (1, 3, 6))
    term, beat, until_ms, sequence = (int(found[place]) for place in (2, 4, 5, 7))
    return Entry(owner, term, holder, beat, until_ms, record_id, sequence, found[8] == b"free")


@dataclass(frozen=True, slots=True)
class Taken:
    """A term that begins.

    Attributes:
        unknown_until_ms: until this moment of unix time others may have signed what this record
            does not know; 0 if nobody says how long, None if this record knows all.
    """

    term: int
    unknown_until_ms: int | None


class Tenancy:
    """One life of an instance, towards the lease.

    Attributes:
        term: the one that it has, None while it waits.
        last: the entry last seen, None before there was any.
    """

    def __init__(self, *, owner: str, holder: str, is_resumed: bool = False) -> None:
        """Waits.

        Args:
            owner: of the operator on its network, 64 hex digits.
            holder: a new random name for this life, 32 hex digits.
            is_resumed: this very record was in use on this machine a short while ago, and whoever
                used it is gone; so nobody else wrote in the term that it stands at.
        """
        self.term: int | None = None
        self.last: Entry | None = None
        self._owner = owner
        self._holder = holder
        self._is_resumed = is_resumed
        self._seen: bytes | None = None
        self._seen_at_ms = 0

    def answer(
        self, content: bytes, standing: Standing, *, now_ms: int, until_ms: int
    ) -> Entry | Taken | None:
        """What to write in place of this content, all under the lock; None for nothing.

        For `Taken` that is `first_entry`.

        Args:
            content: of the shared file.
            standing: of the own record.
            now_ms: since the machine booted; read after the content was.
            until_ms: for the entry; unix time.

        Raises:
            StorageError: `lease_damaged`.
            ConfigError: `lease_of_another`.
        """
        entry = read_entry(content)
        if entry is not None and entry.owner != self._owner:
            raise ConfigError(
                "the lease's file is of another operator or network",
                code="lease_of_another",
                hint="Give each operator a file of its own: node.lease.",
            )
        self.last = entry
        if self.term is not None:
            if entry is not None and (entry.term, entry.holder) == (self.term, self._holder):
                return self._renewed(entry, standing, until_ms)
            self.give_up()  # somebody took over, or emptied the file
        if content != self._seen:
            self._seen, self._seen_at_ms = content, now_ms
        is_free = entry is not None and entry.is_free
        if not is_free and now_ms - self._seen_at_ms < VALID_MS:
            return None
        highest = standing.term if entry is None else max(standing.term, entry.term)
        if self._is_complete(entry, standing):
            return Taken(highest + 1, None)
        return Taken(highest + 1, 0 if entry is None else entry.until_ms)

    def first_entry(self, taken: Taken, standing: Standing, *, until_ms: int) -> Entry:
        """The entry that begins a term."""
        record_id, sequence = standing.record_id, standing.sequence
        return Entry(self._owner, taken.term, self._holder, 0, until_ms, record_id, sequence)

    def begin(self, taken: Taken) -> None:
        """The first entry is written: the term is this instance's."""
        self.term = taken.term

    def give_up(self) -> None:
        """The term is not this instance's any more: waits like whoever has none."""
        self.term = None
        self._seen = None

    def _renewed(self, entry: Entry, standing: Standing, until_ms: int) -> Entry:
        # A record that was handed over has its own name only from its first term on.
        record_id, sequence = standing.record_id, standing.sequence
        return replace(
            entry, beat=entry.beat + 1, until_ms=until_ms, record_id=record_id, sequence=sequence
        )

    def _is_complete(self, entry: Entry | None, standing: Standing) -> bool:
        """Whether this record knows all that was signed in the term before."""
        if entry is None or entry.term != standing.term or entry.record_id != standing.record_id:
            return False
        return entry.sequence <= standing.sequence and (entry.is_free or self._is_resumed)
