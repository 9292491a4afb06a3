"""How many messages a second one node judges and passes on without losing any, over TCP.

Three processes: one sends messages of 715 committees of four, signed beforehand; the node judges
each of them with all rules and one RSA verification, and passes it on to a third, which looks at
nothing. The node sits in none of the committees, so that consensus is not in these figures. The
rate is raised until messages are lost, or come when their time is over. Alone:
`python -m tests.bench flood`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import trio

from tests.bench.sockets.children import Child, ports, say, started
from tests.bench.sockets.flood_setting import SLOT_S, SLOTS_PER_RATE, Flood, Step

MODULE = "tests.bench.sockets.flood_process"
RATES = (100, 200, 400, 600, 800, 1000)
FIRST_SLOT = 800
"""Beyond the last fork of the beacon chain."""
CONNECT_SECONDS = 20
SIGN_SECONDS = 120
MARGIN_SECONDS = 30
LATE_MS = 500
"""What is sent within two slots has to be through so soon after them, or the rate is not kept."""


def run() -> None:
    """Prints the table.

    Raises:
        RuntimeError: not even the lowest rate was kept.
    """
    print("Messages of other committees through one node, over sockets, by gossip:\n", flush=True)
    flood = Flood(RATES, next(ports()), FIRST_SLOT)
    steps = trio.run(_run, flood)
    print(
        "\n| a second | sent | accepted | last one sent, ms after the time | last one accepted "
        "| CPU ms each | core |"
    )
    print("|" + " ---: |" * 7)
    best = 0
    for step in steps:
        cpu_ms = 1000 * step.cpu_s / max(step.accepted, 1)
        share = 100 * step.cpu_s / (SLOTS_PER_RATE * SLOT_S)
        print(
            f"| {step.rate} | {step.sent} | {step.accepted} "
            f"| {step.sent_late_ms:.0f} | {step.late_ms:.0f} "
            f"| {cpu_ms:.2f} | {share:.0f} % |"
        )
        if step.accepted < step.sent or step.late_ms > LATE_MS:
            break
        best = step.rate
    print(f"\nsustained without loss: {best} messages a second\n", flush=True)
    if not best:
        raise RuntimeError(f"{RATES[0]} messages a second were not kept up with")


async def _run(flood: Flood) -> Sequence[Step]:
    encoded = msgspec.json.encode(flood).decode()
    roles = [(encoded, role) for role in ("node", "sink", "sender")]
    with TemporaryDirectory(prefix="phalanx-bench-") as name:
        async with started(MODULE, roles, Path(name)) as children:
            node, _, sender = children
            say("signing what is to be sent")
            with trio.fail_after(SIGN_SECONDS):
                await sender.line()
            # Signatures cover slots, so the chain is made to begin when they are there.
            genesis_time = int(time.time()) + CONNECT_SECONDS - FIRST_SLOT * SLOT_S
            seconds = CONNECT_SECONDS + (flood.end - flood.first) * SLOT_S
            say(f"connecting, then {len(RATES)} rates; {seconds} s to go")
            for each in children:
                await each.say(f"{genesis_time}\n".encode())
            with trio.fail_after(seconds + MARGIN_SECONDS):
                sent = await _told(sender)
                steps = await _told(node)
    return [
        msgspec.structs.replace(there, sent=here.sent, sent_late_ms=here.sent_late_ms)
        for here, there in zip(sent, steps, strict=True)
    ]


async def _told(child: Child) -> list[Step]:
    return msgspec.json.decode(await child.line(), type=list[Step])
