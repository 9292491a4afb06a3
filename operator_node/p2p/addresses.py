"""How many connections an address may open: a few at once, then a few per half minute.

Ids cost nothing to make, a handshake costs this node 50 ms, and an address is the first thing that
is known of who comes. So strangers behind one address share a budget, and each peer behind it that
had to be shown out takes a good part of it: an address that keeps sending such peers is closed for
minutes. Only incoming connections count: whom this node dials itself is its own choice.

Pure: times are arguments, in seconds of any monotonic clock.

Source: docs/security.md, "Peers".
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Final

BURST: Final = 8
"""Connections at once, as other nodes of the network allow."""
REFILL_PER_SECOND: Final = 4 / 30
PRICE_OF_A_REFUSED_PEER: Final = 8.0
"""As much as a whole burst: the next connection is a minute away."""
DEEPEST_DEBT: Final = -40.0
"""Five minutes: an address can be somebody else's tomorrow, so nothing is held against it long."""
ADDRESSES_REMEMBERED: Final = 10_000
"""About 2 MB. Who would be forgotten anyway the soonest is forgotten first."""
THIS_MACHINE: Final = ("127.0.0.1", "::1")
_V6_PREFIX: Final = 8
"""Bytes of an IPv6 address that one customer of a provider has: he has all the rest."""


class AddressLimits:
    """Budgets of the addresses that connected lately.

    Args:
        is_limited: False behind a proxy, where everybody has the proxy's address.
        exempt: addresses of peers that the operator trusts. So is this machine itself: whoever
            runs programs on it needs no connection to harm the node.
    """

    __slots__ = ("_budgets", "_exempt", "_is_limited", "refused")

    def __init__(self, *, is_limited: bool = True, exempt: Iterable[str] = ()) -> None:
        self._is_limited = is_limited
        self._exempt = frozenset(map(_group, (*THIS_MACHINE, *exempt)))
        self._budgets: dict[bytes, tuple[float, float]] = {}
        """(connections left, as of when)."""
        self.refused = 0
        """Connections refused since the start."""

    def admits(self, address: str, *, now: float) -> bool:
        """Whether an address may connect once more; if so, that is counted."""
        group = _group(address)
        if not self._is_limited or group in self._exempt:
            return True
        left = self._left(group, now)
        if left < 1:
            self.refused += 1
            return False
        self._put(group, left - 1, now)
        return True

    def blame(self, address: str, *, now: float) -> None:
        """A peer behind the address had to be shown out."""
        group = _group(address)
        if self._is_limited and group not in self._exempt:
            left = self._left(group, now) - PRICE_OF_A_REFUSED_PEER
            self._put(group, max(left, DEEPEST_DEBT), now)

    def __len__(self) -> int:
        return len(self._budgets)

    def _left(self, group: bytes, now: float) -> float:
        left, since = self._budgets.get(group, (float(BURST), now))
        return min(left + (now - since) * REFILL_PER_SECOND, BURST)

    def _put(self, group: bytes, left: float, now: float) -> None:
        if group not in self._budgets and len(self._budgets) >= ADDRESSES_REMEMBERED:
            self._make_room(now)
        self._budgets[group] = (left, now)

    def _make_room(self, now: float) -> None:
        """Forgets whoever has his whole budget again, or else the half with the most of it."""
        by_budget = sorted(self._budgets, key=lambda group: self._left(group, now))
        is_full = [self._left(group, now) >= BURST for group in by_budget]
        kept = min(is_full.index(True) if True in is_full else len(by_budget), len(by_budget) // 2)
        for group in by_budget[kept:]:
            del self._budgets[group]


def _group(address: str) -> bytes:
    """Addresses that count as one; text that is none counts by itself."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address.encode()
    if not isinstance(parsed, IPv6Address):
        return parsed.packed
    if parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.packed
    return parsed.packed[:_V6_PREFIX]
