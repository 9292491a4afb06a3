"""Child processes of a benchmark: they say lines, are told lines, and end when their input does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.p2p.nodes import free_port

STDERR_BYTES = 2_000
END_SECONDS = 10


def say(text: str) -> None:
    """Tells of progress, beside the tables."""
    print(f"  {text}", file=sys.stderr, flush=True)


class Child:
    """A node's process; its errors go to a file."""

    def __init__(self, process: trio.Process, errors: Path) -> None:
        self._process = process
        self._errors = errors
        self._waiting = b""

    async def line(self) -> bytes:
        """The next line that it writes."""
        while b"\n" not in self._waiting:
            assert self._process.stdout is not None
            data = await self._process.stdout.receive_some()
            if not data:
                said = self._errors.read_bytes()[-STDERR_BYTES:].decode(errors="replace")
                raise RuntimeError(f"a node ended by itself:\n{said}")
            self._waiting += data
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line

    async def say(self, data: bytes) -> None:
        """Writes to its input."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(data)

    async def end(self) -> None:
        """Closes its input, which ends it; or ends it by force."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()
        with trio.move_on_after(END_SECONDS):
            await self._process.wait()
            return
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def started(
    module: str, arguments: Sequence[Sequence[str]], folder: Path
) -> AsyncIterator[list[Child]]:
    """A process per list of arguments, each with a folder of its own as the last one."""
    children: list[Child] = []
    try:
        for number, each in enumerate(arguments):
            own = folder / str(number)
            own.mkdir(mode=0o700)
            with (own / "errors").open("wb") as errors:
                process = await trio.lowlevel.open_process(
                    [sys.executable, "-m", module, *each, str(own)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
            children.append(Child(process, own / "errors"))
        yield children
    finally:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for child in children:
                    nursery.start_soon(child.end)


def ports() -> Iterator[int]:
    """Free ones, each once."""
    taken: set[int] = set()
    while True:
        port = free_port()
        if port not in taken:
            taken.add(port)
            yield port
