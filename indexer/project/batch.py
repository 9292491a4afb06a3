"""What one step of the chain does to the tables: rows to add, versions to end.

Pure values, and the rule that makes them: of all that happens to a record within one block, only
how it was before and how it is afterwards counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from indexer.project.logs import LogRow
from indexer.project.records import Key, Shape, parted
from sdk.chain.follower import Point
from sdk.registry import Change
from sdk.types import BlockNumber


class BlockRow(NamedTuple):
    """A row of `block`."""

    number: BlockNumber
    hash: bytes
    timestamp_s: int
    log_count: int


class Closed(NamedTuple):
    """A version of an earlier step that ends."""

    key: Key
    valid_to: BlockNumber


DivergenceRow: TypeAlias = tuple[int, int, int, str, str | None, str | None, str | None]
"""A row of `divergence`."""


@dataclass(slots=True)
class Versions:
    """Versions of one kind of record.

    Attributes:
        closed: those of earlier steps that end, at most one per key.
        added: rows with `valid_from`, `valid_to`, `log_index` after the shape's own columns.
    """

    shape: Shape
    closed: list[Closed] = field(default_factory=list)
    added: list[list[Any]] = field(default_factory=list)
    _open: dict[Key, list[Any]] = field(default_factory=dict)
    _block: dict[Key, tuple[Any, Any, int]] = field(default_factory=dict)

    def note(self, before: Any, after: Any, log: int) -> None:
        """A log changed a record; None for one that did not exist, or no longer does."""
        key = self.shape.key(before if after is None else after)
        known = self._block.get(key)
        self._block[key] = (before if known is None else known[0], after, log)

    def turn(self, block: BlockNumber) -> None:
        """The block that all notes since the last turn were about is over."""
        for key, (before, after, log) in self._block.items():
            if before is after or (before is not None and after is not None and before == after):
                continue
            if before is not None:
                own = self._open.pop(key, None)
                if own is None:
                    self.closed.append(Closed(key, block))
                else:
                    own[-2] = block
            if after is not None:
                row = [*self.shape.row(after), block, None, log]
                self.added.append(row)
                self._open[key] = row
        self._block.clear()


@dataclass(slots=True)
class Batch:
    """One step for the writer.

    Attributes:
        before: newest block of the step before, None for the first step.
        tip: newest block of this one.
        timestamp_s: its time.
        oldest: oldest block that can be gone back to.
        blocks: with logs, and those that can be gone back to, beyond `before`.
        digest: of all records after this step, None if it was not taken.
        remaining: blocks beyond `tip` that can be read already.
    """

    before: Point | None
    tip: Point
    timestamp_s: int
    oldest: BlockNumber
    blocks: list[BlockRow] = field(default_factory=list)
    logs: list[LogRow] = field(default_factory=list)
    versions: list[Versions] = field(default_factory=list)
    divergences: list[DivergenceRow] = field(default_factory=list)
    digest: bytes | None = None
    remaining: int = 0


def turn_block(
    versions: dict[str, Versions], changes: Iterable[tuple[int, Change]], *, block: BlockNumber
) -> None:
    """Book all changes of a block.

    Args:
        versions: by table.
        changes: each with the index of its log, in order.
        block: its number.
    """
    touched: dict[str, Versions] = {}
    for log, change in changes:
        shape, before, after = parted(change)
        own = touched[shape.table] = versions[shape.table]
        own.note(before, after, log)
    for own in touched.values():
        own.turn(block)
