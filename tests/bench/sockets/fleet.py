"""Several nodes, each a process of its own, started, given a plan, and heard when they are done."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import trio

from tests.bench.sockets.children import ports, say, started
from tests.bench.sockets.setting import AGED_SLOTS, Plan, Ready, Setting, Told

START_SECONDS = 90
"""Until all are connected: each takes 3 s of processor time, and others may want it, too."""
MARGIN_SECONDS = 60
ATTEMPTS = 2
"""Nodes do not always find into each other's meshes (docs/adr/0014); what then never began is
begun once more, and said."""
URGENT = "PHALANX_BENCH_URGENT"
"""Set it, as root, where the machine has other work: a time slice is as long as a whole duty."""
MODULE = "tests.bench.sockets.process"


def run(
    *,
    operators: int,
    committees: Sequence[Sequence[int]],
    validators: int,
    slot_s: int,
    idle_slots: int,
    duty_slots: int,
    turns: bool = False,
    aggregates: bool = False,
    watched: bool = False,
) -> tuple[Setting, Plan, list[Told]]:
    """Runs a network; what its nodes tell, by operator.

    Raises:
        RuntimeError: a node failed, or the network did not come together.
    """
    for attempt in range(1, ATTEMPTS + 1):
        setting = Setting(
            operators=operators,
            committees=tuple(map(tuple, committees)),
            validators=validators,
            ports=tuple(islice(ports(), operators)),
            genesis_time=int(time.time()) - AGED_SLOTS * slot_s,
            slot_s=slot_s,
            turns=turns,
            aggregates=aggregates,
            watched=watched,
            urgent=bool(os.environ.get(URGENT)),
        )
        try:
            return (setting, *trio.run(_run, setting, idle_slots, duty_slots))
        except NotConnected as problem:
            say(f"attempt {attempt}: {problem}")
    raise RuntimeError(f"{operators} nodes did not find each other in {ATTEMPTS} attempts")


class NotConnected(Exception):
    """The network did not come together in time."""


async def _run(setting: Setting, idle_slots: int, duty_slots: int) -> tuple[Plan, list[Told]]:
    began = time.monotonic()
    with TemporaryDirectory(prefix="phalanx-bench-") as name:
        encoded = msgspec.json.encode(setting).decode()
        arguments = [(encoded, str(each)) for each in range(1, setting.operators + 1)]
        async with started(MODULE, arguments, Path(name)) as children:
            ready: list[Ready] = []
            with trio.move_on_after(START_SECONDS):
                ready = [msgspec.json.decode(await each.line(), type=Ready) for each in children]
            if not ready:
                raise NotConnected(f"a node was not there after {START_SECONDS} s")
            if any(each.lacking for each in ready):
                raise NotConnected("; ".join(each.lacking for each in ready if each.lacking))
            # Every node leads equally often in each turn that begins with a whole round of them.
            slot = math.ceil((time.time() - setting.genesis_time) / setting.slot_s) + 1
            slot += -(slot + idle_slots) % (2 * setting.operators) if setting.turns else 0
            plan = Plan(slot, slot + idle_slots, slot + idle_slots + duty_slots)
            end_s = setting.genesis_time + (plan.end + 1) * setting.slot_s
            took_s, left_s = time.monotonic() - began, end_s - time.time()
            say(
                f"{setting.operators} nodes ready after {took_s:.0f} s (parts at most "
                f"{max(each.made_s for each in ready):.0f}, connections at most "
                f"{max(each.connected_s for each in ready):.0f}); {left_s:.0f} s to go"
            )
            for each in children:
                await each.say(msgspec.json.encode(plan) + b"\n")
            with trio.fail_after(left_s + MARGIN_SECONDS):
                told = [msgspec.json.decode(await each.line(), type=Told) for each in children]
        return plan, told
