"""The lease of one instance, kept in a task: taken, renewed, lost, given back.

It says until when signatures may be recorded and leave (`Permit`); with the record it agrees on the
fencing number before the first one. It never signs, and never waits for a disk on the event loop.
A shared disk that hangs ends the lease like one that is gone.

Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

import trio

from operator_node.clock import boot_ms, wall_ms
from operator_node.lease.permit import Clocks, Moment, Permit
from operator_node.lease.shared_file import SharedFile
from operator_node.lease.terms import HELD_MS, RENEW_MS, Entry, Taken, Tenancy, write_entry
from operator_node.signer.standing import Standing
from sdk.errors import InvariantBroken, PhalanxError, StorageError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

LOOK_MS: Final = 500
"""Between looks of one that waits: so much later than it could it takes over at most."""
TELL_MS: Final = 250
"""Between looks whether the lease ended by itself. Signatures look for themselves."""
RELEASE_S: Final = 3.0
"""A shared disk that hangs must not keep the node from ending."""
JUMP_MS: Final = 60_000
"""A wall clock that went ahead by more at once may be wrong: whoever takes over arms up to there.
Less costs little more than taking over does."""
DOUBT_MS: Final = 60_000
"""From such a jump on, until the clock is believed unless beacon nodes contradict: they tell the
time once per slot, and two of their answers have to agree."""
_HOLDER_BYTES: Final = 16

_log = logging.getLogger(__name__)


class LeaseRecord(Protocol):
    """What the lease needs of the slashing record; called in worker threads.

    Raises:
        StorageError: the record could not be read or written.
    """

    def standing(self) -> Standing:
        """What it is complete up to, nothing being written meanwhile."""
        ...

    def take_term(self, taken: Taken, /) -> None:
        """Stores the fencing number, and arms every share if others may have signed."""
        ...

    def permit(self, permit: Permit | None, /) -> None:
        """Signatures may be recorded until the permit ends; without one none may."""
        ...


def machine_clocks() -> Moment:
    """Now, by the clocks of this machine; from any thread."""
    return Moment(boot_ms(), wall_ms())


class Lease:
    """This instance's part in the lease.

    Attributes:
        problem: why the file could not be used the last time; empty if it could.
        taken: how many terms this process has begun.
    """

    def __init__(
        self,
        file: SharedFile,
        *,
        owner: str,
        record: LeaseRecord,
        is_resumed: bool = False,
        on_change: Callable[[str], None],
        is_clock_off: Callable[[], bool] = lambda: False,
        clocks: Clocks = machine_clocks,
    ) -> None:
        """Does not have the lease.

        Args:
            file: shared by all instances.
            owner: of the operator on its network, 64 hex digits.
            record: this instance's.
            is_resumed: see `Tenancy`.
            on_change: called with why nothing may be signed, and with nothing when it may.
            is_clock_off: whether the wall clock is known to be wrong; asked on the event loop.
            clocks: other ones only in tests.
        """
        self.problem = ""
        self.taken = 0
        self._file = file
        self._record = record
        self._on_change = on_change
        self._is_clock_off = is_clock_off
        self._clocks = clocks
        self._looked: Moment | None = None
        self._doubt_ends_ms = 0
        """Since boot; from a jump of the wall clock on."""
        self._tenancy = Tenancy(
            owner=owner, holder=secrets.token_hex(_HOLDER_BYTES), is_resumed=is_resumed
        )
        self._turning = Lock()
        self._is_closed = False
        self._permit: Permit | None = None
        self._begun: Taken | None = None
        """A term that is in the file, and not in the record yet."""
        self._told: str | None = None

    def is_held(self) -> bool:
        """Whether signatures may leave now; from any thread."""
        permit = self._permit
        return permit is not None and not permit.is_over(self._clocks())

    @property
    def term(self) -> int | None:
        """The fencing number, None while it is not held."""
        permit = self._permit
        return permit.term if permit is not None and self.is_held() else None

    def why_not(self) -> str:
        """Why nothing may be signed; empty if it may."""
        if self.is_held():
            return ""
        if self.problem:
            return f"this instance has no lease: {self.problem}"
        if self._tenancy.term is not None:
            return "this instance's lease ended before it could be renewed"
        last = self._tenancy.last
        if last is None:
            return "this instance waits whether another one has the lease"
        return f"another instance has the lease (term {last.term}); this one waits for it"

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keeps the lease, or waits for it, until it is cancelled; gives it back then."""
        try:
            async with trio.open_nursery() as nursery:
                self._tell()
                nursery.start_soon(self._keep_telling)
                task_status.started()
                while True:
                    await self._take_turn()
                    self._tell()
                    await trio.sleep((RENEW_MS if self.is_held() else LOOK_MS) / 1000)
        finally:
            self._is_closed = True
            self._permit = None  # from here on nothing leaves
            with trio.CancelScope(shield=True), trio.move_on_after(RELEASE_S):
                await _in_thread(self.release)

    async def _take_turn(self) -> None:
        """The outer boundary: without a turn the lease ends, and nothing else does."""
        try:
            await _in_thread(partial(self.turn, is_clock_off=self._is_clock_off()))
        except Exception as problem:
            self.problem = f"a fault of this software, {type(problem).__name__}"
            _log.exception("the lease could not be renewed")

    def turn(self, *, is_clock_off: bool = False) -> None:
        """Looks once, and takes or renews the lease if that is possible; waits for the disk.

        Args:
            is_clock_off: the wall clock is known to be wrong, so that it does neither.
        """
        with self._turning:
            try:
                before = self._clocks()
                self._check_clock(before, is_clock_off=is_clock_off)
                self._turn(before)
            except PhalanxError as problem:
                if problem.message != self.problem:
                    _log.error("%s", problem)
                self.problem = problem.message
            else:
                if self.problem:
                    _log.info("the lease works again")
                self.problem = ""

    def _turn(self, before: Moment) -> None:
        standing = self._record.standing()
        if self._begun is None and self._tenancy.term not in (None, standing.term):
            # Another record than the term began with: the one before was set aside meanwhile.
            self._permit = None
            self._tenancy.give_up()
        until = before.later(HELD_MS)
        with self._file.locked() as shared:
            if shared is None or self._is_closed:
                return
            content = shared.read()
            answer = self._tenancy.answer(
                content, standing, now_ms=self._clocks().boot, until_ms=until.wall
            )
            if answer is None:
                self._permit = self._begun = None
                self._record.permit(None)
                return
            if isinstance(answer, Taken):
                self._permit = None
                entry = self._tenancy.first_entry(answer, standing, until_ms=until.wall)
                shared.write(write_entry(entry))
                self._tenancy.begin(answer)
                self._begun = answer
                self._tell_far_end(answer, before)
            else:
                shared.write(write_entry(answer))
        if (begun := self._begun) is not None:
            self._record.take_term(begun)
            self._begun = None
            self.taken += 1
        if self._tenancy.term is None:
            raise InvariantBroken("the lease was renewed and is not held")
        permit = Permit(self._tenancy.term, until)
        self._record.permit(permit)
        self._permit = permit

    def _check_clock(self, now: Moment, *, is_clock_off: bool) -> None:
        """What the wall clock says goes into the entry, and others arm up to there."""
        last, self._looked = self._looked, now
        ahead_ms = 0 if last is None else (now.wall - last.wall) - (now.boot - last.boot)
        if ahead_ms > JUMP_MS:
            self._doubt_ends_ms = now.boot + DOUBT_MS
        elif ahead_ms < -JUMP_MS:
            self._doubt_ends_ms = now.boot  # it was set right, or is not ahead at least
        if is_clock_off or now.boot < self._doubt_ends_ms:
            raise StorageError(
                "this machine's clock differs from its beacon nodes'"
                if is_clock_off
                else "this machine's clock jumped ahead, and may be wrong",
                code="lease_clock",
                hint="Run a time daemon such as chrony; the lease waits until the clock is right.",
            )

    def _tell_far_end(self, taken: Taken, now: Moment) -> None:
        last, until_ms = self._tenancy.last, taken.unknown_until_ms
        if last is None or until_ms is None or until_ms - now.wall <= HELD_MS + JUMP_MS:
            return
        _log.error(
            "the clock of instance %s, which had the lease in term %d, was about %d s ahead of "
            "this one's: nothing before then is signed here, because that one may have",
            last.holder,
            last.term,
            (until_ms - now.wall) // 1000,
        )

    def release(self) -> None:
        """Gives the lease back, if this instance has it; another one need not wait then."""
        with self._turning:
            self._is_closed = True
            self._permit = None
            try:
                self._record.permit(None)
                if self._tenancy.term is not None and self._begun is None:
                    self._write_free(self._record.standing())
            except PhalanxError as problem:
                _log.warning("the lease was not given back, it ends by itself: %s", problem)

    def _write_free(self, standing: Standing) -> None:
        with self._file.locked() as shared:
            if shared is None:
                return
            content, now = shared.read(), self._clocks()
            answer = self._tenancy.answer(content, standing, now_ms=now.boot, until_ms=now.wall)
            if isinstance(answer, Entry) and (last := self._tenancy.last) is not None:
                # A wall clock that jumped ahead since the last renewal says nothing of signatures.
                until_ms = min(now.wall, last.until_ms)
                shared.write(write_entry(replace(answer, until_ms=until_ms, is_free=True)))

    async def _keep_telling(self) -> None:
        while True:
            self._tell()
            await trio.sleep(TELL_MS / 1000)

    def _tell(self) -> None:
        """Says it, if it changed, to whoever must be silent without the lease."""
        why = self.why_not()
        if why == self._told:
            return
        if why:
            _log.warning("nothing is signed: %s", why)
        else:
            _log.info("this instance has the lease, term %s", self.term)
        self._told = why
        self._on_change(why)


async def _in_thread(step: Callable[[], None]) -> None:
    """A step that waits for a disk; who is cancelled does not wait for it."""
    # Trio has it; the stubs that libp2p brings do not.
    await trio.to_thread.run_sync(step, abandon_on_cancel=True)  # type: ignore[call-arg]
