"""The signing process as the node knows it: asked from threads, watched over, started again.

A request that the process could not answer because it ended is asked again of the next one: all
requests can be repeated, since the record lets the same data be signed twice. A caller waits a few
seconds at most. The process is not needed for anything but signatures.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from typing import IO, TYPE_CHECKING, Final, TypeVar

import trio

from operator_node.signing.channel import LineLost, LineSlow
from operator_node.signing.launch import Link
from operator_node.signing.words import (
    Answer,
    BindOperator,
    Done,
    KeyOpened,
    OpenKey,
    OpenRecord,
    Ping,
    RecordOpened,
    Request,
)
from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import ConfigError, InvariantBroken, PhalanxError, StorageError
from sdk.types import OperatorId

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

PATIENCE_S: Final = 8.0
"""How long a caller waits for an answer, and for a process that is being started again: most of
a slot, after which a vote is late anyway. Starting takes half a second."""
ATTEMPTS: Final = 2
"""What ends the process twice within one request is not mended by waiting."""
OPENING_S: Final = 60.0
"""For key and record to be opened: a keystore's password takes a second, the record of thousands of
validators some more, and one that belongs to a process about to end is waited for."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
STEADY_S: Final = 60.0
"""A process that lived for so long begins anew with the shortest pause."""
PING_EVERY_S: Final = 5.0
PING_WITHIN_S: Final = 10.0
"""A process that answers nothing for so long is ended and started again."""
LOG_LINE_BYTES: Final = 4_096

_A = TypeVar("_A", bound=Answer)
_LEVELS: Final = {"WARNING": logging.WARNING, "ERROR": logging.ERROR, "CRITICAL": logging.CRITICAL}
_log = logging.getLogger(__name__)


class SigningProcess:
    """One signing process after the other.

    Attributes:
        public_key: of the operator.
        problem: why nothing can be signed at present; empty if it can.
        restarts: since the first start.
    """

    def __init__(self, key: OpenKey, *, patience_s: float = PATIENCE_S) -> None:
        """Starts it and has it open the operator's key.

        In a thread that lives as long as the node, see `Link`.

        Args:
            key: where the key is.
            patience_s: see `ask`.

        Raises:
            PhalanxError: the key cannot be used; see `OperatorKey`.
            StorageError: `signer_down`, the system starts no process.
        """
        self.problem = ""
        self.restarts = 0
        self._key = key
        self._patience_s = patience_s
        self._record: OpenRecord | None = None
        self._operator_id: OperatorId | None = None
        self._changed = threading.Condition()
        self._link: Link | None = None
        """That can be asked."""
        self._is_closed = False
        self._is_slow = False
        """Nobody who cannot wait asks before the next answer to `Ping`."""
        try:
            link = Link()
        except OSError as problem:
            raise _down(f"it cannot be started: {problem.strerror or problem}") from problem
        try:
            self.public_key = _open_key(link, key)
        except (LineLost, LineSlow) as problem:
            raise _down(f"it did not start: {problem} (exit code {link.end()})") from problem
        except BaseException:
            link.end()
            raise
        self._link = self._newest = link

    def __repr__(self) -> str:
        return f"SigningProcess({self.public_key.fingerprint})"

    # --- asking, from threads ---------------------------------------------------------------

    def ask(self, request: Request, kind: type[_A], *, timeout_s: float = 0) -> _A:
        """The answer; waits, so use a thread.

        Args:
            request: may be carried out twice.
            kind: what the answer is.
            timeout_s: for a process that is being started again, and for its answer, each; what
                was given at the start, or more.

        Raises:
            StorageError: `signer_down`; nothing may be taken for signed.
            PhalanxError: what the process refused with.
        """
        timeout_s = max(timeout_s, self._patience_s)
        for _ in range(ATTEMPTS):
            link = self._wait(timeout_s)
            try:
                return _expect(link.ask(request, timeout_s=timeout_s), kind)
            except LineLost:
                self._lose(link)
            except LineSlow as problem:
                raise _down(str(problem)) from problem
        raise _down("it ended while it was asked")

    def ask_at_once(self, request: Request, kind: type[_A], *, timeout_s: float) -> _A | None:
        """The same for one caller that cannot wait; None if there is no answer in time.

        Raises:
            PhalanxError: what the process refused with.
        """
        link = self._link
        if link is None or link.is_lost or self._is_slow:
            return None
        try:
            return _expect(link.ask_directly(request, timeout_s=timeout_s), kind)
        except LineLost:
            self._lose(link)
            return None
        except LineSlow:
            self._is_slow = True
            return None

    def open_record(self, request: OpenRecord) -> RecordOpened:
        """Has the slashing record opened, now and after every new start.

        Raises:
            ConfigError: `record_of_another`.
            StorageError: see `SlashingStore.open`; `signer_down`.
        """
        opened = self.ask(request, RecordOpened, timeout_s=OPENING_S)
        self._record = request
        return opened

    def bind_operator(self, operator_id: OperatorId) -> None:
        """See `SlashingStore.bind_operator`; also after every new start."""
        self.ask(BindOperator(operator_id), Done)
        self._operator_id = operator_id

    def close(self) -> None:
        """Ends it; whoever waits is told."""
        with self._changed:
            self._is_closed = True
            self._link = None
            self._changed.notify_all()
        self._newest.end()

    def _wait(self, timeout_s: float) -> Link:
        with self._changed:
            self._changed.wait_for(lambda: self._link or self._is_closed, timeout_s)
            if self._link is None:
                raise _down(self.problem or "it does not run")
            return self._link

    def _lose(self, link: Link) -> None:
        with self._changed:
            link.lose()
            if self._link is link:
                self._link = None
                self.problem = "it ended, and is started again"

    # --- watching over it -------------------------------------------------------------------

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Starts it again whenever it ends, until cancelled."""
        task_status.started()
        pause_s = FIRST_PAUSE_S
        link = self._link
        while not self._is_closed:
            if link is not None:
                began_s = trio.current_time()
                code = await self._attend(link)
                self.restarts += 1
                _log.error("the signing process ended (exit code %d): starting it again", code)
                if trio.current_time() - began_s >= STEADY_S:
                    pause_s = FIRST_PAUSE_S
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                link = Link()  # here, and not in a worker: see there; it takes a few milliseconds
            except OSError as problem:
                self.problem = f"it cannot be started: {problem.strerror or problem}"
                link = None
                continue
            link = await trio.to_thread.run_sync(self._prepare, link)

    async def _attend(self, link: Link) -> int:
        """Returns the exit code once it is gone."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_retell, link.told)
            nursery.start_soon(self._ping, link)
            await trio.lowlevel.wait_readable(link.life.fileno())
            nursery.cancel_scope.cancel()
        self._lose(link)
        return await trio.to_thread.run_sync(link.end)

    async def _ping(self, link: Link) -> None:
        """Ends a process that does not answer any more."""
        while True:
            await trio.sleep(PING_EVERY_S)
            try:
                await trio.to_thread.run_sync(partial(link.ask, Ping(), timeout_s=PING_WITHIN_S))
            except LineLost:
                return
            except LineSlow:
                _log.error("the signing process does not answer: ending it")
                link.process.kill()
                return
            self._is_slow = False

    def _prepare(self, link: Link) -> Link | None:
        """Opens all that was open before; None if that fails."""
        try:
            if _open_key(link, self._key) != self.public_key:
                raise ConfigError(
                    "the operator's key is another one than at the start",
                    code="operator_key_mismatch",
                    hint="Put the key file back; the node goes on by itself.",
                )
            if self._record is not None:
                _expect(link.ask(self._record, timeout_s=OPENING_S), RecordOpened)
            if self._operator_id is not None:
                link.ask(BindOperator(self._operator_id), timeout_s=OPENING_S)
        except (PhalanxError, LineLost, LineSlow) as problem:
            self.problem = f"it cannot be started: {problem}"
            _log.error("the signing process cannot be started: %s", problem)
            link.end()
            return None
        with self._changed:
            if not self._is_closed:
                self._link = self._newest = link
                self.problem = ""
                self._is_slow = False
                self._changed.notify_all()
                return link
        link.end()
        return None


def _open_key(link: Link, key: OpenKey) -> OperatorPublicKey:
    opened = _expect(link.ask(key, timeout_s=OPENING_S), KeyOpened)
    return parse_public_key(opened.public_key)


def _expect(answer: Answer, kind: type[_A]) -> _A:
    if not isinstance(answer, kind):
        raise InvariantBroken(f"asked for {kind.__name__}, got {type(answer).__name__}")
    return answer


async def _retell(pipe: IO[bytes]) -> None:
    """Takes over what the process logs."""
    rest = b""
    async with trio.lowlevel.FdStream(os.dup(pipe.fileno())) as stream:
        async for data in stream:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                level, _, text = line[:LOG_LINE_BYTES].decode(errors="replace").partition(" ")
                _log.log(_LEVELS.get(level, logging.INFO), "signing process: %s", text)
            rest = rest[-LOG_LINE_BYTES:]


def _down(what: str) -> StorageError:
    return StorageError(
        f"no signature from the signing process: {what}",
        code="signer_down",
        hint="The node starts it again by itself; see its log for why it ended.",
    )
