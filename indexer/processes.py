"""Several processes that serve at one address, for one interpreter uses one core.

Each listens with a socket of its own, and the kernel deals connections out to them evenly. They
share nothing else. The first one watches the others: if one ends, all do, so that whatever runs
this command sees it and starts it again; if the first one is killed, the others end by themselves.

Source: docs/run-an-indexer.md, "The API".
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any, Final

import trio

from sdk.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # the stubs that other libraries bring do not know trio's

MOST_PROCESSES: Final = 64
"""More than cores of any machine this was made for; the database has few hundred connections."""
START_S: Final = 60.0
"""An interpreter loads everything within seconds, also beside other work."""
END_S: Final = 5.0
"""More than what answers under way may take; who still runs then is killed."""
SWITCH_S: Final = 0.002
"""Threads that compute let others in after this. By default it is 5 ms, and an answer changes
between threads ten times; much less, and they are busy with changing."""

Work = Callable[..., Awaitable[None]]
"""Serves until cancelled; takes `task_status`, which it tells its port, and can be pickled."""


async def serve_together(
    works: Sequence[Work], *, task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serves in as many processes until cancelled; started once all do.

    Args:
        works: the first one is done here.
        task_status: told the port.

    Raises:
        ConfigError: `api_process`, one of the others did not start.
        StorageError: `api_process`, one of the others ended.
    """
    others = [_Other(work, number) for number, work in enumerate(works) if number > 0]
    try:
        for each in others:
            each.process.start()
        async with trio.open_nursery() as nursery:
            for each in others:
                await each.until_started()
                nursery.start_soon(each.watch)
            port = await nursery.start(works[0])
            keep_quick()
            task_status.started(port)
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(_end, others)


def keep_quick() -> None:
    """What a process that does nothing but serve sets for itself, once everything is loaded.

    A full collection of garbage looks at a million objects of libraries and routes, which stops
    all threads for a tenth of a second; none of them ever becomes garbage.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()


class _Other:
    """A process beside this one."""

    def __init__(self, work: Work, number: int) -> None:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self._started, telling = context.Pipe(duplex=False)
        self.process: SpawnProcess = context.Process(
            target=_serve_until_told, args=(work, telling), name=f"api {number}", daemon=True
        )

    async def until_started(self) -> None:
        """Returns once it serves.

        Raises:
            ConfigError: `api_process`.
        """
        with trio.move_on_after(START_S):
            async with trio.open_nursery() as nursery:
                for each in (self._started.fileno(), self.process.sentinel):
                    nursery.start_soon(_until_readable, each, nursery.cancel_scope)
        if not self._started.poll():
            raise ConfigError(
                f"process {self.process.name!r} does not serve after {START_S:g} s",
                code="api_process",
                hint="What it says is above; or try with one process.",
            )

    async def watch(self) -> None:
        """Returns never.

        Raises:
            StorageError: `api_process`, it has ended.
        """
        await trio.lowlevel.wait_readable(self.process.sentinel)
        self.process.join()
        raise StorageError(
            f"process {self.process.name!r} ended with code {self.process.exitcode}",
            code="api_process",
            hint="What it says is above. Start the command again.",
        )


async def _until_readable(file: int, found: trio.CancelScope) -> None:
    await trio.lowlevel.wait_readable(file)
    found.cancel()


def _end(others: list[_Other]) -> None:
    begun = [each.process for each in others if each.process.pid is not None]
    for each in begun:
        each.terminate()
    for each in begun:
        each.join(END_S)
        if each.is_alive():
            each.kill()
            each.join()


def _serve_until_told(work: Work, telling: Connection) -> None:
    """The whole life of another process."""
    trio.run(_serving, work, telling)


async def _serving(work: Work, telling: Connection) -> None:
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            parent: Any = multiprocessing.parent_process()
            nursery.start_soon(_until_readable, parent.sentinel, nursery.cancel_scope)
            await nursery.start(work)
            keep_quick()
            with suppress(BrokenPipeError):  # then the first one has just ended
                telling.send_bytes(b"serving")
            async for _ in signals:
                break
        nursery.cancel_scope.cancel()
