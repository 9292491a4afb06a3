"""What the parts of a node are wired to, where it matters for safety."""

from __future__ import annotations

from typing import Any, cast

import pytest

from operator_node.node.parts import judge
from operator_node.validation import Accept, Ignore, Rule, Verdict
from operator_node.wire.messages import Received

MESSAGE = cast(Received, object())


class Intake:
    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def judge(self, data: bytes, topic: str, peer: object) -> Verdict:
        assert (data, topic, peer) == (b"data", "topic", "peer")
        return self.verdict


class Twins:
    def __init__(self) -> None:
        self.seen: list[tuple[object, object]] = []

    def look(self, message: object, peer: object) -> None:
        self.seen.append((message, peer))


@pytest.mark.parametrize(
    ("verdict", "seen"),
    [(Accept(MESSAGE), [(MESSAGE, "peer")]), (Ignore(next(iter(Rule)), "why"), [])],
)
def test_every_message_that_is_accepted_is_looked_at(verdict: Verdict, seen: list[object]) -> None:
    twins = Twins()
    found = judge(cast(Any, Intake(verdict)), cast(Any, twins), b"data", "topic", "peer")
    assert found is verdict
    assert twins.seen == seen
