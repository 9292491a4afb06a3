"""Budgets of peers: what an honest peer sends fits, and what is beyond does not."""

from __future__ import annotations

import pytest

from operator_node.p2p import rates
from operator_node.p2p.rates import MESSAGE_BYTES, MESSAGES, REPEATS, USELESS, PeerRates
from tests.unit.operator_node.p2p.builders import peer_of

A, B = peer_of(1), peer_of(2)


def test_the_heaviest_load_from_one_peer_fits() -> None:
    budget = PeerRates()
    assert all(budget.admits(A, 700, now=0) for _ in range(int(MESSAGES.burst)))
    assert not budget.admits(A, 700, now=0)
    assert budget.admits(B, 700, now=0)
    for second in range(1, 60):
        assert all(budget.admits(A, 700, now=second) for _ in range(1000))


def test_bytes_are_bounded_beside_messages() -> None:
    budget = PeerRates()
    largest = 9_589_483
    assert [budget.admits(A, largest, now=0) for _ in range(4)] == [True] * 3 + [False]
    assert MESSAGE_BYTES.burst > 3 * largest


def test_a_reconnection_excuses_repeats_and_a_flood_does_not() -> None:
    budget = PeerRates()
    assert all(budget.excuses_repeat(A, now=0) for _ in range(int(REPEATS.burst)))
    assert not budget.excuses_repeat(A, now=0)
    assert budget.excuses_repeat(A, now=1)


def test_useless_messages_add_up_and_are_forgiven() -> None:
    budget = PeerRates()
    assert not budget.is_useless(A, now=0)
    for _ in range(int(USELESS.burst)):
        budget.note_useless(A, now=0)
    assert budget.is_useless(A, now=0)
    assert not budget.is_useless(A, now=1)


def test_peers_that_are_gone_are_forgotten_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget = PeerRates()
    for _ in range(int(USELESS.burst)):
        budget.note_useless(A, now=0)
    budget.keep({B})
    assert not budget.is_useless(A, now=0)
    monkeypatch.setattr(rates, "PEERS", 3)
    for number in range(10):
        budget.admits(peer_of(number), 1, now=0)
    assert len(budget._budgets) == 3
