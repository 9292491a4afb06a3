"""Routes that block, each in a thread, with less ado than by default.

FastAPI's way copies the context and renames the thread twice for every request, which takes as
long as a query. Routes here need neither: what they read comes with the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

import trio
from fastapi.routing import APIRoute
from outcome import Outcome

Given = ParamSpec("Given")
Found = TypeVar("Found")


class ThreadRoute(APIRoute):
    """A route whose function may block; never called from a thread itself."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """As FastAPI makes it."""
        if not iscoroutinefunction(endpoint):
            endpoint = threaded(endpoint)
        super().__init__(path, endpoint, **more)


def threaded(work: Callable[Given, Found]) -> Callable[Given, Awaitable[Found]]:
    """The same function, called in a thread."""

    @wraps(work)
    async def call(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        return await in_thread(partial(work, *args, **kwargs))

    return call


async def in_thread(work: Callable[[], Found]) -> Found:
    """What the work returns or raises; it is always waited for, cancelled or not.

    As many at once as trio's own limit for threads says.
    """
    limiter = trio.to_thread.current_default_thread_limiter()
    task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()

    def deliver(outcome: Outcome[Found]) -> None:
        with suppress(trio.RunFinishedError):  # then nobody waits any more
            token.run_sync_soon(trio.lowlevel.reschedule, task, outcome)

    try:
        limiter.acquire_on_behalf_of_nowait(task)
    except trio.WouldBlock:
        await limiter.acquire_on_behalf_of(task)
    try:
        trio.lowlevel.start_thread_soon(work, deliver)
        found: Found = await trio.lowlevel.wait_task_rescheduled(_to_the_end)
    finally:
        limiter.release_on_behalf_of(task)
    return found


def _to_the_end(_: Any) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED
