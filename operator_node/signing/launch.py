"""Starts the signing process and holds the lines to it.

Its arguments are numbers of inherited sockets, its environment what a Python program needs to
start, so that no secret stands where others can look. It is no child of the terminal.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import IO, Final

from operator_node.signing import words
from operator_node.signing.channel import Line, LineLost, LineSlow
from operator_node.signing.words import Answer, Failed, Request
from sdk.crypto.bls import BACKEND_VARIABLE

LINES: Final = 8
"""For as many callers at once as there are: two lanes of two threads, the registry's thread, that
of messages, and some to spare."""
STOP_SECONDS: Final = 5.0
"""For the slowest write to the disk to end; then it is killed."""
_MODULE: Final = "operator_node.signing"
_KEPT_VARIABLES: Final = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "TZ", BACKEND_VARIABLE)


class Link:
    """A running signing process and the lines to it."""

    def __init__(self) -> None:
        """Starts the process; it has not opened anything yet.

        In a thread that lives as long as the node: Linux ends the process with that thread.

        Raises:
            OSError: the system starts no process.
        """
        ends = [socket.socketpair() for _ in range(LINES + 2)]
        try:
            theirs = [end.fileno() for _, end in ends]
            environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
            # This very program, and numbers.
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", _MODULE, *map(str, theirs)],
                pass_fds=theirs,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            for end, _ in ends:
                end.close()
            raise
        finally:
            for _, end in ends:
                end.close()
        # The first never says anything: once it can be read, the process is gone. The second is
        # for questions that must not queue.
        self.life, self.direct, *others = (Line(end) for end, _ in ends)
        self._lines = (self.life, self.direct, *others)
        self._free: SimpleQueue[Line] = SimpleQueue()
        for line in others:
            self._free.put(line)
        self.is_lost = False

    @property
    def told(self) -> IO[bytes]:
        """What the process writes for its log, line by line."""
        if self.process.stderr is None:
            raise LineLost("its log is closed")
        return self.process.stderr

    def ask(self, request: Request, *, timeout_s: float) -> Answer:
        """The answer, over the first free line.

        Raises:
            LineSlow: no line was free, or no answer came, in time.
            LineLost: the process is gone.
            PhalanxError: what the process refused with.
        """
        with self._line(timeout_s) as line:
            return _of(line.ask(words.encode(request), timeout_s=timeout_s))

    def ask_directly(self, request: Request, *, timeout_s: float) -> Answer:
        """The same over the line that is kept free for one caller; one at a time."""
        return _of(self.direct.ask(words.encode(request), timeout_s=timeout_s))

    def lose(self) -> None:
        """Loses all lines, which ends the process after what it has begun; does not wait."""
        self.is_lost = True
        for line in self._lines:
            line.lose()

    def end(self) -> int:
        """Ends the process and returns its exit code; waits up to `STOP_SECONDS`."""
        self.lose()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for line in self._lines:
            line.close()
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    @contextmanager
    def _line(self, timeout_s: float) -> Iterator[Line]:
        if self.is_lost:
            raise LineLost("the signing process is gone")
        try:
            line = self._free.get(timeout=timeout_s)
        except Empty:
            raise LineSlow("all lines to the signing process are busy") from None
        try:
            yield line
        finally:
            self._free.put(line)


def _of(body: bytes) -> Answer:
    answer = words.decode_answer(body)
    if isinstance(answer, Failed):
        raise answer.error()
    return answer
