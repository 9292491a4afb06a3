"""The gate: each message is judged once, whoever brings it, and rejections are scored."""

from __future__ import annotations

from operator_node.p2p.intake import Intake
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.validation.rules import Rule
from operator_node.validation.verdict import Ignore, Reject, Verdict
from tests.p2p.nodes import OTHER_TOPIC, TOPIC, accept, message

A, B = PeerId("a"), PeerId("b")
GOOD, DULL, BAD = (message(word, 1) for word in ("good", "ignored", "rejected"))


def new_intake(judged: list[bytes], standing: Standing | None = None) -> Intake:
    def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
        judged.append(data)
        if data == DULL:
            return Ignore(Rule.WRONG_TOPIC, "")
        return Reject(Rule.MALFORMED, "") if data == BAD else accept(data)

    intake = Intake(judge, standing or Standing())
    intake.topics = frozenset({TOPIC})
    return intake


def test_a_message_that_two_peers_bring_is_judged_once() -> None:
    judged: list[bytes] = []
    intake = new_intake(judged)
    assert intake.take(A, TOPIC, GOOD) == accept(GOOD)
    assert intake.take(B, TOPIC, GOOD) is None
    assert judged == [GOOD]
    assert intake.counts.copies == 1


def test_an_own_message_is_not_judged_when_it_comes_back() -> None:
    judged: list[bytes] = []
    intake = new_intake(judged)
    assert intake.claim_own(TOPIC, GOOD)
    assert intake.take(A, TOPIC, GOOD) is None
    assert judged == []


def test_only_a_rejected_message_counts_against_its_bearer() -> None:
    standing = Standing()
    intake = new_intake([], standing)
    assert intake.take(A, TOPIC, DULL) is None
    assert intake.take(B, TOPIC, BAD) is None
    assert standing.score(A) == 0 > standing.score(B)


def test_messages_on_other_topics_are_neither_judged_nor_remembered() -> None:
    judged: list[bytes] = []
    intake = new_intake(judged)
    assert intake.take(A, OTHER_TOPIC, GOOD) is None
    assert judged == []
    assert intake.counts.off_topic == 1
    assert intake.take(A, TOPIC, GOOD) is not None
