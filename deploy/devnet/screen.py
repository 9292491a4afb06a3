"""What the local network shows while it runs: lines, and on a terminal one more that is rewritten.

Without a terminal there are plain lines only. Colours are for terminals, and never with NO_COLOR
(no-color.org). Long hexadecimal numbers are cut: a screen is no place for what might be a key.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from typing import Final, TextIO

WIDTH: Final = 80
SHOWN_DIGITS: Final = 8
_LONG_HEX: Final = re.compile(rf"\b(0x)?([0-9a-fA-F]{{{SHOWN_DIGITS}}})[0-9a-fA-F]{{40,}}\b")
_CLEAR: Final = "\r\033[K"
_PLAIN: Final = "\033[0m"
COLOURS: Final = {
    "done": "\033[32m",
    "partly": "\033[33m",
    "running": "\033[33m",
    "missed": "\033[31m",
}
"""By outcome: green, yellow, red."""


class Screen:
    """Where lines go.

    Args:
        out: the stream.
        is_terminal: it can rewrite its last line.
        is_coloured: it shows colours.
        width: columns that the rewritten line may take.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        is_terminal: bool = False,
        is_coloured: bool = False,
        width: int = WIDTH,
    ) -> None:
        self.is_terminal = is_terminal
        self._out = out
        self._is_coloured = is_coloured
        self._width = width
        self._status = ""

    def line(self, text: str) -> None:
        """One line, or several."""
        self._write(f"{without_long_hex(text)}\n")

    def outcome(self, before: str, outcome: str, after: str) -> None:
        """One line with an outcome in its colour."""
        colour = COLOURS.get(outcome.strip(), "") if self._is_coloured else ""
        self._write(f"{before}{colour}{outcome}{_PLAIN if colour else ''}{after}\n")

    def status(self, text: str) -> None:
        """The line below all others, in place of the last one; nothing without a terminal."""
        if self.is_terminal:
            self._status = text[: self._width - 1]
            self._write("")

    def close(self) -> None:
        """Takes the rewritten line away."""
        self.status("")

    def _write(self, text: str) -> None:
        clear = _CLEAR if self.is_terminal else ""
        self._out.write(f"{clear}{text}{self._status}")
        self._out.flush()


def own_screen(environment: Mapping[str, str] = os.environ) -> Screen:
    """That of this process's standard output."""
    is_terminal = sys.stdout.isatty() and environment.get("TERM") != "dumb"
    return Screen(
        sys.stdout,
        is_terminal=is_terminal,
        is_coloured=is_terminal and not environment.get("NO_COLOR"),
        width=shutil.get_terminal_size((WIDTH, 1)).columns,
    )


def without_long_hex(text: str) -> str:
    """The text with hashes and keys cut to their first digits; addresses stay."""
    return _LONG_HEX.sub(r"\1\2…", text)
