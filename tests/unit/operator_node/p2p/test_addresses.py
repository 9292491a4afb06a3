"""Budgets of addresses: a burst, a slow refill, and what refused peers cost."""

from __future__ import annotations

import pytest

from operator_node.p2p import addresses
from operator_node.p2p.addresses import BURST, AddressLimits

A, B = "192.0.2.1", "192.0.2.2"


def taken(limits: AddressLimits, address: str, *, now: float) -> int:
    """How many connections an address gets at once."""
    count = 0
    while limits.admits(address, now=now):
        count += 1
        assert count < 1000, "there is no limit"
    return count


def test_eight_at_once_then_four_per_half_minute() -> None:
    limits = AddressLimits()
    assert taken(limits, A, now=0) == BURST == 8
    assert taken(limits, A, now=30) == 4
    assert taken(limits, A, now=10_000) == 8
    assert limits.refused == 3


def test_addresses_do_not_share_a_budget() -> None:
    limits = AddressLimits()
    taken(limits, A, now=0)
    assert taken(limits, B, now=0) == BURST


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", A, True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("no address", "no address", True),
    ],
)
def test_a_network_of_version_six_counts_as_one_address(
    one: str, other: str, is_shared: bool
) -> None:
    limits = AddressLimits()
    taken(limits, one, now=0)
    assert taken(limits, other, now=0) == (0 if is_shared else BURST)


def test_a_refused_peer_costs_its_address_a_minute_and_many_cost_five() -> None:
    limits = AddressLimits()
    limits.admits(A, now=0)
    limits.blame(A, now=0)
    assert not limits.admits(A, now=14)
    assert limits.admits(A, now=16)
    for _ in range(100):
        limits.blame(B, now=0)
    assert not limits.admits(B, now=300)
    assert limits.admits(B, now=310)


def test_trusted_addresses_this_machine_and_everybody_behind_a_proxy_are_exempt() -> None:
    for limits in (AddressLimits(exempt=[A, "127.0.0.1"]), AddressLimits(is_limited=False)):
        for address in (A, "127.0.0.1"):
            limits.blame(address, now=0)
            assert all(limits.admits(address, now=0) for _ in range(100))


def test_remembered_addresses_are_bounded_and_the_worst_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(addresses, "ADDRESSES_REMEMBERED", 100)
    limits = AddressLimits()
    limits.blame(A, now=0)
    for number in range(1000):
        limits.admits(f"10.0.{number // 250}.{number % 250}", now=0)
    assert len(limits) <= 100
    assert not limits.admits(A, now=0)
