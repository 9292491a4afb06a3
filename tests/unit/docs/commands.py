"""Finds the commands in the documentation: blocks for a terminal, and calls of `phalanx`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = tuple(
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
        if path.name != "CHANGELOG.md"
    )
)
"""What changed once need not be true any more."""
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
FOR_A_TERMINAL = re.compile(
    r"^\s*(?:make|phalanx|docker|source|export|cd|umask|apt-get|curl|python3?|key=|deploy/toolchain/run)"
    r"(?: |$|\$)",
    re.M,
)
"""How a line begins that somebody is to type."""
INLINE = re.compile(r"`(phalanx [^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """Text between fences; named by its page and its first line, which a page has only once."""

    page: str
    label: str
    text: str

    @property
    def first(self) -> str:
        """The first line."""
        return self.text.strip().splitlines()[0].strip()


def blocks(page: str) -> list[Block]:
    """Those for a terminal: marked as shell, or unmarked with a command in them."""
    found = [Block(page, *each) for each in FENCE.findall((ROOT / page).read_text())]
    return [
        block
        for block in found
        if block.label == "sh" or (not block.label and FOR_A_TERMINAL.search(block.text))
    ]


def calls(page: str) -> Iterator[list[str]]:
    """Words after `phalanx`, of every call in a block or in the text."""
    for block in blocks(page):
        yield from calls_in(block.text)
    for text in INLINE.findall(FENCE.sub("", (ROOT / page).read_text())):
        yield from calls_in(text)


def calls_in(text: str) -> Iterator[list[str]]:
    """Calls in the text of a shell, whatever is around them."""
    text = re.sub(r"<<'?(\w+)'?.*?^\1$", "", text, flags=re.M | re.S)
    for line in re.sub(r"\\\n", " ", text).splitlines():
        words = shlex.shlex(line.replace("…", " … "), posix=True, punctuation_chars=True)
        words.whitespace_split = True
        call: list[str] | None = None
        before = ""
        for word in words:
            if set(word) <= set("();<>|&"):
                if call is not None:
                    yield call
                call = None
            elif call is not None:
                call.append(word)
            # After an option it is the name of a user or a group.
            elif word.rsplit("/", 1)[-1] == "phalanx" and not re.match(r"--?\w", before):
                call = []
            before = word
        if call is not None:
            yield call
