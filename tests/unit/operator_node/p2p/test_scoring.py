"""Scores: rejections add up, time forgives, trusted peers are never refused."""

from __future__ import annotations

import pytest

from operator_node.p2p import scoring
from operator_node.p2p.scoring import HALF_LIFE_SECONDS, Fault, PeerId, Standing

PEER = PeerId("peer")


def blamed(times: int, *, trusted: tuple[PeerId, ...] = ()) -> Standing:
    standing = Standing(trusted)
    for _ in range(times):
        standing.blame(PEER, Fault.REJECTED_MESSAGE)
    return standing


def test_twenty_rejected_messages_are_too_many() -> None:
    assert not blamed(19).is_refused(PEER)
    assert blamed(20).is_refused(PEER)


def test_a_forged_record_weighs_more_than_a_rejected_message() -> None:
    standing = Standing()
    standing.blame(PEER, Fault.FORGED_RECORD)
    assert standing.score(PEER) < blamed(5).score(PEER)


def test_half_of_the_score_is_forgiven_in_a_half_life() -> None:
    standing = blamed(4)
    standing.pass_time(HALF_LIFE_SECONDS)
    assert standing.score(PEER) == pytest.approx(-2)


def test_a_refused_peer_comes_back_two_half_lives_later() -> None:
    standing = blamed(20)
    standing.pass_time(1.9 * HALF_LIFE_SECONDS)
    assert standing.is_refused(PEER)
    standing.pass_time(0.2 * HALF_LIFE_SECONDS)
    assert not standing.is_refused(PEER)


def test_trusted_peers_are_not_scored() -> None:
    standing = blamed(100, trusted=(PEER,))
    assert standing.score(PEER) == 0
    assert not standing.is_refused(PEER)


def test_only_so_many_peers_are_remembered_and_the_worst_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "PEERS_REMEMBERED", 2)
    standing = blamed(20)
    standing.blame(PeerId("a"), Fault.REJECTED_MESSAGE)
    standing.blame(PeerId("b"), Fault.REJECTED_MESSAGE)
    assert standing.is_refused(PEER)
    assert standing.score(PeerId("a")) == 0


def test_nothing_is_held_against_a_peer_for_longer_than_six_half_lives() -> None:
    standing = blamed(10_000)
    assert standing.score(PEER) == scoring.WORST
    standing.pass_time(6.1 * HALF_LIFE_SECONDS)
    assert not standing.is_refused(PEER)
