"""A bell: something changed, look again. Listeners that are busy hear it when they next listen."""

from __future__ import annotations

import trio


class Bell:
    """Rung by whoever changes something, listened to by every task that depends on it."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        """Wake all who listen."""
        self._event.set()
        self._event = trio.Event()

    def listen(self) -> trio.Event:
        """Set by the next ring. Take it before looking, and no ring in between is lost."""
        return self._event
