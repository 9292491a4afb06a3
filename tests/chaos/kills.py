"""kill -9 at random instants: python -m tests.chaos.kills --real 200 --simulated 800.

Simulated ones strike committees on virtual time, whose slashing record is a file
(`simulated_kills`); real ones strike the processes of a running network. After each the stores are
looked at, and what the operator was heard to sign is compared with its record. Each may cost one
slot at most.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import trio

from deploy.devnet.ending import interrupt_at_signals, why_it_ended
from deploy.devnet.network import FIRST_SLOT, SETTLE_SLOTS
from deploy.devnet.operators import LocalNode
from sdk.errors import PhalanxError
from sdk.types import parse_hex
from tests.chaos.judging import judge_duties
from tests.chaos.simulated_kills import kill_once
from tests.chaos.trial import PATIENCE_SLOTS
from tests.chaos.watching import Evidence, records_of, until_well
from tests.chaos.world import World, running_world
from tests.e2e import stores
from tests.e2e.witness import recorded_violations

SEED: Final = 20_261_123
LEAST_GAP_S: Final = 5.0
MOST_GAP_S: Final = 10.0
"""From one kill to the next: a node needs up to five seconds to its next duty on an idle machine,
so that one is away at a time, and not always in the same part of a slot."""
HEAD_SLOTS: Final = 4
"""In which a block may be the head."""
TOLD_EVERY: Final = 25
INTERRUPTED: Final = 130


@dataclass(slots=True)
class Tally:
    """What came of all kills.

    Attributes:
        inconsistent: what was wrong with stores.
        violations: of slashing safety: pairs, and signatures that are in no record.
        costly: kills that cost more than a slot.
        missed: how many slots kills cost, and how many kills cost so many.
    """

    real: int = 0
    simulated: int = 0
    inconsistent: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)
    missed: Counter[int] = field(default_factory=Counter)

    def cost(self, name: str, slots: int) -> None:
        """A kill's missed slots."""
        self.missed[slots] += 1
        if slots > 1:
            self.costly.append(f"{name} cost {slots} slots")

    @property
    def has_held(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.inconsistent or self.violations or self.costly)

    def closing_line(self) -> str:
        """The last line."""
        free, one = self.missed[0], self.missed[1]
        return (
            f"kills: {self.real} real, {self.simulated} simulated; {len(self.inconsistent)} "
            f"inconsistent stores, {len(self.violations)} safety violations; {free} cost no slot, "
            f"{one} one, {len(self.costly)} more"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Kills as often as asked for; 0 only if nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kills")
    parser.add_argument("--real", type=int, default=200)
    parser.add_argument("--simulated", type=int, default=800)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--slot-seconds", type=int, default=4, choices=range(2, 13), metavar="S")
    given = parser.parse_args(arguments)
    if min(given.real, given.simulated) < 0:
        parser.error("nobody is killed less than never")
    # The spies' library tells of every connection that ends, and here many do.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)
    tally = Tally()
    folder = Path(tempfile.mkdtemp(prefix="phalanx-kills-"))
    say(f"seed {given.seed}, files in {folder}")
    simulate(tally, folder, range(given.seed, given.seed + given.simulated))
    if given.real:
        try:
            trio.run(live, tally, folder, given.real, given.seed, given.slot_seconds)
        except* PhalanxError as group:
            print(f"error: {why_it_ended(group)}", file=sys.stderr)
            sys.exit(1)
        except* KeyboardInterrupt:
            print("stopped; nothing is left running", file=sys.stderr)
            sys.exit(INTERRUPTED)
    for text in (*tally.inconsistent, *tally.violations, *tally.costly):
        print(text)
    print(tally.closing_line())
    return 0 if tally.has_held else 1


def simulate(tally: Tally, folder: Path, seeds: range) -> None:
    """One kill per seed."""
    for number, seed in enumerate(seeds, 1):
        found = kill_once(seed, folder / f"seed-{seed}")
        name = f"simulated kill, seed {seed}"
        tally.simulated += 1
        tally.inconsistent += [f"{name}: {each}" for each in found.inconsistencies]
        tally.violations += [f"{name}: {each}" for each in found.violations]
        tally.cost(name, found.missed_slots)
        if number % TOLD_EVERY == 0:
            say(f"{number} of {len(seeds)} simulated kills")


async def live(tally: Tally, folder: Path, count: int, seed: int, slot_seconds: int) -> None:
    """Real kills on a network of their own."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt_at_signals)
        async with running_world(folder / "network", slot_seconds=slot_seconds, say=say) as world:
            await kill_nodes(world, tally, count, Random(seed))
        nursery.cancel_scope.cancel()


async def kill_nodes(world: World, tally: Tally, count: int, random: Random) -> None:
    """One after the other, each node in turn; then everything is judged."""
    evidence = Evidence(world)
    await world.until_slot(FIRST_SLOT)
    await until_well(world, patience_slots=PATIENCE_SLOTS)
    first = world.slot + 1
    await world.until_slot(first)
    slots: list[int] = []
    while len(slots) < count:
        for operator in random.sample(sorted(world.running), len(world.running)):
            if len(slots) == count:
                break
            node = world.nodes[operator]
            slots.append(world.slot)
            await node.child.kill()
            tally.real += 1
            await look(world, tally, node, evidence, f"kill {len(slots)}")
            node.child.start()
            if len(slots) % TOLD_EVERY == 0:
                say(f"{len(slots)} of {count} real kills, slot {world.slot}")
            await trio.sleep(random.uniform(LEAST_GAP_S, MOST_GAP_S))
    left = await until_well(world, patience_slots=PATIENCE_SLOTS)
    tally.inconsistent += [f"at the end {each}" for each in left]
    await judge(world, tally, evidence, first, slots)


async def look(world: World, tally: Tally, node: LocalNode, evidence: Evidence, name: str) -> None:
    """At the files of a node that does not run."""
    name = f"{name}, {node.child.name}"
    copy = world.folder / "copy"
    data = await trio.to_thread.run_sync(stores.copy_of, node, copy)
    try:
        damages = await trio.to_thread.run_sync(stores.damages, data)
        root = world.genesis_validators_root
        export = await trio.to_thread.run_sync(stores.export_of, data, root)
    except (PhalanxError, AssertionError) as problem:
        tally.inconsistent.append(f"{name}: {problem}")
        return
    finally:
        await trio.to_thread.run_sync(remove, copy)
    evidence.listen()
    tally.inconsistent += [f"{name}: {each}" for each in damages]
    world.witness.read(export)
    tally.violations += [f"{name}: {each}" for each in recorded_violations(export)]
    unrecorded = world.witness.unrecorded(node.operator.id, export)
    tally.violations += [f"{name}: not in its record: {each}" for each in unrecorded]


def remove(folder: Path) -> None:
    """With all that is in it."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def costs_of(kills: Sequence[int], missed: Iterable[int]) -> Counter[int]:
    """By the kill's place: missed slots that no later kill can have cost.

    Args:
        kills: slots in which somebody was killed, ascending.
        missed: slots with a missed duty.
    """
    return Counter(max(0, bisect_right(kills, slot) - 1) for slot in missed)


async def judge(
    world: World, tally: Tally, evidence: Evidence, first: int, slots: Sequence[int]
) -> None:
    """What the chain and the wire say of all of it; a missed slot is the last kill's before it."""
    last = world.slot
    await world.until_slot(last + SETTLE_SLOTS)
    report = await world.observer.report(first, last)
    judgement = judge_duties(report, await records_of(world, first, last))
    missed = sorted({each.slot for each in judgement.misses if each.counts})
    costs = costs_of(slots, missed)
    for place, slot in enumerate(slots):
        tally.cost(f"kill {place + 1} in slot {slot}", costs[place])
    evidence.listen()
    tally.violations += await trio.to_thread.run_sync(evidence.fresh_pairs)
    for block in await world.observer.blocks(first, last):
        for slot in range(block.slot, block.slot + HEAD_SLOTS):
            world.witness.see_head(slot, parse_hex(block.root, what="root"))
    unexplained = world.witness.unexplained()
    tally.violations += [f"nobody proposed what was signed: {each}" for each in unexplained]
    say(
        f"{judgement.due} duties due, {len(judgement.misses)} missed in slots {missed}: "
        f"{dict(judgement.reasons)}; {world.witness.messages} messages heard"
    )


def say(text: str) -> None:
    """A step, for people."""
    print(f"==> {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
