"""The one view of a local network that lives: what was seen, as the lines of a terminal.

Pure. The lines fit into the terminal; where there are too few, the validators' part gives way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.devnet.duty_rows import NAMES, Row
from deploy.devnet.inclusion import SLOTS_PER_EPOCH

MARKS: Final = {"done": "+", "partly": "~", "running": ".", "missed": "x"}
SHOWN_DUTIES: Final = 8
"""Marks for one validator: an epoch has one vote of each, and a few other duties."""
SHOWN_TROUBLES: Final = 4
SHOWN_MESSAGES: Final = 3
BLOCKS_PER_DAY: Final = 7_200
"""Of twelve seconds, as fees are reckoned."""
KEYS: Final = "k kill  r restart  b beacon node  a add  x exit  o reorg  q quit"


@dataclass(frozen=True, slots=True)
class OperatorSeen:
    """An operator's node.

    Attributes:
        state: as it says itself, `down` or `silent`.
        validators: that it has shares of; None if it does not say.
        trouble: the first part of it that is not good.
    """

    number: int
    state: str
    validators: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class BeaconSeen:
    """A beacon node; `head` is None if it does not answer."""

    number: int
    state: str
    head: int | None = None


@dataclass(frozen=True, slots=True)
class ValidatorSeen:
    """A validator of the operators.

    Attributes:
        is_exiting: its exit was asked for.
        duties: the last ones, oldest first, as outcomes.
    """

    index: int
    is_exiting: bool = False
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is shown.

    Attributes:
        slot: by the clock.
        last_slot: of the run, None if it has no end.
        seconds_to_genesis: 0 from then on.
        head: slot of the newest block, None before the first answer.
        finalized: epoch, likewise.
        runway_blocks: until the validators' cluster can be liquidated; None if nobody says.
        spare: validators that can be added.
        troubles: duties that were not done, newest first.
        addresses: names and addresses.
        messages: what was done, newest last.
        question: that the next key answers, if any.
    """

    slot: int
    last_slot: int | None
    seconds_to_genesis: float
    head: int | None
    finalized: int | None
    operators: tuple[OperatorSeen, ...]
    beacons: tuple[BeaconSeen, ...]
    validators: tuple[ValidatorSeen, ...]
    runway_blocks: int | None = None
    spare: tuple[int, ...] = ()
    troubles: tuple[Row, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    messages: tuple[str, ...] = ()
    question: str = ""


def lines_of(view: View, *, width: int, height: int) -> list[str]:
    """The lines, at most `height`, none longer than `width`."""
    above = [*_head(view), "", *_operators(view), "", *_beacons(view), ""]
    below = [
        "",
        *_addresses(view),
        "",
        *view.messages[-SHOWN_MESSAGES:],
        KEYS,
        f"> {view.question}",
    ]
    troubles = _troubles(view)
    room = height - len(above) - len(below) - len(troubles)
    validators = _validators(view, width=width)
    every = [*above, *validators[: max(0, room)], *troubles, *below]
    # Keys and messages stay whatever the height.
    if len(every) > height:
        every = [*every[: max(0, height - 2)], *below[-2:]][:height]
    return [line[:width] for line in every]


def _head(view: View) -> Iterator[str]:
    if view.seconds_to_genesis > 0:
        yield f"genesis in {view.seconds_to_genesis:.0f} s"
    else:
        of = "" if view.last_slot is None else f" of {view.last_slot}"
        yield f"slot {view.slot}{of}, epoch {view.slot // SLOTS_PER_EPOCH}"
    head = "no beacon node answers yet" if view.head is None else f"head slot {view.head}"
    finalized = "" if view.finalized is None else f", finalized epoch {view.finalized}"
    yield f"{head}{finalized}{_runway(view)}"


def _runway(view: View) -> str:
    if view.runway_blocks is None:
        return ""
    days = view.runway_blocks / BLOCKS_PER_DAY
    return f", runway {view.runway_blocks:,} blocks ({days:.1f} days)"


def _operators(view: View) -> Iterator[str]:
    yield "operator  state             validators  trouble"
    for each in view.operators:
        held = "" if each.validators is None else str(each.validators)
        yield f"{each.number:>8}  {each.state:<16}  {held:>10}  {each.trouble}".rstrip()


def _beacons(view: View) -> Iterator[str]:
    yield "beacon    state                   head"
    for each in view.beacons:
        head = "" if each.head is None else str(each.head)
        yield f"{each.number:>6}    {each.state:<16}  {head:>10}".rstrip()


def _validators(view: View, *, width: int) -> list[str]:
    legend = ", ".join(f"{mark} {name}" for name, mark in MARKS.items())
    title = f"validators, last duties, newest right ({legend})"
    cells = [_cell(each) for each in view.validators]
    cell = max(map(len, cells), default=1) + 2
    each_line = max(1, width // cell)
    lines = [
        "".join(text.ljust(cell) for text in cells[at : at + each_line]).rstrip()
        for at in range(0, len(cells), each_line)
    ]
    spare = [f"spare: {', '.join(map(str, view.spare))}"] if view.spare else []
    return [title, *lines, *spare]


def _cell(each: ValidatorSeen) -> str:
    marks = "".join(MARKS.get(outcome, "?") for outcome in each.duties[-SHOWN_DUTIES:])
    return f"{each.index:>4}{'!' if each.is_exiting else ' '}{marks:>{SHOWN_DUTIES}}"


def _troubles(view: View) -> list[str]:
    if not view.troubles:
        return []
    return ["", "not done by all", *map(_trouble, view.troubles[:SHOWN_TROUBLES])]


def _trouble(row: Row) -> str:
    who = ", ".join(map(str, row.validators))
    role = NAMES.get(row.role, row.role)
    by = f"done by {row.done_by} of {row.operators}"
    return f"  slot {row.slot} {role} {row.outcome}, {by}: {row.reason}; validators {who}"


def _addresses(view: View) -> Iterator[str]:
    wide = max((len(name) for name, _ in view.addresses), default=0)
    for name, address in view.addresses:
        yield f"{name:<{wide}}  {address}"
