"""Redialling: soon after a loss, slower while in vain, few at once."""

from __future__ import annotations

from operator_node.p2p.redial import (
    ATTEMPTS_AT_ONCE,
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    Redial,
)
from operator_node.p2p.scoring import PeerId

ME, LOW, HIGH = PeerId("m"), PeerId("a"), PeerId("z")
NOBODY: frozenset[PeerId] = frozenset()


def test_a_peer_with_a_greater_id_is_dialled_at_once() -> None:
    assert Redial(ME).due([HIGH], NOBODY, now=0) == [HIGH]


def test_a_peer_with_a_lower_id_is_given_a_moment_to_dial_first() -> None:
    redial = Redial(ME)
    assert redial.due([LOW], NOBODY, now=0) == []
    assert redial.due([LOW], NOBODY, now=0.5) == [LOW]


def test_nobody_dials_itself_or_a_connected_peer() -> None:
    assert Redial(ME).due([ME, HIGH], frozenset({HIGH}), now=0) == []


def test_an_attempt_is_not_begun_twice() -> None:
    redial = Redial(ME)
    redial.due([HIGH], NOBODY, now=0)
    assert redial.due([HIGH], NOBODY, now=100) == []


def test_waits_double_up_to_a_bound() -> None:
    redial, now, waits = Redial(ME), 0.0, list[float]()
    for _ in range(8):
        begin = now
        while redial.due([HIGH], NOBODY, now=now) == []:
            now += 0.25
        waits.append(now - begin)
        redial.ended(HIGH, is_connected=False, now=now)
    assert waits[:4] == [0, *(FIRST_WAIT_SECONDS * factor for factor in (2, 4, 8))]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert redial.waits() == {HIGH: 8}


def test_a_peer_that_was_connected_and_is_lost_is_dialled_at_once() -> None:
    redial = Redial(ME)
    redial.due([HIGH], NOBODY, now=0)
    redial.ended(HIGH, is_connected=True, now=1)
    assert redial.due([HIGH], frozenset({HIGH}), now=2) == []
    assert redial.due([HIGH], NOBODY, now=2.1) == [HIGH]


def test_only_so_many_attempts_run_at_once_and_the_first_named_come_first() -> None:
    peers = [PeerId(f"z{number:02}") for number in range(2 * ATTEMPTS_AT_ONCE)]
    redial = Redial(ME)
    assert redial.due(peers, NOBODY, now=0) == peers[:ATTEMPTS_AT_ONCE]
    assert redial.due(peers, NOBODY, now=1) == []
    redial.ended(peers[0], is_connected=False, now=1)
    assert redial.due(peers, NOBODY, now=1.1) == [peers[ATTEMPTS_AT_ONCE]]
