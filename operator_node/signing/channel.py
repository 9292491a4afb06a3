"""One line between node and signing process: numbered frames over a socket, one request at a time.

An answer carries its request's number. Whoever gave up waiting leaves the line usable: the next
caller skips the answer that came too late. Nothing is said here about what frames mean.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Final

from sdk.errors import InvariantBroken

FRAME_MOST: Final = 2**23
"""Bytes: 3,000 items of less than 300 bytes are under a megabyte, a batch of messages may hold
block proposals of a few megabytes."""
SKIPPED_MOST: Final = 16
"""Late answers before one's own; a line with more of them is as good as dead."""
_HEAD: Final = struct.Struct(">IQ")
_READ_BYTES: Final = 2**16


class LineLost(Exception):
    """The other end is gone, or does not keep to the form."""


class LineSlow(Exception):
    """No answer in time; the request may still be carried out."""


class Line:
    """One end of a line."""

    def __init__(self, end: socket.socket) -> None:
        """Takes the socket over."""
        self._end = end
        self._read = bytearray()
        self._number = 0

    def fileno(self) -> int:
        """For waiting until the line says something, or is lost."""
        return self._end.fileno()

    def lose(self) -> None:
        """Ends the line; whoever reads at either end finds it lost."""
        with suppress(OSError):  # the other end may have been first
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the line and gives the socket back; nobody may use it any more."""
        self.lose()
        self._end.close()

    def ask(self, body: bytes, *, timeout_s: float) -> bytes:
        """The answer to a request.

        Args:
            body: up to `FRAME_MOST` bytes.
            timeout_s: for the line to take the request, and again for each piece of the answer.

        Raises:
            LineSlow: no answer in time.
            LineLost: the line is no good any more.
        """
        self._number += 1
        try:
            self._end.settimeout(timeout_s)
            self._send(self._number, body)
        except OSError as problem:  # half a request may be on its way, also after a timeout
            raise LineLost(f"the request was not taken: {problem}") from problem
        for _ in range(SKIPPED_MOST):
            number, answer = self._receive()
            if number == self._number:
                return answer
        raise LineLost("too many late answers")

    def next(self) -> tuple[int, bytes]:
        """The next request and its number; waits as long as it takes.

        Raises:
            LineLost: the other end is gone.
        """
        self._end.settimeout(None)
        return self._receive()

    def answer(self, number: int, body: bytes) -> None:
        """Answers the request of that number.

        Raises:
            LineLost: nobody hears it.
        """
        try:
            self._send(number, body)
        except OSError as problem:
            raise LineLost(f"the answer was not taken: {problem}") from problem

    def _send(self, number: int, body: bytes) -> None:
        if len(body) > FRAME_MOST:
            raise InvariantBroken(f"a frame of {len(body)} bytes, {FRAME_MOST} is the limit")
        self._end.sendall(_HEAD.pack(len(body), number) + body)

    def _receive(self) -> tuple[int, bytes]:
        self._fill(_HEAD.size)
        length, number = _HEAD.unpack_from(self._read)
        if length > FRAME_MOST:
            raise LineLost(f"a frame of {length} bytes")
        self._fill(_HEAD.size + length)
        body = bytes(self._read[_HEAD.size : _HEAD.size + length])
        del self._read[: _HEAD.size + length]
        return number, body

    def _fill(self, wanted: int) -> None:
        """Reads until that many bytes are there; what was read is kept, whatever happens."""
        while len(self._read) < wanted:
            try:
                data = self._end.recv(_READ_BYTES)
            except TimeoutError:
                raise LineSlow("no answer in time") from None
            except OSError as problem:
                raise LineLost(str(problem)) from problem
            if not data:
                raise LineLost("the other end is gone")
            self._read += data
