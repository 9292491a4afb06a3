"""Faults of a run that are planned before it: who is killed in which slot, and when it is back.

Pure but for `carry_out`, which waits for the slots. A plan that cannot be carried out is refused
before anything starts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, assert_never

import trio

from sdk.errors import UsageError

MOST_SLOT: Final = 100_000
"""No run is that long; digits are bounded before they become a number."""


class Act(StrEnum):
    """What is done."""

    KILL = "kill"
    RESTART = "restart"
    STOP_BEACON = "stop beacon"
    START_BEACON = "start beacon"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One planned act, at the beginning of a slot.

    Attributes:
        number: of the operator, or of the beacon node, from 1 on.
    """

    slot: int
    act: Act
    number: int


class Verbs(Protocol):
    """What can be done to a network; each returns what it did, for people."""

    async def kill_operator(self, number: int) -> str:
        """End an operator's node as a crash would."""

    async def start_operator(self, number: int) -> str:
        """Start it again."""

    async def stop_beacon(self, number: int) -> str:
        """End a beacon node as a crash would."""

    async def start_beacon(self, number: int) -> str:
        """Start it again; returns when it serves and has a peer."""


def plan_faults(
    *,
    kill: Sequence[str] = (),
    restart: Sequence[str] = (),
    stop_beacon: Sequence[str] = (),
    operators: int,
    beacons: int,
    slots: int,
) -> tuple[Fault, ...]:
    """The acts in their order.

    Args:
        kill: operators with slots, `4@16`.
        restart: likewise; each was killed before.
        stop_beacon: beacon nodes with their first and last slot without them, `1@40-49`.
        operators: how many there are.
        beacons: how many there are.
        slots: that the run has.

    Raises:
        UsageError: `fault_malformed`, or `fault_impossible` in this order or network.
    """
    faults: list[Fault] = []
    for act, texts in ((Act.KILL, kill), (Act.RESTART, restart)):
        for text in texts:
            number, slot = _numbers(text, "@", form="OPERATOR@SLOT, such as 4@16")
            faults.append(Fault(slot, act, number))
    for text in stop_beacon:
        number, first, last = _numbers(text, "@-", form="NODE@FIRST-LAST, such as 1@40-49")
        if last < first:
            raise UsageError(f"{text!r} ends before it begins", code="fault_malformed")
        faults.append(Fault(first, Act.STOP_BEACON, number))
        faults.append(Fault(last + 1, Act.START_BEACON, number))
    faults.sort()
    _refuse_impossible(faults, operators=operators, beacons=beacons, slots=slots)
    return tuple(faults)


async def carry_out(
    faults: Sequence[Fault],
    verbs: Verbs,
    *,
    until_slot: Callable[[float], Awaitable[None]],
    say: Callable[[str], None],
) -> None:
    """Each act in its slot; returns after the last one.

    Raises:
        PhalanxError: a part does not start again.
    """

    async def act(fault: Fault) -> None:
        say(f"slot {fault.slot}: {await _perform(fault, verbs)}")

    async with trio.open_nursery() as nursery:
        for fault in faults:
            await until_slot(fault.slot)
            # A beacon node takes seconds to come back; what follows does not wait for it.
            nursery.start_soon(act, fault)


async def _perform(fault: Fault, verbs: Verbs) -> str:
    match fault.act:
        case Act.KILL:
            return await verbs.kill_operator(fault.number)
        case Act.RESTART:
            return await verbs.start_operator(fault.number)
        case Act.STOP_BEACON:
            return await verbs.stop_beacon(fault.number)
        case Act.START_BEACON:
            return await verbs.start_beacon(fault.number)
        case _:
            assert_never(fault.act)


def _numbers(text: str, separators: str, *, form: str) -> list[int]:
    parts, rest = [], text
    for separator in separators:
        part, _, rest = rest.partition(separator)
        parts.append(part)
    parts.append(rest)
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"{text!r} is not {form}", code="fault_malformed")
    if any(len(part) > len(str(MOST_SLOT)) for part in parts):
        raise UsageError(f"{text!r} has a number above {MOST_SLOT}", code="fault_malformed")
    return list(map(int, parts))


def _refuse_impossible(
    faults: Sequence[Fault], *, operators: int, beacons: int, slots: int
) -> None:
    down: set[tuple[bool, int]] = set()
    for fault in faults:
        is_operator = fault.act in (Act.KILL, Act.RESTART)
        who = f"operator {fault.number}" if is_operator else f"beacon node {fault.number}"
        part = is_operator, fault.number
        if not 1 <= fault.number <= (operators if is_operator else beacons):
            raise _impossible(f"there is no {who}")
        if fault.slot >= slots and fault.act is not Act.START_BEACON:
            raise _impossible(f"slot {fault.slot} of {who} is beyond the run's {slots} slots")
        if fault.act in (Act.KILL, Act.STOP_BEACON):
            if part in down:
                raise _impossible(f"{who} is down already at slot {fault.slot}")
            down.add(part)
        elif part not in down:
            raise _impossible(f"{who} is not down before slot {fault.slot}")
        else:
            down.remove(part)
        if sum(not each[0] for each in down) == beacons:
            raise _impossible(f"no beacon node would be left at slot {fault.slot}")


def _impossible(why: str) -> UsageError:
    return UsageError(why, code="fault_impossible", hint="Nothing was started.")
