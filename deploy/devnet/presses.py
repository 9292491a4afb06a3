"""Which act a series of key presses asks for.

Pure. A letter chooses the act; acts on one of several parts want its number next, which is taken
as soon as no longer number could be meant, or at Enter. Any other key begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ENTER: Final = ("\r", "\n")
RUBOUT: Final = ("\x7f", "\b")


class Act(StrEnum):
    """What can be asked for; the values are the keys."""

    KILL = "k"
    RESTART = "r"
    BEACON = "b"
    ADD = "a"
    EXIT = "x"
    REORGANISE = "o"
    QUIT = "q"


NUMBERED: Final = {
    Act.KILL: "kill the node of operator",
    Act.RESTART: "restart the node of operator",
    Act.BEACON: "stop or start beacon node",
}
"""Acts on one of several parts, and the question that they lead to."""


@dataclass(frozen=True, slots=True)
class Command:
    """What was asked for; `number` is 0 for acts without one."""

    act: Act
    number: int = 0


@dataclass(frozen=True, slots=True)
class Presses:
    """The keys so far.

    Attributes:
        act: that waits for its number; None if none does.
        digits: of the number.
        operators: the highest number of one.
        beacons: likewise.
    """

    operators: int
    beacons: int
    act: Act | None = None
    digits: str = ""

    @property
    def question(self) -> str:
        """What the next key answers, empty if none is awaited."""
        return "" if self.act is None else f"{NUMBERED[self.act]}: {self.digits}"

    def press(self, key: str) -> tuple[Presses, Command | None]:
        """The keys with one more, and the command if they make one now."""
        if self.act is None:
            return self._begin(key)
        if key in RUBOUT and self.digits:
            return self._with(self.act, self.digits[:-1]), None
        if key in ENTER and self.digits:
            return self._with(None), Command(self.act, int(self.digits))
        if key.isascii() and key.isdigit():
            return self._digit(self.act, key)
        return self._with(None)._begin(key)

    def _begin(self, key: str) -> tuple[Presses, Command | None]:
        act = next((act for act in Act if act == key), None)
        if act is None:
            return self, None
        return (self._with(act), None) if act in NUMBERED else (self, Command(act))

    def _digit(self, act: Act, key: str) -> tuple[Presses, Command | None]:
        number, most = int(self.digits + key), self._most(act)
        if not 1 <= number <= most:
            return self._with(None), None
        if 10 * number > most:
            return self._with(None), Command(act, number)
        return self._with(act, str(number)), None

    def _most(self, act: Act) -> int:
        return self.beacons if act is Act.BEACON else self.operators

    def _with(self, act: Act | None, digits: str = "") -> Presses:
        return Presses(self.operators, self.beacons, act, digits)
