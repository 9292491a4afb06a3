"""The gate: each message is judged once, whoever brings it, and rejections are scored."""

from __future__ import annotations

from operator_node.p2p.intake import Hear, Intake
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.validation.rules import Rule
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict
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


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def guarded(
    judged: list[bytes], *, standing: Standing | None = None, kept: frozenset[PeerId] = frozenset()
) -> tuple[Intake, Clock]:
    """For which messages that begin with `own` are of an own committee; `i` is ignored."""

    def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
        judged.append(data)
        return Ignore(Rule.WRONG_TOPIC, "") if data.startswith(b"i") else accept(data)

    clock = Clock()
    intake = Intake(
        judge,
        standing or Standing(),
        concerns=lambda data: data.startswith(b"own"),
        is_kept=kept.__contains__,
        now=clock,
    )
    intake.topics = frozenset({TOPIC})
    return intake, clock


def bore(intake: Intake, peer: PeerId, count: int) -> None:
    """A peer brings ignored messages."""
    for number in range(count):
        intake.take(peer, TOPIC, message(f"ignored {number}", 1))


def test_a_node_that_is_behind_judges_own_committees_and_no_others() -> None:
    judged: list[bytes] = []
    intake, _clock = guarded(judged)
    foreign, own = message("foreign", 1), message("own", 1)
    intake.feel(0.2)
    assert intake.take(A, TOPIC, foreign) is None
    assert intake.take(A, TOPIC, own) is not None
    assert judged == [own]
    assert intake.counts.shed_behind == 1
    intake.feel(0.0)
    assert intake.take(A, TOPIC, foreign) is not None


def test_a_peer_that_brings_too_much_that_is_useless_is_heard_for_own_committees_alone() -> None:
    intake, clock = guarded([])
    bore(intake, A, 300)
    assert intake.is_tired_of(A)
    assert intake.take(A, TOPIC, message("foreign", 1)) is None
    assert intake.counts.shed_useless == 1
    assert intake.take(B, TOPIC, message("foreign", 1)) is not None
    assert intake.take(A, TOPIC, message("own", 1)) is not None
    clock.now = 10.0
    assert not intake.is_tired_of(A)
    assert intake.take(A, TOPIC, message("another", 1)) is not None


def test_what_is_useless_is_no_fault_and_co_operators_are_not_slowed_down() -> None:
    standing = Standing()
    intake, _clock = guarded([], standing=standing, kept=frozenset({A}))
    bore(intake, A, 1000)
    assert not intake.is_tired_of(A)
    assert standing.score(A) == 0


def test_more_than_any_peer_may_send_is_dropped_unseen_and_costs_the_peer_its_place() -> None:
    standing, judged = Standing(), list[bytes]()
    intake, _clock = guarded(judged, standing=standing)
    for number in range(5400):
        intake.take(A, TOPIC, message(f"own {number}", 1))
    assert len(judged) == 5000
    assert intake.counts.flooded == 400
    assert standing.is_refused(A)
    assert intake.take(B, TOPIC, message("own 5399", 1)) is not None


def test_a_copy_from_the_same_peer_is_a_fault_beyond_what_a_reconnection_explains() -> None:
    standing = Standing()
    intake, _clock = guarded([], standing=standing)
    for _ in range(520):
        intake.take(A, TOPIC, GOOD)
        intake.take(B, TOPIC, GOOD)
    assert intake.counts.repeated == 519
    assert standing.score(A) == -19
    assert standing.score(B) == 0


def test_who_brings_an_accepted_message_first_is_told() -> None:
    told: list[PeerId] = []
    intake = Intake(lambda data, _topic, _peer: accept(data), Standing(), hear=note(told))
    intake.topics = frozenset({TOPIC})
    intake.take(A, TOPIC, GOOD)
    intake.take(B, TOPIC, GOOD)
    assert told == [A]


def note(told: list[PeerId]) -> Hear:
    def hear(peer: PeerId, _accepted: Accept) -> None:
        told.append(peer)

    return hear


def test_peers_that_are_gone_are_forgotten() -> None:
    intake, clock = guarded([])
    clock.now = 7.0
    for peer in (A, B):
        intake.hear(peer)
    intake.keep({A})
    assert intake.heard == {A: 7.0}
