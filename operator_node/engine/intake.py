"""The way in for what peers send: bytes, judged once, and queued for the engine if they concern it.

One synchronous call per message, between which the memory of gossip validation is consistent.
Judging and doing are apart, so that a message is passed on before it is acted upon.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import assert_never

from operator_node.engine.types import Clock, Message, Registry
from operator_node.validation import (
    Accept,
    Chain,
    Ignore,
    Reject,
    Rule,
    Validator,
    Verdict,
)
from sdk.types import OperatorId


class Intake:
    """Judges messages for the transport."""

    def __init__(
        self,
        *,
        network: Chain,
        registry: Registry,
        clock: Clock,
        concerns: Callable[[bytes], bool],
        take: Callable[[Message, int], None],
    ) -> None:
        """Has seen nothing.

        Args:
            network: names, domains and forks.
            registry: all committees of the network, and operators' keys.
            clock: for the time of arrival.
            concerns: whether messages of an id are for this operator.
            take: given what is accepted and concerns this operator, and when it came, unix
                milliseconds. Must not block.
        """
        self._registry = registry
        self._clock = clock
        self._concerns = concerns
        self._take = take
        self._genesis_ms = clock.start_ms(0)
        self._validator = Validator(network, registry.view, self._verify)
        self._accepted = 0
        self._refused: Counter[tuple[Rule, bool]] = Counter()

    def judge(self, data: bytes, topic: str, peer: object) -> Verdict:
        """Whether to pass a message on; `Reject` blames the peer that delivered it.

        Args:
            data: of the gossip packet.
            topic: that it came on.
            peer: that delivered it; makes no difference to the verdict.
        """
        now_ms = self._clock.now_ms()
        verdict = self._validator.validate(data, topic, at_ms=now_ms - self._genesis_ms)
        match verdict:
            case Accept():
                self._accepted += 1
                if self._concerns(verdict.message.signed.message.id):
                    self._take(verdict.message, now_ms)
            case Ignore() | Reject():
                self._refused[verdict.rule, isinstance(verdict, Reject)] += 1
            case _:
                assert_never(verdict)
        return verdict

    @property
    def accepted(self) -> int:
        """Messages accepted since the start, own or not."""
        return self._accepted

    @property
    def refused(self) -> Mapping[tuple[Rule, bool], int]:
        """By the rule that was broken, and whether the peer was blamed."""
        return dict(self._refused)

    def _verify(self, operator: OperatorId, data: bytes, signature: bytes) -> bool:
        key = self._registry.operator_keys().get(operator)
        return key is not None and key.verify(data, signature)
