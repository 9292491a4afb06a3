"""Who is asked, who is connected anew, and what two ends that differ say."""

from __future__ import annotations

import pytest
import trio
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.liveness import (
    AGAIN_SECONDS,
    ANSWERS_PER_TURN,
    KEPT_EVERY_SECONDS,
    SILENT_SECONDS,
    Answer,
    Asking,
    Liveness,
    View,
)
from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.dialer import Dialer
from tests.p2p.nodes import free_port
from tests.unit.operator_node.p2p.builders import peer_of
from tests.unit.operator_node.p2p.upstream.hosts import host, identity

A, B = peer_of(1), peer_of(2)


def asked(liveness: Liveness, now: float, *, heard: float = 0, kept: bool = False) -> list[PeerId]:
    kept_peers = frozenset({A}) if kept else frozenset()
    return liveness.due([A], kept_peers, {A: heard}, now=now)


def answered(liveness: Liveness, answer: Answer, now: float, *, was_heard: bool = False) -> bool:
    return liveness.ended(A, answer, took=0.2, was_heard=was_heard, now=now)


def test_a_stranger_is_asked_when_it_is_silent_and_not_before() -> None:
    liveness = Liveness()
    assert asked(liveness, 0) == []
    assert asked(liveness, SILENT_SECONDS, heard=15) == []
    assert asked(liveness, 35, heard=15) == [A]
    assert asked(liveness, 36, heard=15) == []


def test_a_co_operator_is_asked_now_and_then_whatever_it_sends() -> None:
    liveness = Liveness()
    asked(liveness, 0, kept=True)
    assert asked(liveness, 20, heard=20, kept=True) == [A]
    assert not answered(liveness, Answer.GOOD, 20)
    assert liveness.latency(A) == 0.2
    assert asked(liveness, 19 + KEPT_EVERY_SECONDS, heard=49, kept=True) == []
    assert asked(liveness, 20 + KEPT_EVERY_SECONDS, heard=50, kept=True) == [A]


@pytest.mark.parametrize(
    ("answers", "was_heard", "is_anew"),
    [
        ([Answer.NONE], False, False),
        ([Answer.NONE, Answer.NONE], False, True),
        ([Answer.DIFFERENT, Answer.DIFFERENT], True, True),
        ([Answer.NONE, Answer.GOOD, Answer.NONE], False, False),
        ([Answer.NONE] * 3, True, False),
        ([Answer.NONE] * 4, True, True),
        ([Answer.UNKNOWN] * 9, False, False),
    ],
)
def test_one_bad_answer_proves_nothing_and_more_in_a_row_do(
    answers: list[Answer], was_heard: bool, is_anew: bool
) -> None:
    liveness = Liveness()
    now, ended = 0.0, False
    asked(liveness, now, kept=True)
    for answer in answers:
        now += KEPT_EVERY_SECONDS
        assert asked(liveness, now, heard=now, kept=True) == [A]
        ended = answered(liveness, answer, now, was_heard=was_heard)
    assert ended is is_anew
    assert liveness.reconnected == is_anew


def test_a_bad_answer_is_soon_asked_for_again() -> None:
    liveness = Liveness()
    asked(liveness, 0)
    assert asked(liveness, 25) == [A]
    answered(liveness, Answer.NONE, 25)
    assert asked(liveness, 25 + AGAIN_SECONDS, heard=29) == [A]


def test_peers_that_are_gone_are_forgotten() -> None:
    liveness = Liveness()
    asked(liveness, 0, kept=True)
    asked(liveness, 20, kept=True)
    answered(liveness, Answer.GOOD, 20)
    liveness.due([B], frozenset(), {}, now=21)
    assert liveness.latency(A) is None
    assert not answered(liveness, Answer.NONE, 22)


@pytest.mark.parametrize("view", [View(True, 3), View(False, 0), View(True, 256)])
def test_a_view_survives_the_wire(view: View) -> None:
    assert View.decode(view.encode()) == view


def ask(
    theirs: View, *, topics: int, times: int = 1, speaks_ours: bool = True
) -> tuple[list[Answer], int]:
    """What a node with so many topics is answered by one that believes this.

    Also how often the other one was asked in our own protocol, and answered.
    """
    told = 0

    def tell(_peer: PeerId) -> View:
        nonlocal told
        told += 1
        return theirs

    async def main() -> list[Answer]:
        one, two = host(1), host(2)
        address = f"/ip4/127.0.0.1/tcp/{free_port()}"
        async with one.run([]), two.run([Multiaddr(address)]):
            asking = Asking(one, lambda _peer: View(True, 1), lambda: topics)
            if speaks_ours:
                Asking(two, tell, lambda: 1)
            assert await Dialer(one).dial(identity(2).peer, [address])
            return [await asking.ask(identity(2).peer) for _ in range(times)]

    return trio.run(main), told


@pytest.mark.usefixtures("swept")
@pytest.mark.parametrize(
    ("theirs", "answer"),
    [
        (View(True, 2), Answer.GOOD),
        (View(False, 0), Answer.DIFFERENT),
        (View(True, 1), Answer.DIFFERENT),
    ],
)
def test_an_end_that_does_not_hear_or_know_the_topics_is_found_out(
    theirs: View, answer: Answer
) -> None:
    assert ask(theirs, topics=2) == ([answer], 1)


@pytest.mark.usefixtures("swept")
def test_other_software_is_pinged_and_who_asks_too_often_is_not_answered() -> None:
    assert ask(View(True, 0), topics=2, speaks_ours=False) == ([Answer.GOOD], 0)
    answers, told = ask(View(True, 2), topics=2, times=ANSWERS_PER_TURN + 2)
    assert answers[:ANSWERS_PER_TURN] == [Answer.GOOD] * ANSWERS_PER_TURN
    assert told == ANSWERS_PER_TURN


@pytest.mark.usefixtures("swept")
def test_a_peer_that_is_gone_gives_no_answer() -> None:
    async def main() -> Answer:
        one = host(1)
        async with one.run([]):
            return await Asking(one, lambda _peer: View(True, 0), lambda: 0).ask(identity(3).peer)

    assert trio.run(main) is Answer.NONE
