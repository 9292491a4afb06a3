"""Work in threads: what it returns and raises, and that it is waited for."""

from __future__ import annotations

import threading

import pytest
import trio

from indexer.api.threads import in_thread


def test_work_is_done_in_another_thread() -> None:
    assert trio.run(in_thread, threading.get_ident) != threading.get_ident()


def test_what_it_raises_is_raised() -> None:
    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        trio.run(in_thread, fail)


def test_it_is_waited_for_when_cancelled_and_gives_its_place_back() -> None:
    async def run() -> tuple[list[str], int]:
        happened: list[str] = []
        is_running, may_end = threading.Event(), threading.Event()

        def work() -> None:
            is_running.set()
            may_end.wait()
            happened.append("done")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(in_thread, work)
            await trio.to_thread.run_sync(is_running.wait)
            nursery.cancel_scope.cancel()
            may_end.set()
        happened.append("left")
        limiter = trio.to_thread.current_default_thread_limiter()
        return happened, int(limiter.borrowed_tokens)

    assert trio.run(run) == (["done", "left"], 0)


def test_no_more_at_once_than_the_limit() -> None:
    async def run() -> int:
        limiter = trio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 2
        lock, both, most, now = threading.Lock(), threading.Barrier(2), 0, 0

        def work() -> None:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            both.wait()
            with lock:
                now -= 1

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(in_thread, work)
        return most

    assert trio.run(run) == 2
