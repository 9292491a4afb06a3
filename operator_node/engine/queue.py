"""A queue that is bounded in items and in bytes, because the largest message has ten megabytes.

It waits for nobody: what finds it full is refused, and whoever put it counts that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import trio

_Item = TypeVar("_Item")


class Queue(Generic[_Item]):
    """Items in order, between tasks of one event loop."""

    def __init__(self, *, items: int, size_bytes: int, size: Callable[[_Item], int]) -> None:
        """Empty.

        Args:
            items: how many fit.
            size_bytes: how large they may be together; a single one always fits.
            size: of an item, in bytes.
        """
        self._most_bytes = size_bytes
        self._size = size
        self._bytes = 0
        self._in, self._out = trio.open_memory_channel[_Item](items)

    def put(self, item: _Item) -> bool:
        """Whether there was room."""
        size = self._size(item)
        if self._bytes and self._bytes + size > self._most_bytes:
            return False
        try:
            self._in.send_nowait(item)
        except trio.WouldBlock:
            return False
        self._bytes += size
        return True

    async def take(self) -> _Item:
        """The oldest one, once there is one."""
        item = await self._out.receive()
        self._bytes -= self._size(item)
        return item
