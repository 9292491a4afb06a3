"""The slashing record's tables: histories as rows, and what of them is kept in memory.

Statements only: no transactions, no rules, no locks; `store` has those. A validator's only share
and the validator have one history between them, as in `Records.arm`, so most signatures are
written once. `Index` holds every key's bounds, which decide nearly every signature; the entries,
some 1,000 per key and kind, stay on disk until a repeat or a refusal needs them.

Source: docs/slashing.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from operator_node.signer.record import Histories
from operator_node.signer.rows import (
    KINDS,
    AnyTrail,
    Kind,
    kind_of,
    read_block,
    read_block_bound,
    read_vote,
    read_vote_bound,
    write_bound,
    write_guard,
)
from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard, History
from operator_node.signer.trail import KEPT_ENTRIES, E, Trail, cover, cover_all
from sdk.errors import StorageError
from sdk.types import PublicKey

SCHEMA: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE keys (key BLOB PRIMARY KEY, place INTEGER NOT NULL, validator BLOB)"
    " WITHOUT ROWID",
    "CREATE TABLE trails (place INTEGER NOT NULL, kind INTEGER NOT NULL, highest BLOB, pruned BLOB,"
    " armed BLOB, PRIMARY KEY (place, kind)) WITHOUT ROWID",
    "CREATE TABLE entries (place INTEGER NOT NULL, kind INTEGER NOT NULL, entry BLOB NOT NULL,"
    " PRIMARY KEY (place, kind, entry)) WITHOUT ROWID",
)
"""`place` numbers the histories; a key names its own and, if it is a share, its validator."""
TABLE_NAMES: Final = frozenset({"meta", "keys", "trails", "entries"})
_SLACK: Final = 32
"""Entries above the limit before the lowest are dropped, at least; twice that at most."""
_NOWHERE: Final = 0
"""Places begin at 1."""


@dataclass(slots=True)
class Index:
    """What is in memory of the record.

    Attributes:
        places: which history is a key's.
        validators: whose share a key is.
        bounds: the histories by place, without their entries.
        kept: how many entries are on disk, by place and kind.
        users: the keys that have a history, by place.
    """

    places: dict[PublicKey, int] = field(default_factory=dict)
    validators: dict[PublicKey, PublicKey] = field(default_factory=dict)
    bounds: dict[int, History] = field(default_factory=dict)
    kept: dict[tuple[int, Kind], int] = field(default_factory=dict)
    users: dict[int, set[PublicKey]] = field(default_factory=dict)

    def bounds_of(self, keys: Iterable[PublicKey]) -> Histories:
        """The histories of these keys as far as they are in memory; unknown keys are left out.

        Called without the lock: what another thread is just moving is left out as well.
        """
        found = {key: self.bounds.get(self.places.get(key, _NOWHERE)) for key in keys}
        return {key: history for key, history in found.items() if history is not None}

    def move(self, key: PublicKey, place: int) -> None:
        """Gives a key another history; its old place may be without users then."""
        self.users.get(self.places.get(key, _NOWHERE), set()).discard(key)
        self.places[key] = place
        self.users.setdefault(place, set()).add(key)

    def is_shared_beyond(self, keys: set[PublicKey]) -> bool:
        """Whether other keys than these have one of their histories."""
        return any(self.users[self.places[key]] - keys for key in keys)

    def free_place(self) -> int:
        """A number that no history has."""
        return max(self.bounds, default=0) + 1


class Tables:
    """One open database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def load(self) -> Index:
        """Everything but the entries."""
        index = Index()
        run = self._database.execute
        for key, place, validator in run("SELECT key, place, validator FROM keys"):
            index.move(PublicKey(key), place)
            if validator is not None:
                index.validators[PublicKey(key)] = PublicKey(validator)
        counted = run("SELECT place, kind, count(*) FROM entries GROUP BY place, kind")
        index.kept = {(place, Kind(kind)): count for place, kind, count in counted}
        for place in index.users:
            index.bounds[place] = self._bounds(place)
        return index

    def meta(self) -> dict[str, object]:
        """Every fact about the record by name."""
        return dict(self._database.execute("SELECT name, value FROM meta"))

    def set_meta(self, facts: Mapping[str, object]) -> None:
        """Writes facts, over older ones of the same names."""
        self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())

    def histories(self, index: Index, keys: Iterable[PublicKey]) -> Histories:
        """The whole histories of these keys; keys with one place get one object."""
        known = [key for key in keys if key in index.places]
        whole = {place: self._history(place) for place in {index.places[key] for key in known}}
        return {key: whole[index.places[key]] for key in known}

    def append(self, index: Index, place: int, guard: Guard) -> History:
        """Writes one more signature, above all of its kind; the new bounds, entries left out."""
        history, kind = index.bounds[place], kind_of(guard)
        self._database.execute(
            "INSERT INTO entries VALUES (?, ?, ?)", (place, kind, write_guard(guard))
        )
        kept = index.kept.get((place, kind), 0) + 1
        index.kept[place, kind], pruned = self._prune(place, kind, kept)
        trail: AnyTrail
        if isinstance(guard, AttestationGuard):
            trail = _above(history.attestations, guard, map(read_vote, pruned))
            raised = History(trail, history.blocks)
        else:
            trail = _above(history.blocks, guard, map(read_block, pruned))
            raised = History(history.attestations, trail)
        self._write_bounds(place, kind, trail)
        index.bounds[place] = raised
        return raised

    def raise_bounds(
        self, index: Index, place: int, vote: AttestationGuard, block: BlockGuard
    ) -> None:
        """As `History.raised`, without a look at the entries: they are below the bounds already."""
        history = index.bounds[place]
        votes = _armed(history.attestations, vote)
        blocks = _armed(history.blocks, block)
        self._write_bounds(place, Kind.VOTE, votes)
        self._write_bounds(place, Kind.BLOCK, blocks)
        index.bounds[place] = History(votes, blocks)

    def replace(self, index: Index, before: Histories, after: Histories) -> None:
        """Writes the histories that differ.

        Args:
            index: is brought up to date.
            before: what `histories` gave.
            after: the same and new keys, with perhaps other histories.
        """
        groups: dict[int, list[PublicKey]] = {}
        for key, history in after.items():
            groups.setdefault(id(history), []).append(key)
        left: set[int] = set()
        for group in groups.values():
            history, old = after[group[0]], before.get(group[0])
            places = {index.places[key] for key in group if key in index.places}
            if len(places) == 1 and index.users[min(places)] <= set(group):
                place = min(places)
            else:
                place, old = index.free_place(), None
                left |= places
            if history is not old:
                self._write(index, place, history, old)
            for key in group:
                index.move(key, place)
                self._write_key(index, key)
        for place in left:
            if not index.users[place]:
                self._drop(index, place)

    def name_validator(self, index: Index, key: PublicKey, validator: PublicKey) -> None:
        """Writes whose share a key is."""
        index.validators[key] = validator
        self._write_key(index, key)

    def _prune(self, place: int, kind: Kind, kept: int) -> tuple[int, list[bytes]]:
        """Drops the lowest entries once there are enough of them: how many stay, and which go.

        Histories that fill up together are pruned at different times, since each costs a page.
        """
        extra = kept - KEPT_ENTRIES
        if extra <= _SLACK + place % _SLACK:
            return kept, []
        query = "SELECT entry FROM entries WHERE place = ? AND kind = ? ORDER BY entry LIMIT ?"
        lowest = [bytes(data) for (data,) in self._database.execute(query, (place, kind, extra))]
        self._database.execute(
            "DELETE FROM entries WHERE place = ? AND kind = ? AND entry <= ?",
            (place, kind, lowest[-1]),
        )
        return KEPT_ENTRIES, lowest

    def _write(self, index: Index, place: int, history: History, old: History | None) -> None:
        """A whole history; where entries did not change, as in arming, only the bounds."""
        trails: tuple[tuple[Kind, AnyTrail, AnyTrail | None], ...] = (
            (Kind.VOTE, history.attestations, None if old is None else old.attestations),
            (Kind.BLOCK, history.blocks, None if old is None else old.blocks),
        )
        for kind, trail, former in trails:
            self._write_bounds(place, kind, trail)
            if former is None or former.entries != trail.entries:
                self._database.execute(
                    "DELETE FROM entries WHERE place = ? AND kind = ?", (place, kind)
                )
                rows = ((place, kind, write_guard(entry)) for entry in trail.entries)
                self._database.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
                index.kept.pop((place, kind), None)
                if trail.entries:
                    index.kept[place, kind] = len(trail.entries)
        index.bounds[place] = History(_bare(history.attestations), _bare(history.blocks))

    def _write_bounds(self, place: int, kind: Kind, trail: AnyTrail) -> None:
        bounds = map(write_bound, (trail.highest, trail.pruned, trail.armed))
        self._database.execute(
            "INSERT OR REPLACE INTO trails VALUES (?, ?, ?, ?, ?)", (place, kind, *bounds)
        )

    def _write_key(self, index: Index, key: PublicKey) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO keys VALUES (?, ?, ?)",
            (key, index.places[key], index.validators.get(key)),
        )

    def _drop(self, index: Index, place: int) -> None:
        self._database.execute("DELETE FROM entries WHERE place = ?", (place,))
        self._database.execute("DELETE FROM trails WHERE place = ?", (place,))
        del index.bounds[place], index.users[place]
        for kind in KINDS:
            index.kept.pop((place, kind), None)

    def _bounds(self, place: int) -> History:
        votes: Trail[AttestationGuard] = Trail()
        blocks: Trail[BlockGuard] = Trail()
        rows = self._database.execute(
            "SELECT kind, highest, pruned, armed FROM trails WHERE place = ?", (place,)
        )
        for kind, *bounds in rows:
            if kind == Kind.VOTE:
                votes = Trail((), *map(read_vote_bound, bounds))
            else:
                blocks = Trail((), *map(read_block_bound, bounds))
        return History(votes, blocks)

    def _history(self, place: int) -> History:
        bounds = self._bounds(place)
        query = "SELECT entry FROM entries WHERE place = ? AND kind = ? ORDER BY entry"
        votes = self._database.execute(query, (place, Kind.VOTE))
        blocks = self._database.execute(query, (place, Kind.BLOCK))
        return History(
            _filled(bounds.attestations, tuple(read_vote(data) for (data,) in votes)),
            _filled(bounds.blocks, tuple(read_block(data) for (data,) in blocks)),
        )


