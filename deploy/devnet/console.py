"""The terminal of a local network: its view once a second, and keys that act on it.

Takes the terminal over while it runs, and gives it back as it was, whatever ends it.
"""

from __future__ import annotations

import os
import re
import sys
import termios
import tty
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final, Protocol, assert_never

import trio

from deploy.devnet.presses import Act, Command, Presses
from deploy.devnet.view import View, lines_of
from sdk.errors import PhalanxError

POLL_S: Final = 1.0
MESSAGES: Final = 8
"""Kept of what was done; fewer are shown."""
READ_BYTES: Final = 64
_SEQUENCE: Final = re.compile(r"\x1b(?:[\[O][0-9;]*.?)?")
"""Arrows and the like, whose last character is no key of ours."""
_INPUT_FLAGS: Final = 0
"""Where they are in a terminal's attributes."""
_ENTER: Final = "\033[?1049h\033[?25l"
"""The other screen, without a cursor."""
_LEAVE: Final = "\033[?25h\033[?1049l"
_HOME: Final = "\033[H"
_TO_END_OF_LINE: Final = "\033[K"
_TO_END_OF_SCREEN: Final = "\033[J"


class Verbs(Protocol):
    """What the keys do; each returns what it did."""

    async def kill_operator(self, number: int) -> str:
        """`k`."""

    async def start_operator(self, number: int) -> str:
        """`r`."""

    async def turn_beacon(self, number: int) -> str:
        """`b`."""

    async def add_validator(self) -> str:
        """`a`."""

    async def exit_validator(self) -> str:
        """`x`."""

    async def reorganise(self) -> str:
        """`o`."""


class Lookout(Protocol):
    """Who sees the network."""

    async def look(self) -> View:
        """As it is now; messages and question are the console's."""


class Console:
    """One terminal.

    Args:
        lookout: who sees what is shown.
        verbs: what the keys do.
        operators: how many there are.
        beacons: how many there are.
        terminal: descriptor that is read and written.
    """

    def __init__(
        self, lookout: Lookout, verbs: Verbs, *, operators: int, beacons: int, terminal: int
    ) -> None:
        self._lookout = lookout
        self._verbs = verbs
        self._presses = Presses(operators, beacons)
        self._terminal = terminal
        self._messages: deque[str] = deque(maxlen=MESSAGES)
        self._view: View | None = None
        self._scope = trio.CancelScope()

    def say(self, text: str) -> None:
        """Something that was done."""
        self._messages.append(text)
        self._draw()

    async def run(self) -> None:
        """Returns at `q`, or when the terminal is gone; cancel it to end it otherwise."""
        with _own_terminal(self._terminal), self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                await self._obey(nursery)

    async def _watch(self) -> None:
        while True:
            self._view = await self._lookout.look()
            self._draw()
            await trio.sleep(POLL_S)

    async def _obey(self, nursery: trio.Nursery) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._terminal)
            typed = _read(self._terminal)
            if not typed:
                self._scope.cancel()
                return
            for key in _SEQUENCE.sub("", typed):
                self._presses, command = self._presses.press(key)
                if command is not None and command.act is Act.QUIT:
                    self._scope.cancel()
                elif command is not None:
                    nursery.start_soon(self._carry_out, command)
            self._draw()

    async def _carry_out(self, command: Command) -> None:
        try:
            self.say(await self._perform(command))
        except PhalanxError as problem:
            self.say(str(problem))

    async def _perform(self, command: Command) -> str:
        verbs, number = self._verbs, command.number
        match command.act:
            case Act.KILL:
                return await verbs.kill_operator(number)
            case Act.RESTART:
                return await verbs.start_operator(number)
            case Act.BEACON:
                return await verbs.turn_beacon(number)
            case Act.ADD:
                self.say("registering a validator; its transaction waits for a block")
                return await verbs.add_validator()
            case Act.EXIT:
                return await verbs.exit_validator()
            case Act.REORGANISE:
                return await verbs.reorganise()
            case Act.QUIT:
                return "the end"
            case _:
                assert_never(command.act)

    def _draw(self) -> None:
        if self._view is None:
            return
        view = replace(self._view, messages=tuple(self._messages), question=self._presses.question)
        try:
            size = os.get_terminal_size(self._terminal)
            # A line as wide as the terminal would begin the next one.
            lines = lines_of(view, width=size.columns - 1, height=size.lines - 1)
            text = "".join(f"{line}{_TO_END_OF_LINE}\r\n" for line in lines)
            _write(self._terminal, f"{_HOME}{text}{_TO_END_OF_SCREEN}")
        except OSError:  # the terminal is gone
            self._scope.cancel()


def own_terminal(environment: Mapping[str, str] = os.environ) -> int | None:
    """The descriptor of the terminal that this process reads and writes, None if there is none."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal or environment.get("TERM", "dumb") == "dumb":
        return None
    return sys.stdin.fileno()


@contextmanager
def _own_terminal(terminal: int) -> Iterator[None]:
    """Keys come at once and unseen, and Ctrl-C stays what it is; all as before afterwards."""
    before = termios.tcgetattr(terminal)
    _write(terminal, _ENTER)
    try:
        tty.setcbreak(terminal)
        attributes = termios.tcgetattr(terminal)
        # Ctrl-S would stop our writing, and with it all that this process does for the network.
        attributes[_INPUT_FLAGS] &= ~termios.IXON
        termios.tcsetattr(terminal, termios.TCSADRAIN, attributes)
        yield
    finally:
        with suppress(OSError, termios.error):  # it may be gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
            _write(terminal, _LEAVE)


def _read(terminal: int) -> str:
    """What was typed, empty if the terminal is gone."""
    try:
        return os.read(terminal, READ_BYTES).decode(errors="ignore")
    except OSError:
        return ""


def _write(terminal: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(terminal, data) :]
