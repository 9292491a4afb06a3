"""Hypercorn's connections over trio, with fewer steps for each answer.

Hypercorn 0.18 sends an answer in three parts, the last of them empty, and begins a task for each
pause between two requests. Each step is a turn of the loop, and those turns take as long as a
query. Here head and body leave together, and one task per connection looks at its pauses.
Everything else is Hypercorn's. It can go when upstream does the same.

Source: ASGI 3.0; RFC 9112.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState, Framework
from hypercorn.utils import wrap_app

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # the stubs that other libraries bring do not know trio's

KEEP_ALIVE_S: Final = 75.0
"""Longer than the pauses of people who read a page, and than a proxy's own."""
HEADER_BYTES: Final = 16 * 1024
"""A request line with the longest query, and its headers."""
_HEAD: Final = b"HTTP/1.1 "
_LENGTH: Final = b"\r\ncontent-length: "


async def serve_app(
    app: Framework,
    listening: socket.socket,
    *,
    keep_alive_s: float = KEEP_ALIVE_S,
    task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves an ASGI app until cancelled; started once it takes connections.

    Args:
        app: without a lifespan.
        listening: where they come in; stays open.
        keep_alive_s: pause after which a connection is closed.
        task_status: told the port.
    """
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.keep_alive_timeout = keep_alive_s
    config.h11_max_incomplete_size = HEADER_BYTES
    serve_one = partial(
        _Connection, wrap_app(app, 0, "asgi"), config, WorkerContext(None), ConnectionState({})
    )
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening.dup()))
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, serve_one, [listener])
        task_status.started(listening.getsockname()[1])


class _Connection(TCPServer):
    """One connection."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.idle_task: Any = _Pause(self._close_when_idle)
        self._held = b""

    async def protocol_send(self, event: Event) -> None:
        """Sends bytes; the head of an answer waits for its body."""
        if not isinstance(event, RawData):
            await self._send(self._held)
            await super().protocol_send(event)
        elif event.data.startswith(_HEAD) and _LENGTH in event.data:
            self._held = event.data  # the body, or the end of the answer, comes at once
        else:
            await self._send(self._held + event.data)

    async def _send(self, data: bytes) -> None:
        self._held = b""
        if not data:
            return
        try:
            self.send_lock.acquire_nowait()  # unlike `acquire` it lets nobody else run
        except trio.WouldBlock:
            await self.send_lock.acquire()
        try:
            with trio.CancelScope(shield=True):
                await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await self.protocol.handle(Closed())
        finally:
            self.send_lock.release()

    async def _read_data(self) -> None:
        await super()._read_data()
        self.idle_task.end()

    async def _close_when_idle(self) -> None:
        patience_s = self.config.keep_alive_timeout
        while True:
            since = self.idle_task.since
            left_s = patience_s if since is None else since + patience_s - trio.current_time()
            if left_s <= 0:
                break
            await trio.sleep(left_s)
        with trio.CancelScope(shield=True):
            await self._initiate_server_close()


class _Pause:
    """The pause between two requests, in place of Hypercorn's task.

    Attributes:
        since: when it began, None while a request is under way.
    """

    def __init__(self, watch: Callable[[], Any]) -> None:
        self.since: float | None = None
        self._watch = watch
        self._scope: trio.CancelScope | None = None

    async def restart(self, task_group: Any, _: Callable[[], Any]) -> None:
        """It begins."""
        self.since = trio.current_time()
        if self._scope is None:
            self._scope = trio.CancelScope()
            task_group.spawn(self._watching, self._scope)

    async def stop(self) -> None:
        """A request came."""
        self.since = None

    def end(self) -> None:
        """The connection is gone."""
        if self._scope is not None:
            self._scope.cancel()

    async def _watching(self, scope: trio.CancelScope) -> None:
        with scope:
            await self._watch()
