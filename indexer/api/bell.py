"""Rings when the writer has written, so that streams read only then.

A thread listens to Postgres. Where listening is impossible, as on a replica, or the connection is
lost, it rings every few seconds instead: a ring too many costs one look at the tables.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import psycopg
import trio

from indexer.store import CHANNEL

LISTEN_S: Final = 5.0
"""A ring at least this often, whatever was heard."""
POLL_S: Final = 2.0
"""Between looks when nothing can be heard."""
_CONNECT_S: Final = 5
_LOG: Final = logging.getLogger("phalanx.indexer.api")


class Bell:
    """One per process; any number of waiters."""

    def __init__(self) -> None:
        self._next: trio.Event | None = None

    def next(self) -> trio.Event:
        """Set at the next ring; take it before reading, so that no ring is missed."""
        if self._next is None:
            self._next = trio.Event()
        return self._next

    def ring(self) -> None:
        """Wake all who wait; in the loop's own thread."""
        rung, self._next = self._next, None
        if rung is not None:
            rung.set()

    async def listen(self, url: str) -> None:
        """Ring for the database of this address until cancelled."""
        stop = threading.Event()
        try:
            await trio.to_thread.run_sync(
                _listen,
                url,
                stop,
                self.ring,
                abandon_on_cancel=True,  # type: ignore[call-arg] # the stubs are older than trio
            )
        finally:
            stop.set()


def _listen(url: str, stop: threading.Event, ring: Callable[[], Any]) -> None:
    def told() -> bool:
        """Whether the loop still is there to be told."""
        try:
            trio.from_thread.run_sync(ring)
        except (trio.Cancelled, trio.RunFinishedError):
            return False
        return True

    heard_before = True
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_S) as connection:
                connection.execute(f"LISTEN {CHANNEL}".encode())
                heard_before = True
                while not stop.is_set():
                    for _ in connection.notifies(timeout=LISTEN_S, stop_after=1):
                        pass
                    if not told():
                        return
        except psycopg.Error as failure:
            if heard_before:
                _LOG.warning("not_listening polls_s=%s cause=%s", POLL_S, type(failure).__name__)
            heard_before = False
            if not told():
                return
            stop.wait(POLL_S)
