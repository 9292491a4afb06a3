"""What a duty spends its time on, and how often it does what is expensive.

A `Stopwatch` charges every moment to one stage. `WatchedReader` is the operator under measurement
with its steps charged, `WatchedBackend` stands between it and the curve library and counts.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from operator_node.duties.types import Recovered, RecoveryRequest, Signed, SignItem, Withheld
from operator_node.session.session import Delivery, Session
from operator_node.session.types import Effect, Send
from operator_node.signer import Intent, Protection, Records, Verdict
from operator_node.testing.in_memory import Network
from operator_node.wire.messages import Received, ReceivedPartials, SignedMessage
from sdk.crypto.backend import G1, G2, Backend
from sdk.types import OperatorId, Slot
from tests.bench.committees import Reader, World

VALIDATE = "decode and validate, without RSA"
VERIFY = "RSA verify"
CONSENSUS = "consensus"
SEAL = "RSA sign"
CHECK_VALUE = "value checks: is it slashable"
SLASHING = "slashing check and record"
SIGN = "BLS sign"
COLLECT = "collect partial signatures"
DECODE = "recover: decode points"
COMBINE = "recover: combine"
CHECK = "recover: check all at once"
SUBMIT = "build submissions"
REST = "rest"
STAGES = (
    *(VALIDATE, VERIFY, CONSENSUS, CHECK_VALUE, SEAL, SLASHING, SIGN),
    *(COLLECT, DECODE, COMBINE, CHECK, SUBMIT, REST),
)

RSA_VERIFICATIONS = "RSA verifications"
RSA_SIGNATURES = "RSA signatures"
HASHES = "messages hashed to the curve"
MULTIPLICATIONS = "G2 multiplications (signing)"
DECODES = "G2 decodings"
COMBINATIONS = "combinations of a quorum"
CHECKED = "signatures summed up for a check"
CHECKS = "checks of pairings"


@dataclass(slots=True)
class Stopwatch:
    """Nanoseconds by stage, and the counts of a run.

    By the wall clock: asking for processor time takes a microsecond, thousands of times.
    """

    spent: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    counts: Counter[str] = field(default_factory=Counter)
    _stage: str = REST
    _since: int = field(default_factory=time.perf_counter_ns)

    def turn_to(self, stage: str) -> str:
        """Charges what follows to another stage; returns the one before, to turn back to."""
        now = time.perf_counter_ns()
        before = self._stage
        self.spent[before] += now - self._since
        self._stage, self._since = stage, now
        return before

    def start(self) -> None:
        """Forgets what was charged so far, such as the making of a reader."""
        self._since = time.perf_counter_ns()
        self.spent.clear()

    def us(self, stage: str) -> float:
        """Microseconds charged to a stage."""
        return self.spent[stage] / 1e3

    def move(self, one: str, other: str) -> None:
        """Charges to another stage what one has been charged so far."""
        self.spent[other] += self.spent.pop(one, 0)


class WatchedProtection(Protection):
    """A slashing record on a stopwatch."""

    def __init__(self, records: Records, watch: Stopwatch) -> None:
        super().__init__(records)
        self._watch = watch

    def check(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        before = self._watch.turn_to(CHECK_VALUE)
        verdicts = super().check(intents)
        self._watch.turn_to(before)
        return verdicts

    def check_and_record(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        before = self._watch.turn_to(SLASHING)
        verdicts = super().check_and_record(intents)
        self._watch.turn_to(before)
        return verdicts


@dataclass(frozen=True)
class WatchedNetwork(Network):
    """Counts what consensus verifies beyond gossip validation."""

    watch: Stopwatch = field(kw_only=True)

    def verify(self, message: SignedMessage) -> bool:
        before = self.watch.turn_to(VERIFY)
        self.watch.counts[RSA_VERIFICATIONS] += len(message.signers)
        holds = super().verify(message)
        self.watch.turn_to(before)
        return holds


class WatchedReader(Reader):
    """The operator under measurement, stage by stage."""

    def __init__(self, world: World, slot: Slot, watch: Stopwatch) -> None:
        network = world.network()
        super().__init__(
            world,
            slot,
            network=WatchedNetwork(
                network.chain, network.generation, network.domain, network.operators, watch=watch
            ),
            verify=self._verify,
            protection=lambda records: WatchedProtection(records, watch),
        )
        self.watch = watch

    def _verify(self, operator: OperatorId, covered: bytes, signature: bytes) -> bool:
        before = self.watch.turn_to(VERIFY)
        self.watch.counts[RSA_VERIFICATIONS] += 1
        holds = self.network.operators[operator].verify(covered, signature)
        self.watch.turn_to(before)
        return holds

    def _enter(self, data: bytes) -> Received | ReceivedPartials:
        before = self.watch.turn_to("entrance")
        message = super()._enter(data)
        self.watch.turn_to(before)
        self.watch.move("entrance", VALIDATE if isinstance(message, Received) else COLLECT)
        return message

    def _receive(self, message: Received | ReceivedPartials) -> Delivery:
        before = self.watch.turn_to(CONSENSUS if isinstance(message, Received) else COLLECT)
        delivery = super()._receive(message)
        self.watch.turn_to(before)
        return delivery

    def _seal(self, send: Send) -> bytes:
        before = self.watch.turn_to(SEAL)
        self.watch.counts[RSA_SIGNATURES] += 1
        data = super()._seal(send)
        self.watch.turn_to(before)
        return data

    def _answer(self, item: SignItem, verdict: Verdict | None) -> Signed | Withheld:
        before = self.watch.turn_to(SIGN)
        answer = super()._answer(item, verdict)
        self.watch.turn_to(before)
        return answer

    def _recover(self, requests: Sequence[RecoveryRequest]) -> tuple[Recovered, ...]:
        before = self.watch.turn_to(COMBINE)
        recovered = super()._recover(requests)
        self.watch.turn_to(before)
        return recovered

    def _complete(self, session: Session, recovered: tuple[Recovered, ...]) -> list[Effect]:
        before = self.watch.turn_to(SUBMIT)
        effects = super()._complete(session, recovered)
        self.watch.turn_to(before)
        return effects


class WatchedBackend:
    """`sdk.crypto.backend.Backend` that counts, and tells the stages of a recovery apart.

    Recovery decodes and combines for one validator after the other; with the first message that it
    hashes the check of all results begins.
    """

    def __init__(self, backend: Backend, watch: Stopwatch, *, quorum: int) -> None:
        self.name = backend.name
        self._backend = backend
        self._watch = watch
        self._quorum = quorum
        self._hashed: set[bytes] = set()

    def g1_decode(self, data: bytes) -> G1:
        return self._backend.g1_decode(data)

    def g1_encode(self, point: G1) -> bytes:
        return self._backend.g1_encode(point)

    def g1_multiply(self, point: G1, scalar: int) -> G1:
        return self._backend.g1_multiply(point, scalar)

    def g1_combine(self, points: Sequence[G1], scalars: Sequence[int], divisor: int = 1) -> G1:
        before = self._watch.turn_to(CHECK)
        total = self._backend.g1_combine(points, scalars, divisor)
        self._watch.turn_to(before)
        return total

    def g2_decode(self, data: bytes) -> G2:
        before = self._watch.turn_to(DECODE)
        self._watch.counts[DECODES] += 1
        point = self._backend.g2_decode(data)
        self._watch.turn_to(before)
        return point

    def g2_encode(self, point: G2) -> bytes:
        return self._backend.g2_encode(point)

    def g2_multiply(self, point: G2, scalar: int) -> G2:
        self._watch.counts[MULTIPLICATIONS] += 1
        return self._backend.g2_multiply(point, scalar)

    def g2_combine(self, points: Sequence[G2], scalars: Sequence[int], divisor: int = 1) -> G2:
        is_recovery = len(points) == self._quorum
        before = self._watch.turn_to(COMBINE if is_recovery else CHECK)
        self._watch.counts[COMBINATIONS if is_recovery else CHECKED] += (
            1 if is_recovery else len(points)
        )
        total = self._backend.g2_combine(points, scalars, divisor)
        self._watch.turn_to(before)
        return total

    def hash_to_g2(self, message: bytes) -> G2:
        if message not in self._hashed:
            self._hashed.add(message)
            self._watch.counts[HASHES] += 1
        return self._backend.hash_to_g2(message)

    def pairings_cancel(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        before = self._watch.turn_to(CHECK)
        self._watch.counts[CHECKS] += 1
        holds = self._backend.pairings_cancel(pairs)
        self._watch.turn_to(before)
        return holds