def _above(trail: Trail[E], guard: E, pruned: Iterable[E]) -> Trail[E]:
    """The bounds after one more entry; `pruned` are the entries that it pushed out."""
    lost = cover_all((trail.pruned, *pruned))
    return Trail((), cover(trail.highest, guard), lost, trail.armed)


def _armed(trail: Trail[E], bound: E) -> Trail[E]:
    armed = cover(trail.armed, bound)
    return Trail((), cover_all((trail.highest, armed)), trail.pruned, armed)


def _bare(trail: Trail[E]) -> Trail[E]:
    """The bounds alone."""
    return Trail((), trail.highest, trail.pruned, trail.armed)


def _filled(bounds: Trail[E], entries: tuple[E, ...]) -> Trail[E]:
    """The whole trail; what is only not pruned yet is left out.

    Rows that do not fit each other are no record to sign by.
    """
    if bounds.highest != cover_all((bounds.armed, bounds.pruned, *entries)):
        raise StorageError(
            f"the slashing record contradicts itself: its bound is {bounds.highest}, its entries "
            "have another",
            code="record_damaged",
            hint="Restore the file from a backup, or set it aside; docs/slashing.md.",
        )
    pruned = cover_all((bounds.pruned, *entries[:-KEPT_ENTRIES]))
    return Trail(entries[-KEPT_ENTRIES:], bounds.highest, pruned, bounds.armed)
