"""What one node spends on a message of a committee of four, beside the network and the disk.

Four whole engines do committee duties on mock time; one of them is timed, message by message: the
judgement of gossip validation with its RSA verification, and the step that the message leads to,
with the RSA signature of the answer. BLS runs beside the loop and is not in it; what a whole duty
costs is in `consensus`. Alone: `python -m tests.bench engine`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final

import trio

from operator_node.engine import Threads
from operator_node.engine.types import Message
from operator_node.testing.world import CHAIN
from operator_node.wire.generations import Generation
from operator_node.wire.messages import ConsensusKind, Received
from sdk.types import Slot
from tests.unit.operator_node.engine.cluster import Case, Node, begin, play, votes
from tests.unit.operator_node.engine.surroundings import KEYS, SLOT_MS, SLOTS

DUTIES: Final = 200
SIGNATURES: Final = 200
BUDGET_MS: Final = (10, 40)
"""p50 and p99 of all own work per message (node.md, slot plan)."""
Times = dict[str, list[float]]


def run() -> None:
    """Prints the tables."""
    judged, stepped = _message_times()
    print(f"One message of a committee of 4, microseconds, {DUTIES} duties of 2 validators:\n")
    print(
        "| message | count | validate p50 | p99 | deliver, answer p50 | p99 | together p50 | p99 |"
    )
    print("| --- |" + " ---: |" * 7)
    everything: list[float] = []
    for kind in judged:
        # A message that is not for the engine leads to no step.
        both = [sum(pair) for pair in zip(judged[kind], stepped[kind], strict=False)]
        everything += both
        cells = " | ".join(_cells(each) for each in (judged[kind], stepped[kind], both))
        print(f"| {kind} | {len(judged[kind])} | {cells} |")
    print(f"| all | {len(everything)} | | | | | {_cells(everything)} |\n")
    p50, p99 = BUDGET_MS
    print(f"budget: {p50 * 1000:,} p50, {p99 * 1000:,} p99\n")
    inline_us, thread_us = _signing_times()
    print(
        f"RSA signature: {inline_us:.0f} inline, {thread_us:.0f} in a worker thread\n", flush=True
    )


def _cells(times: list[float]) -> str:
    return f"{median(times):,.0f} | {quantiles(times, n=100)[-1]:,.0f}"


def _message_times() -> tuple[Times, Times]:
    judged: Times = defaultdict(list)
    stepped: Times = defaultdict(list)
    first = SLOTS[Generation.BOOLE]

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        _time(nodes[0], judged, stepped)
        for number in range(DUTIES):
            duty = votes(Slot(first + number * CHAIN.slots_per_epoch))  # one vote per epoch
            await begin(duty, nodes)
            await it.clock.sleep_until(duty.at_ms + SLOT_MS // 2)

    play(case, slot=first)
    return judged, stepped


def _time(node: Node, judged: Times, stepped: Times) -> None:
    """Puts a stop watch around the two steps of a message."""
    engine: Any = node.engine
    intake: Any = node.intake
    do, validate, deliver = engine._do, intake._validator.validate, engine._desk.deliver

    def timed_validate(data: bytes, topic: str, *, at_ms: int) -> Any:
        began = perf_counter()
        verdict = validate(data, topic, at_ms=at_ms)
        took = perf_counter() - began
        if hasattr(verdict, "message"):
            judged[_kind(verdict.message)].append(took * 1e6)
        return verdict

    def timed_do(job: Any, step: partial[Any]) -> None:
        is_of_peer = not engine._is_busy and step.func == deliver
        began = perf_counter()
        do(job, step)
        if is_of_peer:
            stepped[_kind(step.args[0])].append((perf_counter() - began) * 1e6)

    engine._do = timed_do
    intake._validator = _Watch(timed_validate)


class _Watch:
    def __init__(self, validate: Callable[..., Any]) -> None:
        self.validate = validate


def _kind(message: Message) -> str:
    if not isinstance(message, Received):
        return "partial signatures"
    if len(message.signed.signers) > 1:
        return "decided"
    return ConsensusKind(message.body.kind).name.lower().replace("_", " ")


def _signing_times() -> tuple[float, float]:
    key, data = KEYS[next(iter(KEYS))], bytes(600)

    async def main() -> tuple[float, float]:
        threads = Threads()
        inline, beside = [], []
        for number in range(SIGNATURES):
            said = data + number.to_bytes(4, "little")
            began = perf_counter()
            key.sign(said)
            inline.append(perf_counter() - began)
            began = perf_counter()
            await threads(partial(key.sign, said), urgent=False)
            beside.append(perf_counter() - began)
        return median(inline) * 1e6, median(beside) * 1e6

    return trio.run(main)
