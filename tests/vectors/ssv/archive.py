"""Reads the archives of a specification set: cases, end states, key material, fixtures."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from operator_node.wire.generations import Generation

BOOLE_SET = "ssv-spec"
ALAN_SET = "ssv-spec-alan"
_STATES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Vectors:
    """One set in its folder.

    Attributes:
        folder: holds `types`, `qbft` and `ssv`.
        generation: whose rules the set's cases follow.
    """

    folder: Path
    generation: Generation

    @classmethod
    def open(cls, folder: Path) -> Vectors:
        """The set of a folder named `ssv-spec` or `ssv-spec-alan`."""
        is_alan = folder.name == ALAN_SET
        return cls(folder, Generation.ALAN if is_alan else Generation.BOOLE)

    def families(self) -> list[tuple[str, str]]:
        """(part, family) of every archive present, in order."""
        ending = ".tests.jsonl.xz"
        return [
            (path.parent.name, path.name.removesuffix(ending))
            for path in sorted(self.folder.glob(f"*/*{ending}"))
        ]

    def files(self, part: str, family: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(file name, content) of a family's cases, one at a time."""
        with lzma.open(self.folder / part / f"{family}.tests.jsonl.xz") as lines:
            for line in lines:
                row = json.loads(line)
                yield row["file"], row["data"]

    def states(self, part: str, family: str) -> States:
        """The expected end states of a family."""
        path = self.folder / part / f"{family}.state.jsonl.xz"
        return States(path) if path.is_file() else States(None)

    @property
    def keys(self) -> dict[str, Any]:
        """`sets` and `validators4`; the Alan set uses those of the folder beside it."""
        return _document(self._shared("test_keys.json.xz"))

    @property
    def fixtures(self) -> dict[str, Any]:
        """What the pretend beacon node answers."""
        return _document(self._shared("beacon_fixtures.json.xz"))

    def _shared(self, name: str) -> Path:
        own = self.folder / name
        return own if own.is_file() else self.folder.parent / BOOLE_SET / name


@dataclass(slots=True)
class States:
    """End states by file and sub-test name; several sub-tests of one file may share a name.

    A family's states fit in memory as text (tens of MB unpacked at most) and are parsed when asked.
    """

    path: Path | None
    _lines: list[bytes] = field(default_factory=list)
    _places: dict[tuple[str, str | None], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None:
            return
        with lzma.open(self.path) as lines:
            self._lines = list(lines)
        for place, line in enumerate(self._lines):
            head = _head(line)
            self._places.setdefault((head["test"], head.get("sub")), []).append(place)

    def of(self, file: str, sub: str | None = None) -> list[Any]:
        """All states recorded for a (sub-)test, in the archive's order; empty if there are none."""
        return [self._data(place) for place in self._places.get((file, sub), [])]

    def _data(self, place: int) -> Any:
        row = json.loads(self._lines[place])
        return self._data(row["same_as"]) if "same_as" in row else row["data"]


@lru_cache(maxsize=_STATES_KEPT)
def _head(line: bytes) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    row.pop("data", None)
    return row


@cache
def _document(path: Path) -> dict[str, Any]:
    with lzma.open(path) as file:
        document: dict[str, Any] = json.loads(file.read())
    return document
