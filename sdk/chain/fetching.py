"""Logs of ranges, asked for and parsed by a process of its own.

Shell. For histories: an answer of megabytes takes as much processor time as all that is done with
its logs, and beside another process a second core is of use. The process is fresh (spawn), holds
one connection per node and nothing else, and is told the node's address with each question. It
starts when it is needed and ends when all is read. Until it is there, and if it dies, ranges are
read here.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final, TypeAlias

import anyio.to_thread
import httpcore
import httpx

from sdk.chain.messages import TOO_LARGE, UNREADABLE, Refused, Silent, request, rest_of, results
from sdk.chain.reading import (
    LOGS,
    ParsedLogs,
    call_for_logs,
    parse,
    parsed,
    read_logs,
    unreadable,
)
from sdk.chain.rpc import CONNECT_S, MOST_ANSWER_BYTES, Rpc
from sdk.types import Address

log = logging.getLogger(__name__)

AT_ONCE: Final = 2**20
"""Bytes taken from a socket at most; in pieces of 64 KiB the pieces cost more than the bytes."""
YOUNG_OBJECTS: Final = 200_000
"""Of an answer, about; so the search for cycles runs between two rather than again and again in
one."""
_Question: TypeAlias = tuple[str, Address, int, int, float]
"""Endpoint, contract, first and last block, seconds for the answer."""
_Answer: TypeAlias = ParsedLogs | Silent | Refused | ValueError


class Fetcher:
    """Whoever reads ranges, one at a time; open it with `fetcher`."""

    def __init__(self) -> None:
        """No process yet."""
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._is_ready = False
        self._is_alone = False

    async def logs(self, rpc: Rpc, address: Address, low: int, high: int) -> ParsedLogs:
        """A contract's logs of a range.

        Args:
            rpc: whose endpoint is asked.
            address: of the contract.
            low: first block.
            high: last one.

        Raises:
            NetworkError: as `Rpc.call`; `rpc_answer`, a log cannot be read or is from elsewhere.
            ConfigError: as `Rpc.call`.
        """
        try:
            connection = self._ready() if rpc.is_http_only else None
            if connection is not None:
                return await rpc.through(
                    "eth_getLogs",
                    lambda url: self._ask(connection, (str(url), address, low, high, rpc.answer_s)),
                )
        except ValueError:
            unreadable(rpc, f"logs of blocks {low} to {high}")
        except (EOFError, OSError):
            log.warning("chain: the process that reads logs died; going on alone")
            self.rest()
            self._is_alone = True
        return parsed(rpc, await read_logs(rpc, address, low, high), address, low, high)

    def rest(self) -> None:
        """End the process until it is needed again."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        self._is_ready = False
        if process is not None and connection is not None:
            # It holds nothing that could be lost.
            process.kill()
            process.join()
            connection.close()

    async def _ask(self, connection: Connection, question: _Question) -> ParsedLogs:
        try:
            answer = await anyio.to_thread.run_sync(
                _exchanged, connection, question, abandon_on_cancel=True
            )
        except BaseException:
            # Also if nobody waits any more: the next answer must be to the next question.
            self.rest()
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ready(self) -> Connection | None:
        """Where to ask; None while the process starts, or for good.

        Raises:
            EOFError, OSError: it does not start.
        """
        if self._is_alone:
            return None
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        if not self._is_ready and self._connection.poll():
            self._connection.recv()
            self._is_ready = True
        return self._connection if self._is_ready else None


@contextmanager
def fetcher() -> Iterator[Fetcher]:
    """One whose process ends with the block."""
    own = Fetcher()
    try:
        yield own
    finally:
        own.rest()


def _exchanged(connection: Connection, question: _Question) -> _Answer:
    connection.send(question)
    answer: _Answer = connection.recv()
    return answer


def _serve(connection: Connection) -> None:
    """Answer until nobody asks."""
    # A Ctrl-C is for the process that asks; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What it makes goes away by counting references, but for some hundred objects of each request.
    gc.set_threshold(YOUNG_OBJECTS)
    httpcore.HTTP11Connection.READ_NUM_BYTES = AT_ONCE
    connection.send("ready")
    answer: _Answer
    while True:
        try:
            question: _Question = connection.recv()
        except EOFError:
            return
        try:
            answer = _fetch(*question)
        except (Silent, Refused, ValueError) as failure:
            answer = failure
        try:
            connection.send(answer)
        except BrokenPipeError:
            return


def _fetch(url: str, address: Address, low: int, high: int, answer_s: float) -> ParsedLogs:
    """What the node says.

    Raises:
        Silent, Refused: as `Rpc.through` expects.
        ValueError: a log cannot be read.
    """
    calls = [call_for_logs(address, low, high)]
    [raw] = results(calls, *_exchange(url, request(calls), answer_s))
    try:
        found = LOGS.decode(raw)
    except UNREADABLE as failure:
        raise Silent(f"answered in another form ({type(failure).__name__})") from None
    return parse(found, address, low, high)


def _exchange(url: str, content: bytes, answer_s: float) -> tuple[int, bytearray, float]:
    """Status, body, and how long the node wants to be left alone, in seconds."""
    body = bytearray()
    until = time.monotonic() + answer_s
    headers = {"content-type": "application/json", "accept": "application/json"}
    try:
        with _client(answer_s).stream("POST", url, content=content, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_ANSWER_BYTES:
                    return TOO_LARGE, bytearray(), 0.0
                if time.monotonic() > until:
                    raise Silent("no answer in time", is_timeout=True)
            return response.status_code, body, rest_of(response)
    except httpx.TimeoutException:
        raise Silent("no answer in time", is_timeout=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as failure:
        # The text of some of these quotes the address.
        raise Silent(type(failure).__name__) from None


@lru_cache(maxsize=1)
def _client(answer_s: float) -> httpx.Client:
    """Of this process, as long as it lives."""
    return httpx.Client(timeout=httpx.Timeout(answer_s, connect=CONNECT_S), trust_env=False)
