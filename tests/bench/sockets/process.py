"""One node's process: `python -m tests.bench.sockets.process <setting> <operator> <folder>`.

It says when it is connected to everybody, reads the plan, follows it, and writes what it
has to tell as one line of JSON. Started by `fleet`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import msgspec
import trio

from operator_node.engine import Filter, turn_often
from operator_node.engine.records import DutyRecord
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Slot
from tests.bench.sockets.node import Node
from tests.bench.sockets.sampling import Sampler
from tests.bench.sockets.setting import Duty, Plan, Ready, Setting, Told

CONNECT_SECONDS = 45
"""Python's handshakes take a while when seven nodes share two cores."""
LOOK_SECONDS = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


async def main(setting: Setting, me: OperatorId, folder: Path) -> None:
    """From nothing to the line that tells everything."""
    turn_often()
    began = time.monotonic()
    start_mib = _resident_mib()
    node = Node(setting, me, folder)
    node.precise_steps()
    async with trio.open_nursery() as nursery:
        await node.network.set_topics(node.engine.topics())
        node.network.want(node.members.co_operators)
        await nursery.start(node.network.run)
        await nursery.start(node.engine.run)
        made_s = time.monotonic() - began
        with trio.move_on_after(CONNECT_SECONDS):
            while not node.is_connected():  # noqa: ASYNC110  nothing tells when it is so
                await trio.sleep(LOOK_SECONDS)
        connected_s = time.monotonic() - began - made_s
        ready = Ready(made_s, connected_s, node.connections())
        print(msgspec.json.encode(ready).decode(), flush=True)
        if ready.lacking or not (line := await trio.to_thread.run_sync(sys.stdin.readline)):
            nursery.cancel_scope.cancel()
            return
        told = await _follow(msgspec.json.decode(line, type=Plan), node, setting, start_mib)
        print(msgspec.json.encode(told).decode(), flush=True)
        # The others may still need this node; the parent closes our input when all have told.
        await trio.to_thread.run_sync(sys.stdin.readline)
        nursery.cancel_scope.cancel()
    node.record.close()


async def _follow(plan: Plan, node: Node, setting: Setting, start_mib: float) -> Told:
    me, sampler = node.me, Sampler()
    if setting.urgent:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(1))
    cpu_s = []
    for number in range(plan.idle, plan.end + 1):
        slot = Slot(number)
        await node.clock.sleep_until(node.clock.start_ms(slot))
        cpu_s.append(time.process_time())
        node.use_streams(setting.is_direct(slot))
        if slot == plan.first and node.watch is not None:
            sampler.start()
        if plan.first <= slot < plan.end:
            await _begin(node, slot, setting)
    await node.clock.sleep_until(node.clock.start_ms(plan.end + 1))
    cpu_s.append(time.process_time())
    sampler.stop()
    records = node.history.find(Filter(first=plan.first))
    counts, copies = node.counts, node.network.counts.copies
    return Told(
        operator=me,
        cpu_s=tuple(cpu_s),
        start_mib=start_mib,
        rss_mib=_resident_mib(),
        peak_mib=_peak_mib(),
        duties=tuple(_duty(each, me) for each in records),
        sent=sum(each.sent for each in records),
        taken=counts.taken,
        copies=copies,
        lost=counts.dropped + counts.unsent,
        failures=counts.failures,
        times={} if node.watch is None else dict(node.watch.times),
        profile=dict(sampler.spent_s),
    )


async def _begin(node: Node, slot: Slot, setting: Setting) -> None:
    roles = [RunnerRole.COMMITTEE]
    if setting.aggregates:
        roles.append(RunnerRole.AGGREGATOR_COMMITTEE)
    for role in roles:
        # Listed before it is time, as a scheduler has them.
        due = list(node.members.due(role, slot))
        into_slot_ms = node.members.into_slot_ms(role, slot)
        await node.clock.sleep_until(node.clock.start_ms(slot) + into_slot_ms)
        for each in due:
            node.engine.begin(each)


def _duty(record: DutyRecord, me: OperatorId) -> Duty:
    return Duty(
        slot=record.slot,
        role=record.role.name,
        at_ms=record.started_ms,
        round=record.round,
        leads=record.leader == me,
        reason="" if record.reason is None else record.reason.word,
        steps={step.value: at_ms for step, at_ms in record.steps},
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE_BYTES / 2**20


def _peak_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    _setting = msgspec.json.decode(sys.argv[1], type=Setting)
    trio.run(main, _setting, OperatorId(int(sys.argv[2])), Path(sys.argv[3]))
