"""A process of the flood: `python -m tests.bench.sockets.flood_process <flood> <role> <folder>`.

`node` is measured, `sender` sends to it, and `sink` is somebody to pass messages on to. Sender and
sink know the node alone: nobody tells them of each other. Started by `flood`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias, assert_never

import msgspec
import trio

from operator_node.clock import SlotClock
from operator_node.engine import Intake
from operator_node.node.crowding import known_topics
from operator_node.p2p import Identity, Network, PeerId
from operator_node.validation import Accept, Ignore, Reject, Verdict
from operator_node.validation.rules import Rule
from operator_node.wire.messages import Received
from tests.bench.sockets.flood_setting import (
    NETWORK,
    SLOT_S,
    SLOTS_PER_RATE,
    Crowd,
    Flood,
    Step,
    messages,
)

Mail: TypeAlias = list[tuple[str, bytes]]
"""Topics and messages of one slot."""
PULSE_S = 0.01
"""Messages are sent in bursts of a hundredth of a second."""
LOOK_SECONDS = 0.1


class Node:
    """Judges as a node does, and notes how many messages of each slot it accepted, and when."""

    def __init__(self, crowd: Crowd, clock: SlotClock) -> None:
        self.accepted: Counter[int] = Counter()
        self.last_ms: dict[int, int] = {}
        self._clock = clock
        self._intake = Intake(
            network=NETWORK,
            registry=crowd,
            clock=clock,
            concerns=lambda _: False,
            take=lambda *_: None,
        )

    def judge(self, data: bytes, topic: str, peer: PeerId) -> Verdict:
        verdict = self._intake.judge(data, topic, peer)
        match verdict:
            case Accept(message=Received(body=body)):
                self.accepted[body.height] += 1
                self.last_ms[body.height] = self._clock.now_ms()
            case Accept() | Ignore() | Reject():
                pass
            case _:
                assert_never(verdict)
        return verdict


async def main(flood: Flood, role: str, folder: Path) -> None:
    """One part of the flood, until its input ends."""
    crowd = Crowd()
    mail = _sign(flood, crowd) if role == "sender" else []
    genesis_time = int(sys.stdin.readline())
    clock = SlotClock(
        genesis_time=genesis_time,
        slot_ms=NETWORK.slot_ms,
        slots_per_epoch=NETWORK.forks.slots_per_epoch,
    )
    node = Node(crowd, clock)
    place = f"/ip4/127.0.0.1/tcp/{flood.port}/p2p/{_identity('node').peer}"
    network = Network(
        identity=_identity(role),
        listen=[f"/ip4/127.0.0.1/tcp/{flood.port}"] if role == "node" else [],
        judge=node.judge if role == "node" else _look_away,
        key_of=crowd.operator_keys().get,
        now_ms=clock.now_ms,
        domain=NETWORK.alan_domain,
        known_topics=known_topics(NETWORK),
        store=folder / "peers.json",
        bootstrap=() if role == "node" else (place,),
    )
    async with trio.open_nursery() as nursery:
        await network.set_topics(crowd.topics())
        await nursery.start(network.run)
        if role == "sender":
            _say(await _send(flood, crowd, network, clock, mail))
        elif role == "node":
            _say(await _note(flood, node, clock))
        await trio.to_thread.run_sync(sys.stdin.readline)
        nursery.cancel_scope.cancel()


def _sign(flood: Flood, crowd: Crowd) -> list[list[Mail]]:
    """All messages, by rate and slot."""
    mail = [
        [
            list(messages(crowd, flood.first_of(number) + each, rate * SLOT_S))
            for each in range(SLOTS_PER_RATE)
        ]
        for number, rate in enumerate(flood.rates)
    ]
    print("signed", flush=True)
    return mail


async def _send(
    flood: Flood, crowd: Crowd, network: Network, clock: SlotClock, mail: list[list[Mail]]
) -> list[Step]:
    """Sends everything at its time.

    Raises:
        TooSlowError: there was no connection in time.
    """
    with trio.fail_after((clock.start_ms(flood.first) - clock.now_ms()) / 1000):
        while not all(map(network.mesh_peers, crowd.topics())):  # noqa: ASYNC110  nothing tells
            await trio.sleep(LOOK_SECONDS)
    steps = []
    for number, rate in enumerate(flood.rates):
        for place, letters in enumerate(mail[number]):
            start_ms = clock.start_ms(flood.first_of(number) + place)
            await _send_slot(start_ms, rate, letters, network, clock)
        late_ms = clock.now_ms() - clock.start_ms(flood.first_of(number) + SLOTS_PER_RATE)
        steps.append(Step(rate, sent=sum(map(len, mail[number])), sent_late_ms=late_ms))
    return steps


async def _send_slot(
    start_ms: int, rate: int, letters: Mail, network: Network, clock: SlotClock
) -> None:
    await clock.sleep_until(start_ms)
    sent = 0
    while sent < len(letters):
        due = min((clock.now_ms() - start_ms) * rate // 1000, len(letters))
        for topic, data in letters[sent:due]:
            await network.publish(topic, data)
        sent = due
        await trio.sleep(PULSE_S)


async def _note(flood: Flood, node: Node, clock: SlotClock) -> list[Step]:
    steps = []
    for number, rate in enumerate(flood.rates):
        first = flood.first_of(number)
        slots = range(first, first + SLOTS_PER_RATE)
        await clock.sleep_until(clock.start_ms(first))
        cpu_s = time.process_time()
        await clock.sleep_until(clock.start_ms(flood.first_of(number + 1)))
        last_ms = max(node.last_ms.get(slot, 0) for slot in slots)
        steps.append(
            Step(
                rate,
                accepted=sum(node.accepted[slot] for slot in slots),
                late_ms=last_ms - clock.start_ms(slots.stop),
                cpu_s=time.process_time() - cpu_s,
            )
        )
    return steps


def _look_away(data: bytes, topic: str, peer: PeerId) -> Verdict:
    return Ignore(Rule.WRONG_TOPIC, "not looked at")


def _identity(role: str) -> Identity:
    return Identity.of(sha256(f"network key of the {role}".encode()).digest())


def _say(steps: list[Step]) -> None:
    print(msgspec.json.encode(steps).decode(), flush=True)


if __name__ == "__main__":
    _flood = msgspec.json.decode(sys.argv[1], type=Flood)
    trio.run(main, _flood, sys.argv[2], Path(sys.argv[3]))
