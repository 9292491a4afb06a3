"""Follows the registry from its first log to the chain's head, and acts at every new block there.

Shell around `Book`. It keeps nothing on disk: at every start the logs are read again. A node that
fails is asked again, later each time; what was read stays valid meanwhile.

Source: docs/liquidator.md, "How it follows".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeAlias, assert_never

import trio

from sdk.chain import CaughtUp, Extend, Follower, LogReader, Rollback, Rpc, Step, TooDeep
from sdk.errors import ChainError, NetworkError
from sdk.keeper.book import TIMED, Book, entries
from sdk.registry import Change, NonceClaim, SignatureVerdict
from sdk.types import Address, BlockNumber

POLL_S: Final = 1.0
"""Between questions for a new block: of the 12 seconds of a slot, a liquidator wants most."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""After failures in a row; a node that comes back is noticed within a minute."""
PROGRESS_STEPS: Final = 10
"""Times that progress is told while the history is read."""

Judge: TypeAlias = Callable[[Sequence[NonceClaim | None]], Sequence[SignatureVerdict]]
"""Verdicts on signatures, one per claim; called in a worker thread."""


class Voice(Protocol):
    """Who tells the user."""

    def step(self, text: str, **facts: object) -> None:
        """What is done now."""

    def note(self, text: str, **facts: object) -> None:
        """What the user should know."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The registry at a new block.

    Attributes:
        book: as of that block; nobody changes it before the turn is over.
        changes: since the turn before, empty if `is_fresh`.
        is_fresh: whatever was concluded from earlier turns is to be concluded again.
        undone_to: blocks above this one were taken back since the turn before.
    """

    book: Book
    block: BlockNumber
    changes: tuple[Change, ...] = ()
    is_fresh: bool = False
    undone_to: BlockNumber | None = None


Act: TypeAlias = Callable[[Turn], Awaitable[bool]]
"""What is done at a new block; true ends the following."""


def unchecked(claims: Sequence[NonceClaim | None]) -> list[SignatureVerdict]:
    """Takes every signature for good: for those who only follow the money."""
    return [SignatureVerdict.UNCHECKED] * len(claims)


async def follow(
    rpc: Rpc,
    *,
    registry: Address,
    first_block: BlockNumber,
    act: Act,
    voice: Voice,
    judge: Judge = unchecked,
    poll_s: float = POLL_S,
    is_once: bool = False,
) -> None:
    """Until `act` says that it is enough, or cancelled.

    Args:
        rpc: of the chain.
        registry: contract to follow.
        first_block: no log of it is older.
        act: called at the head only, never for history.
        voice: told of progress and trouble.
        judge: of signatures of registrations.
        poll_s: between looks at the chain.
        is_once: a node that fails ends it at once.

    Raises:
        ConfigError: `wrong_chain`.
        ChainError: `not_deployed`, with `is_once`: the chain is not as long as `first_block`.
        NetworkError: with `is_once`.
    """
    path = _Path(voice, judge, first_block)
    reader = LogReader(
        rpc,
        Follower(first_block, distance=0),
        address=registry,
        timed=TIMED,
        pause=partial(trio.sleep, poll_s),
    )
    failures = 0
    while True:
        try:
            step = await anext(reader)
        except NetworkError as failure:
            if is_once:
                raise
            voice.note(f"{failure}", code=failure.code)
            await trio.sleep(min(FIRST_PAUSE_S * 2**failures, LONGEST_PAUSE_S))
            failures = min(failures + 1, 16)
            continue
        failures = 0
        if isinstance(step, CaughtUp):
            if is_once and path.book.tip is None:
                raise _not_deployed(step.head, first_block)
            continue
        turn = await trio.to_thread.run_sync(path.take, step)
        if turn is not None and await act(turn):
            return


class _Path:
    """Steps made into turns."""

    def __init__(self, voice: Voice, judge: Judge, first_block: BlockNumber) -> None:
        self.book = Book()
        self._voice = voice
        self._judge = judge
        self._first = first_block
        self._changes: list[Change] = []
        self._is_fresh = True
        self._undone_to: BlockNumber | None = None
        self._logs = 0
        self._told = 0

    def take(self, step: Step) -> Turn | None:
        """Apply the step; a turn if it ends at the head."""
        match step:
            case Extend():
                return self._extend(step)
            case Rollback(to=to):
                self.book.roll_back(to)
                self._undo(to.number)
                self._voice.note(
                    f"the chain was reorganised above block {to.number}", block=to.number
                )
            case TooDeep(oldest=oldest):
                self.book = Book()
                self._undo(BlockNumber(self._first - 1))
                self._told = 0
                self._voice.note(
                    f"the chain differs below block {oldest.number}: it is read from its beginning",
                    block=oldest.number,
                )
            case _:
                assert_never(step)
        return None

    def _extend(self, step: Extend) -> Turn | None:
        found = entries(step.logs)
        changes = self.book.extend(step, found, self._judge(self.book.claims(found)))
        self._logs += len(found)
        if not self._is_fresh:
            self._changes += changes
        block = step.tip.number
        if block < step.target:
            self._progress(block, step.target)
            return None
        turn = Turn(self.book, block, tuple(self._changes), self._is_fresh, self._undone_to)
        if self._is_fresh and self._undone_to is None:
            self._voice.step(
                f"read the registry up to block {block}: {self._logs} logs, "
                f"{len(self.book.state.clusters)} clusters, "
                f"{len(self.book.state.validators)} validators",
                block=block,
                logs=self._logs,
                clusters=len(self.book.state.clusters),
                validators=len(self.book.state.validators),
            )
        self._changes, self._is_fresh, self._undone_to = [], False, None
        return turn

    def _undo(self, to: BlockNumber) -> None:
        self._changes, self._is_fresh = [], True
        self._undone_to = to if self._undone_to is None else min(to, self._undone_to)

    def _progress(self, block: BlockNumber, target: BlockNumber) -> None:
        tenth = PROGRESS_STEPS * (block - self._first) // max(1, target - self._first)
        if tenth > self._told:
            self._told = tenth
            percent = 100 * tenth // PROGRESS_STEPS
            self._voice.step(
                f"reading the registry's logs: {percent} %, block {block} of {target}, "
                f"{self._logs} logs",
                block=block,
                target=target,
                logs=self._logs,
            )


def _not_deployed(head: BlockNumber, first: BlockNumber) -> ChainError:
    return ChainError(
        f"the chain ends at block {head}, before the registry's first block {first}",
        code="not_deployed",
        hint="Check --start-block, and that the node is synchronised.",
        data={"head": head, "first_block": first},
    )
