"""Instances of one operator on simulated machines with one shared disk, one seed for everything.

The real `Lease` runs in a thread per instance that moves only when it is its turn. It stops before
and after each thing that takes time or that another may see: reading a clock, taking the lock,
reading, writing, asking its record. How long it stops, whether its machine sleeps, freezes, dies or
runs fast, is drawn from the seed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from operator_node.lease import Lease, LeaseRecord, Moment, Permit, SharedFile, Taken
from operator_node.lease.record import CLOCKS_APART_MS
from operator_node.signer.record import Intent, Protection
from operator_node.signer.rules import AttestationGuard, Safe
from operator_node.signer.standing import Standing
from sdk.errors import StorageError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.guards import SHARE, VALIDATOR, root

EPOCH_MS = 6_000
OWNER = "ab" * 32
LONG_PAUSE_MS = 30_000


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Faults:
    """What may happen, each a chance per step."""

    pause: float = 0.0
    kill: float = 0.0
    freeze: float = 0.0
    disk_error: float = 0.0
    slow_disk: float = 0.0
    fastest: float = 1.0
    apart_ms: int = 0


class Disk:
    """The shared one."""

    def __init__(self) -> None:
        self.content = b""
        self.locked_by: object | None = None


@dataclass
class Signed:
    """A signature that left an instance."""

    by: str
    guard: AttestationGuard


@dataclass
class World:
    """Time, disk, instances, and what was signed."""

    seed: int
    faults: Faults
    now_ms: float = 1_000_000.0
    disk: Disk = field(default_factory=Disk)
    emitted: list[Signed] = field(default_factory=list)
    takeovers: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.instances = [Instance(self, name) for name in ("a", "b", "c")]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def run(self, steps: int, check: Callable[[World], None]) -> None:
        """Lets whoever is due do the next step, and checks after each."""
        try:
            for _ in range(steps):
                flow = min(self.flows(), key=lambda each: each.due_ms)
                self.now_ms = max(self.now_ms, flow.due_ms)
                flow.step()
                flow.instance.rise()
                check(self)
        finally:
            for each in self.instances:
                each.kill()

    def flows(self) -> list[Flow]:
        return [flow for each in self.instances for flow in each.flows]


class Flow:
    """A thread that moves only between two `step`s."""

    def __init__(self, instance: Instance, main: Callable[[], None]) -> None:
        self.instance = instance
        self.due_ms = instance.world.now_ms
        self.is_dead = False
        self._main = main
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def step(self) -> None:
        self._go.release()
        self._stopped.acquire()

    @property
    def is_me(self) -> bool:
        return self._thread is threading.current_thread()

    def stop(self, ms: float) -> None:
        """Called by the thread itself: so much time goes by."""
        self.due_ms = self.instance.world.now_ms + ms
        self._stopped.release()
        self._go.acquire()
        if self.is_dead:
            raise Killed

    def kill(self) -> None:
        self.is_dead = True
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            while not self.is_dead:
                self._main()
        except Killed:
            self._stopped.release()


class Instance:
    """A machine with its record. Lives again after it was killed."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        draw = world.random
        self.rate = draw.uniform(1.0, world.faults.fastest)
        self.skew_ms = draw.uniform(-world.faults.apart_ms, world.faults.apart_ms)
        self.lost_ms = 0.0  # time that a frozen machine did not see
        self.unstepped_ms = 0.0  # and that its wall clock has not learned of yet
        self.protection = Protection()
        self.term = 0
        self.writes = 0
        self.flows: list[Flow] = []
        self._begin(is_resumed=False)

    def _begin(self, *, is_resumed: bool) -> None:
        self.granted: Permit | None = None
        self.is_dying = False
        self.lease = Lease(
            cast(SharedFile, File(self)),
            owner=OWNER,
            record=cast(LeaseRecord, self),
            is_resumed=is_resumed,
            on_change=lambda why: None,
            clocks=self.clocks,
        )
        self.flows = [Flow(self, self.keep), Flow(self, self.sign)]

    def kill(self) -> None:
        for flow in self.flows:
            flow.kill()

    # --- what the threads do --------------------------------------------------------------

    def keep(self) -> None:
        self.pause(2_000 if self.lease.is_held() else 500)
        if self.world.chance(0.02):
            self.lease.release()
            self.die()
        taken = self.lease.taken
        self.lease.turn()
        self.world.takeovers += self.lease.taken - taken

    def sign(self) -> None:
        """As the store and what stands before it do: clock, permit, record, permit, out."""
        self.pause(self.world.random.uniform(50, 1_000))
        target = int(self.wall_ms() // EPOCH_MS)
        guard = AttestationGuard(
            Epoch(target - 1), Epoch(target), root(ord(self.name) + 256 * self.writes)
        )
        self.pause()
        if not self.is_permitted():
            return
        (verdict,) = self.protection.check_and_record((Intent(SHARE, VALIDATOR, guard),))
        if not isinstance(verdict, Safe):
            return
        self.writes += 1
        self.pause()
        if self.lease.is_held():
            self.pause()  # however late it leaves now, it was safe
            self.world.emitted.append(Signed(self.name, guard))

    def is_permitted(self) -> bool:
        permit = self.granted
        return permit is not None and permit.term == self.term and not permit.is_over(self.clocks())

    def pause(self, ms: float = 0.0) -> None:
        """Time goes by, or worse."""
        world, faults = self.world, self.world.faults
        flow = next((each for each in self.flows if each.is_me), None)
        if flow is None:
            return  # the observer looks
        ms += world.random.uniform(0, 5)
        if self.unstepped_ms and world.chance(0.05):
            self.unstepped_ms = 0.0  # somebody told the machine the time
        if world.chance(faults.kill):
            self.die()
        if world.chance(faults.pause):
            ms += world.random.uniform(0, LONG_PAUSE_MS)
        if world.chance(faults.freeze):
            frozen_ms = world.random.uniform(0, LONG_PAUSE_MS)
            self.lost_ms += frozen_ms
            self.unstepped_ms += frozen_ms
            for each in self.flows:
                each.due_ms = max(each.due_ms, world.now_ms) + frozen_ms
            ms += frozen_ms
        flow.stop(ms)

    def die(self) -> None:
        """This process ends."""
        self.is_dying = True
        raise Killed

    def rise(self) -> None:
        """Another process begins with what is on the machine's disk."""
        if not self.is_dying:
            return
        self.kill()
        self._begin(is_resumed=self.world.chance(0.5))
        for flow in self.flows:
            flow.due_ms = self.world.now_ms + self.world.random.uniform(100, 15_000)

    # --- clocks ---------------------------------------------------------------------------

    def clocks(self) -> Moment:
        self.pause()
        return Moment(int(self.boot_ms()), int(self.wall_ms()))

    def boot_ms(self) -> float:
        return (self.world.now_ms - self.lost_ms) * self.rate

    def wall_ms(self) -> float:
        return self.world.now_ms + self.skew_ms - self.unstepped_ms

    # --- the record -----------------------------------------------------------------------

    def standing(self) -> Standing:
        self.pause()
        return Standing(self.term, f"{ord(self.name):032x}", self.writes)

    def take_term(self, taken: Taken) -> None:
        if taken.unknown_until_ms is not None:
            latest_ms = max(self.wall_ms() + CLOCKS_APART_MS, taken.unknown_until_ms)
            epoch = Epoch(int(latest_ms // EPOCH_MS))
            self.protection.arm(SHARE, VALIDATOR, epoch=epoch, slot=Slot(0))
        self.pause()
        self.term = taken.term

    def permit(self, permit: Permit | None) -> None:
        self.granted = permit


class File:
    """The shared file, seen by one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    @contextmanager
    def locked(self) -> Iterator[File | None]:
        disk = self._instance.world.disk
        self._disk()
        if disk.locked_by is not None:
            yield None
            return
        disk.locked_by = self._instance
        try:
            yield self
            self._disk()
        finally:
            if disk.locked_by is self._instance:
                disk.locked_by = None

    def read(self) -> bytes:
        self._disk()
        return self._instance.world.disk.content

    def write(self, content: bytes) -> None:
        self._disk()
        self._instance.world.disk.content = content
        self._disk()

    def _disk(self) -> None:
        """A moment at the disk; it may take long, or fail."""
        world = self._instance.world
        slow = world.chance(world.faults.slow_disk)
        self._instance.pause(world.random.uniform(0, 12_000) if slow else 1.0)
        if world.chance(world.faults.disk_error):
            raise StorageError("the disk does not answer", code="lease_unreachable")
