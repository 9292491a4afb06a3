"""Times messages and duties again and again, and the primitives between them.

A duty is set against the primitives measured right before and after it, and a message against the
RSA verification repeated right after it, so that what else the machine does weighs on both alike.
Of duties the median run counts, of messages, which fit between two interruptions, the quickest.
"""

from __future__ import annotations

import gc
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import truediv
from statistics import median

from operator_node.wire.codec import decode_consensus, decode_signed, signs_over
from operator_node.wire.messages import ConsensusKind, EnvelopeKind
from sdk import committee
from sdk.crypto import backend_pyblst, bls
from tests.bench import counting
from tests.bench.committees import GENERATION, Reader, World, record, replay
from tests.bench.counting import Stopwatch, WatchedBackend, WatchedReader
from tests.bench.primitives import Gauge, Minimum, minimum

ROUNDS = {1: 40, 100: 11, 500: 9}
"""By number of validators: the fewer, the shorter a duty is and the more it varies."""
MESSAGE_BATCHES, BATCH = 30, 30


@dataclass(frozen=True, slots=True)
class Steps:
    """Microseconds of processor time for one message, and for one RSA verification beside it."""

    validate: float
    verify: float
    apply: float
    verification: float

    @property
    def total(self) -> float:
        """For the message."""
        return self.validate + self.verify + self.apply

    @property
    def times(self) -> float:
        """How many RSA verifications that is."""
        return self.total / self.verification


@dataclass(slots=True)
class Result:
    """A duty, run after run.

    Attributes:
        total_ms: processor time.
        floor_ms: of the minimum, see `primitives`.
        stages: milliseconds on the wall.
        counts: of expensive operations.
    """

    world: World
    leading: bool
    minimum: Minimum
    total_ms: list[float] = field(default_factory=list)
    floor_ms: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ratio(self) -> float:
        """How many times the floor."""
        return float(median(map(truediv, self.total_ms, self.floor_ms)))


def measure_messages(world: World) -> dict[str, list[Steps]]:
    """By kind of consensus message, one entry per place that it has in the round.

    A batch is one message read by many operators in turn, as a node reads it that is in many
    committees: what is fetched into the processor's caches is the code, as in the primitives.
    """
    slot = world.slot(leading=False)
    duty, mail = world.duty(slot), record(world, slot)
    batches: list[list[Steps]] = [[] for _ in mail]
    for _ in range(MESSAGE_BATCHES):
        readers = [Reader(world, slot) for _ in range(BATCH)]
        for reader in readers:
            reader.begin(duty, deque())
        for steps, data in zip(batches, mail, strict=True):
            steps.append(_read(readers, data))
    kinds: dict[str, list[Steps]] = defaultdict(list)
    for steps, data in zip(batches, mail, strict=True):
        if kind := _kind(data):
            kinds[kind].append(min(steps, key=lambda each: each.total + each.verify))
    return kinds


def _read(readers: Sequence[Reader], data: bytes) -> Steps:
    """One message through all readers, step by step; what they then say and sign is not timed."""
    started = time.thread_time()
    messages = [reader._enter(data) for reader in readers]
    entered = time.thread_time()
    deliveries = [
        reader._receive(message) for reader, message in zip(readers, messages, strict=True)
    ]
    applied = time.thread_time()
    for reader, delivery in zip(readers, deliveries, strict=True):
        if delivery.session is not None:
            reader._carry_out(delivery.session, delivery.effects, deque())
    signed, keys = messages[0].signed, readers[0].network.operators
    covered = signs_over(signed)
    checking = time.thread_time()
    for _ in readers:
        for signer, signature in zip(signed.signers, signed.signatures, strict=True):
            keys[signer].verify(covered, signature)
    verifying = time.thread_time() - checking
    seconds = (entered - started - verifying, verifying, applied - entered)
    validate, verify, apply = (each / len(readers) * 1e6 for each in seconds)
    return Steps(validate, verify, apply, verify / len(signed.signers))


def measure_duty(world: World, gauge: Gauge, *, leading: bool) -> Result:
    """Operator 1 in a slot that it leads, or follows."""
    slot = world.slot(leading=leading)
    duty, mail = world.duty(slot), record(world, slot)
    result = Result(world, leading, minimum(world.size, world.validators, leading=leading))
    backend, quorum = bls.active(), committee.threshold_of(world.size)
    before = result.minimum.us(gauge.measure())
    for _ in range(ROUNDS[world.validators]):
        with _settled():
            reader = Reader(world, slot)
            started = time.thread_time()
            replay(reader, duty, mail)
            result.total_ms.append((time.thread_time() - started) * 1e3)
        after = result.minimum.us(gauge.measure())
        result.floor_ms.append((before + after) / 2 / 1e3)
        before = after
        with _settled():
            watched = WatchedReader(world, slot, watch := Stopwatch())
            watch.start()
            with bls.using(WatchedBackend(backend, watch, quorum=quorum)):
                replay(watched, duty, mail)
            watch.turn_to(counting.REST)
        result.counts = watch.counts
        for stage in counting.STAGES:
            result.stages[stage].append(watch.us(stage) / 1e3)
    return result


@contextmanager
def _settled() -> Iterator[None]:
    """As in a node that has run for long: old objects are no concern of the collector.

    The slot's root is new to every operator, so that no run may find it hashed.
    """
    backend_pyblst._hash_to_g2.cache_clear()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _kind(data: bytes) -> str:
    """What kind of consensus message it is; empty for others."""
    signed = decode_signed(data, GENERATION)
    if signed.message.kind != EnvelopeKind.CONSENSUS:
        return ""
    if len(signed.signers) > 1:
        return "decided"
    return ConsensusKind(decode_consensus(signed.message.data).kind).name.lower()
