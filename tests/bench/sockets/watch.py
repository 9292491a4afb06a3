"""A stop watch around what a node does with one message, from the socket's bytes to the answer.

Microseconds by the wall clock, so that waiting for the event loop counts. It replaces methods of
one node's parts in its own process; what is replaced still does the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter
from typing import Any, Final

from operator_node.p2p.intake import Intake as Gate
from operator_node.validation import pipeline

RECEIPT: Final = "receipt to applied"
"""From the moment at which libp2p hands a message's bytes over, to the last effect of it."""
CLAIM: Final = "seen before? (SHA-256)"
DECODE: Final = "decode"
RULES: Final = "gossip rules"
VERIFY: Final = "RSA verification"
WAIT: Final = "wait for the engine"
APPLY: Final = "session and consensus"
ANSWER: Final = "RSA signature of an answer"
PUBLISH: Final = "publish (of an own message)"
STEPS: Final = (RECEIPT, CLAIM, DECODE, RULES, VERIFY, WAIT, APPLY, ANSWER, PUBLISH)


class Watch:
    """The times of one node.

    Attributes:
        times: by name, an entry per message of a peer (per answer and own message in the last two).
    """

    def __init__(self) -> None:
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self._came: dict[int, float] = {}
        """When a message that waits for the engine came, by the identity of its object."""
        self._queued: dict[int, float] = {}
        """Likewise: when it was queued."""
        self._inner: defaultdict[str, float] = defaultdict(float)
        """Spent inside the step that is under way."""
        self._began = 0.0

    def put_around(self, intake: Any, network: Any, engine: Any) -> None:
        """Times the steps of these, before they run."""
        self._watch_gate(network)
        self._watch_judgement(intake)
        self._watch_engine(engine)
        engine._outbox._transport = _Timed(network, self)

    def _watch_gate(self, network: Any) -> None:
        watch = self

        class Timed(Gate):
            __slots__ = ()

            def take(self, peer: Any, topic: str, data: bytes) -> Any:
                watch._began = perf_counter()
                return super().take(peer, topic, data)

        # The gate was made with the node's judge, which `_watch_judgement` reaches by its intake.
        network._intake = Timed(network._intake._judge, network._standing)

    def _watch_judgement(self, intake: Any) -> None:
        validate, verify = intake._validator.validate, intake._validator._verify
        intake._validator._verify = self._part(VERIFY, verify)
        for name in ("decode_signed", "decode_consensus", "decode_partials"):
            setattr(pipeline, name, self._part(DECODE, getattr(pipeline, name)))

        def timed(data: bytes, topic: str, *, at_ms: int) -> Any:
            self._inner.clear()
            began = perf_counter()
            verdict = validate(data, topic, at_ms=at_ms)
            took = perf_counter() - began
            if hasattr(verdict, "message"):
                self._came[id(verdict.message)] = self._began
                self._queued[id(verdict.message)] = perf_counter()
                self._note(CLAIM, began - self._began)
                self._note(DECODE, self._inner[DECODE])
                self._note(VERIFY, self._inner[VERIFY])
                self._note(RULES, took - self._inner[DECODE] - self._inner[VERIFY])
            return verdict

        intake._validator = _Judge(timed)

    def _watch_engine(self, engine: Any) -> None:
        do, deliver = engine._do, engine._desk.deliver
        engine._key = _Key(self._part(ANSWER, engine._key.sign))

        def timed(job: Any, step: partial[Any]) -> None:
            came = self._came.pop(id(step.args[0]), None) if step.func == deliver else None
            if came is None:
                do(job, step)
                return
            self._inner.clear()
            began = perf_counter()
            do(job, step)
            ended = perf_counter()
            self._note(WAIT, began - self._queued.pop(id(step.args[0])))
            self._note(APPLY, ended - began - self._inner[ANSWER])
            self._note(RECEIPT, ended - came)
            if self._inner[ANSWER]:
                self._note(ANSWER, self._inner[ANSWER])

        engine._do = timed

    def _part(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time added up within the step under way."""

        @wraps(call)
        def timed(*args: Any) -> Any:
            began = perf_counter()
            try:
                return call(*args)
            finally:
                self._inner[name] += perf_counter() - began

        return timed

    def _note(self, name: str, seconds: float) -> None:
        self.times[name].append(seconds * 1e6)


class _Judge:
    def __init__(self, validate: Callable[..., Any]) -> None:
        self.validate = validate


class _Key:
    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self.sign = sign


class _Timed:
    """The transport, with publishing timed."""

    def __init__(self, network: Any, watch: Watch) -> None:
        self._network = network
        self._watch = watch

    async def publish(self, topic: str, data: bytes, /) -> None:
        began = perf_counter()
        await self._network.publish(topic, data)
        self._watch._note(PUBLISH, perf_counter() - began)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)
