"""Whoever wants to hear what changes for own validators: every change, none left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from operator_node.registry.notices import RegistryChange

NOTICES_HELD: Final = 1024
"""Per reader. With more the registry waits for it: no change is ever lost."""


class Readers:
    """Those who subscribed."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._senders: list[trio.MemorySendChannel[RegistryChange]] = []

    def subscribe(self) -> trio.MemoryReceiveChannel[RegistryChange]:
        """Changes from now on."""
        sender, receiver = trio.open_memory_channel[RegistryChange](NOTICES_HELD)
        self._senders.append(sender)
        return receiver

    async def tell(self, notices: Sequence[RegistryChange]) -> None:
        """To every reader that is still there."""
        for sender in tuple(self._senders):
            try:
                for notice in notices:
                    await sender.send(notice)
            except trio.BrokenResourceError:
                self._senders.remove(sender)
