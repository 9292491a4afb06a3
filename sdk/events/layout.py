"""Where the values of an argument list stand, learnt from one log and used for all alike.

Pure. `sdk.events.abi` says what is canonical, value by value. Once the lengths of the dynamic parts
are given, every byte of a canonical encoding belongs to a value or is fixed: offsets, lengths,
padding. So data of a size that was seen before is cut up in one step, and is canonical if the fixed
bytes are the same. What does not fit is no error here: it is read the long way, which knows why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from struct import Struct
from typing import Any, Final

from sdk.events.abi import CLUSTER_TYPE, CODECS, WORD_BYTES, Malformed

REMEMBERED: Final = 16_384
"""Cluster structs and sets of operators: all logs of a call have the same ones, and a cluster's
operators come again and again. As one object each they are compared at once. Some megabytes."""
LONGEST_REMEMBERED: Final = 512
"""Bytes; 13 operators and their number have 448."""
_PLAIN: Final = {"uint32": "I", "uint64": "Q", "uint256": "32s", "bool": "B", "address": "20s"}
"""How the value of a word is cut out of its end; the bytes before it are zero."""
_PLAIN_BYTES: Final = {"I": 4, "Q": 8, "32s": 32, "B": 1, "20s": 20}


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which an argument list of a certain size can be encoded.

    Attributes:
        cut: the data into fixed parts and values.
        fixed: picks the fixed parts.
        expected: what they are.
        makers: one per argument, in order: from all parts to its value, None if it has none.
    """

    cut: Struct
    fixed: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    expected: tuple[bytes, ...]
    makers: tuple[Callable[[tuple[Any, ...]], Any], ...]

    def read(self, data: bytes) -> list[Any] | None:
        """The values, None if the data is not laid out like this.

        Args:
            data: of the size that `cut` has.
        """
        parts = self.cut.unpack(data)
        if self.fixed(parts) != self.expected:
            return None
        values = [make(parts) for make in self.makers]
        # Not `in`, which would compare each value with None.
        for value in values:
            if value is None:
                return None
        return values


class _Drawing:
    """A layout while it is drawn: parts in the order of the bytes."""

    def __init__(self) -> None:
        self.formats: list[str] = []
        self.fixed: dict[int, bytes] = {}

    def fix(self, content: bytes) -> None:
        """Bytes that must be there; joined with fixed ones right before them."""
        last = len(self.formats) - 1
        if last in self.fixed:
            content = self.fixed[last] + content
            self.formats.pop()
        if content:
            self.fixed[len(self.formats)] = content
            self.formats.append(f"{len(content)}s")

    def word(self, kind: str) -> int:
        """A word with one value; its place among the parts."""
        form = _PLAIN.get(kind, "32s")
        self.fix(bytes(WORD_BYTES - _PLAIN_BYTES[form]))
        return self.part(form)

    def part(self, form: str) -> int:
        self.formats.append(form)
        return len(self.formats) - 1


def draw(types: tuple[str, ...], data: bytes) -> Layout:
    """The layout of data that is known to be canonical.

    Args:
        types: keys of `abi.CODECS`.
        data: the whole encoding.
    """
    drawing = _Drawing()
    makers: list[Callable[[tuple[Any, ...]], Any] | None] = []
    head = 0
    for kind in types:
        if _is_dynamic(kind):
            drawing.fix(data[head : head + WORD_BYTES])
            makers.append(None)
            head += WORD_BYTES
        elif kind == CLUSTER_TYPE:
            size = CODECS[kind].head_bytes
            makers.append(_words(kind, size, drawing.part(f"{size}s")))
            head += size
        else:
            makers.append(_single(kind, drawing.word(kind)))
            head += WORD_BYTES
    at = head
    for place, kind in enumerate(types):
        if not _is_dynamic(kind):
            continue
        length = int.from_bytes(data[at : at + WORD_BYTES], "big")
        if kind == "bytes":
            drawing.fix(data[at : at + WORD_BYTES])
            makers[place] = itemgetter(drawing.part(f"{length}s"))
            drawing.fix(bytes(-length % WORD_BYTES))
            at += WORD_BYTES + length + -length % WORD_BYTES
        else:
            size = WORD_BYTES + length * WORD_BYTES
            makers[place] = _words(kind, size, drawing.part(f"{size}s"))
            at += size
    return Layout(
        Struct(">" + "".join(drawing.formats)),
        _picker(list(drawing.fixed)),
        tuple(drawing.fixed.values()),
        tuple(maker for maker in makers if maker is not None),
    )


def _is_dynamic(kind: str) -> bool:
    return kind == "bytes" or kind.endswith("[]")


def _single(kind: str, place: int) -> Callable[[tuple[Any, ...]], Any]:
    if kind == "uint256":
        return lambda parts: int.from_bytes(parts[place], "big")
    if kind == "bool":
        return lambda parts: _BOOLS.get(parts[place])
    return itemgetter(place)


def _picker(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """These parts as a tuple, which `itemgetter` only makes of two or more."""
    match places:
        case []:
            return lambda parts: ()
        case [only]:
            return lambda parts: (parts[only],)
        case _:
            return itemgetter(*places)


def _words(kind: str, size: int, place: int) -> Callable[[tuple[Any, ...]], Any]:
    """An array or struct, read as everywhere else, but only once."""
    read = _remembered if size <= LONGEST_REMEMBERED else _read
    return lambda parts: read(kind, parts[place])


def _read(kind: str, data: bytes) -> Any:
    """The value that takes all of the data, None if there is none."""
    try:
        value, end = CODECS[kind].read(data, 0)
    except Malformed:
        return None
    return value if end == len(data) else None


_remembered = lru_cache(maxsize=REMEMBERED)(_read)
_BOOLS: Final = {0: False, 1: True}
