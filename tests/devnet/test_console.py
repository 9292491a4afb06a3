"""The console on a real pseudo-terminal: keys act, it draws, and the terminal is given back."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import trio

from deploy.devnet.console import Console, own_terminal
from deploy.devnet.view import KEYS, View
from sdk.errors import UsageError
from tests.devnet.test_view import VIEW

DEADLINE_S = 20.0
ROWS, COLUMNS = 40, 100


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of one: ours, and the program's."""
    ours, programs = pty.openpty()
    try:
        fcntl.ioctl(programs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        yield ours, programs
    finally:
        os.close(ours)
        os.close(programs)


@dataclass
class FakeVerbs:
    """Verbs that write down what they were asked."""

    done: list[str] = field(default_factory=list)

    def _do(self, text: str) -> str:
        self.done.append(text)
        return f"did {text}"

    async def kill_operator(self, number: int) -> str:
        return self._do(f"kill {number}")

    async def start_operator(self, number: int) -> str:
        return self._do(f"start {number}")

    async def turn_beacon(self, number: int) -> str:
        return self._do(f"turn {number}")

    async def add_validator(self) -> str:
        self.done.append("add")
        raise UsageError("no spare validator is left")

    async def exit_validator(self) -> str:
        return self._do("exit")

    async def reorganise(self) -> str:
        return self._do("reorganise")


class FakeLookout:
    async def look(self) -> View:
        await trio.lowlevel.checkpoint()
        return VIEW


class Reader:
    """What the program writes, read as it comes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.said = ""

    async def until(self, is_there: Callable[[str], bool]) -> None:
        while not is_there(self.said):
            await trio.lowlevel.wait_readable(self._descriptor)
            self.said += os.read(self._descriptor, 65_536).decode()


def live(keys: list[tuple[str, Callable[[str], bool]]], verbs: FakeVerbs) -> str:
    """All that was written while these keys were pressed, each after what it waits for."""

    async def main() -> str:
        with trio.fail_after(DEADLINE_S), terminal() as (ours, programs):
            before = termios.tcgetattr(programs)
            reader = Reader(ours)
            console = Console(FakeLookout(), verbs, operators=4, beacons=2, terminal=programs)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(console.run)
                for key, wanted in keys:
                    await reader.until(wanted)
                    os.write(ours, key.encode())
            await reader.until(lambda said: said.endswith("\033[?1049l"))
            assert termios.tcgetattr(programs) == before
            return reader.said

    return trio.run(main)


def says(text: str) -> Callable[[str], bool]:
    return lambda said: text in said


def test_every_key_acts_and_says_what_it_did() -> None:
    verbs = FakeVerbs()
    said = live(
        [
            ("k", says(KEYS)),
            ("3", says("> kill the node of operator: ")),
            ("r3", says("did kill 3")),
            ("b1", says("did start 3")),
            ("a", says("did turn 1")),
            ("x", says("no spare validator is left")),
            ("o", says("did exit")),
            ("\x1b[A", says("did reorganise")),  # an arrow, which is no key of ours
            ("q", says("did reorganise")),
        ],
        verbs,
    )
    assert verbs.done == ["kill 3", "start 3", "turn 1", "add", "exit", "reorganise"]
    assert said.startswith("\033[?1049h")


def test_terminal_is_given_back_when_the_network_fails() -> None:
    class Failing(FakeLookout):
        async def look(self) -> View:
            raise UsageError("a part ended")

    async def main() -> None:
        with terminal() as (_, programs):
            before = termios.tcgetattr(programs)
            console = Console(Failing(), FakeVerbs(), operators=4, beacons=2, terminal=programs)
            with pytest.raises(ExceptionGroup):
                await console.run()
            assert termios.tcgetattr(programs) == before

    trio.run(main)


def test_end_of_the_terminal_is_the_end_of_the_console() -> None:
    async def main() -> None:
        ours, programs = pty.openpty()
        fcntl.ioctl(programs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        console = Console(FakeLookout(), FakeVerbs(), operators=4, beacons=2, terminal=programs)
        with trio.fail_after(DEADLINE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(console.run)
                await Reader(ours).until(says(KEYS))
                os.close(ours)
        os.close(programs)

    trio.run(main)


def test_without_a_terminal_there_is_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nowhere:
        monkeypatch.setattr("sys.stdin", nowhere)
        assert own_terminal({"TERM": "xterm"}) is None


@pytest.mark.parametrize(("name", "is_one"), [("xterm", True), ("dumb", False), (None, False)])
def test_terminal_that_cannot_be_drawn_on_has_no_console(
    monkeypatch: pytest.MonkeyPatch, name: str | None, is_one: bool
) -> None:
    with terminal() as (_, programs), os.fdopen(os.dup(programs)) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr("sys.stdout", stream)
        found = own_terminal({} if name is None else {"TERM": name})
        assert (found is not None) is is_one
