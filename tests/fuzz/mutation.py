"""Changes bytes the way broken and hostile peers do: flips, cuts, splices, lengths and offsets.

Everything is drawn from the `Random` handed in, so a seed repeats every input.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

BOUNDARY_BYTES: Final = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
BOUNDARY_NUMBERS: Final = (0, 1, 2, 3, 4, 13, 14, 31, 32, 255, 256, 2**16, 2**31, 2**32 - 1)
OFFSET_STEPS: Final = (-32, -8, -4, -1, 1, 4, 8, 32)
"""Where encodings of fixed-size items go wrong by one."""
MOST_RANDOM_BYTES: Final = 600
"""A little more than a prepare has."""
MOST_STACKED: Final = 3
_LARGEST_U32: Final = 2**32 - 1


def pick(random: Random, count: int) -> int:
    """0 to `count` - 1; faster than `randrange` and even enough."""
    return int(random.random() * count)


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The data after one to three changes; now and then unchanged, or nothing but noise.

    Args:
        data: what to change.
        others: what to splice in.
    """
    choice = random.random()
    if choice < 0.04:
        return data
    if choice < 0.07:
        return random.randbytes(pick(random, MOST_RANDOM_BYTES))
    for _ in range(1 + pick(random, MOST_STACKED)):
        if not data:
            return random.randbytes(pick(random, MOST_RANDOM_BYTES))
        data = _CHANGES[pick(random, len(_CHANGES))](random, data, others)
    return data


def _flip(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    changed[pick(random, len(data))] ^= 1 << pick(random, 8)
    return bytes(changed)


def _set_byte(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    changed[pick(random, len(data))] = BOUNDARY_BYTES[pick(random, len(BOUNDARY_BYTES))]
    return bytes(changed)


def _truncate(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: pick(random, len(data))]


def _extend(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data + random.randbytes(1 + pick(random, 40))


def _delete(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start = pick(random, len(data))
    return data[:start] + data[start + 1 + pick(random, 40) :]


def _repeat(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start = pick(random, len(data))
    end = start + 1 + pick(random, 300)
    return data[:end] + data[start:]


def _splice(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = others[pick(random, len(others))]
    return data[: pick(random, len(data))] + other[pick(random, len(other) + 1) :]


def _nudge_offset(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Some aligned 32-bit number, most often in the fixed part, becomes a little larger or less."""
    at = 4 * pick(random, min(len(data), 200 if random.random() < 0.8 else len(data)) // 4)
    if at + 4 > len(data):
        return data
    changed = bytearray(data)
    (old,) = struct.unpack_from("<I", changed, at)
    step = OFFSET_STEPS[pick(random, len(OFFSET_STEPS))]
    struct.pack_into("<I", changed, at, (old + step) & _LARGEST_U32)
    return bytes(changed)


def _set_number(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Some aligned number becomes one at which something may end, or the length of it all."""
    at = 4 * pick(random, len(data) // 4)
    if at + 4 > len(data):
        return data
    place = pick(random, len(BOUNDARY_NUMBERS) + 1)
    number = BOUNDARY_NUMBERS[place] if place < len(BOUNDARY_NUMBERS) else len(data)
    changed = bytearray(data)
    struct.pack_into("<I", changed, at, number)
    return bytes(changed)


_CHANGES: Final[tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...]] = (
    _flip,
    _flip,
    _set_byte,
    _truncate,
    _extend,
    _delete,
    _repeat,
    _splice,
    _nudge_offset,
    _nudge_offset,
    _set_number,
)
