"""How much one address may ask: a bucket of tokens that fills again, a price per route.

Pure: time is given. Each process counts for itself.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_ADDRESSES: Final = 20_000
"""Remembered at once, about 4 MB; the one that asked longest ago is forgotten first."""
DEFAULT_PER_SECOND: Final = 20.0
"""A page of an explorer asks for less than ten answers."""
DEFAULT_BURST: Final = 200
PRICES: Final = {
    "/api/v4": 3,
    "/graphql": 10,
    "/v1/fees": 2,
    "/v1/keyshares": 50,
    "/v1/liquidations": 5,
    "/v1/network/history": 5,
    "/v1/operators/select": 10,
    "/v1/search": 2,
    "/v1/tx/register_operator": 2,
    "/v1/tx/register": 50,
    "/v1/tx": 2,
    "/v1/validators/lookup": 10,
}
"""In tokens by the start of the path, the longer one first; else one. `count=true` costs more."""
COUNT_PRICE: Final = 5
METADATA_PRICE: Final = 10
"""A signature to recover, perhaps a question to a node, and a row to write."""
FREE: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""For orchestrators and scrapers."""
ASSETS: Final = "/assets/"
"""What browsers keep, so that a page costs what its data do."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left.

    Attributes:
        granted: whether the request may go on.
        remaining: tokens left.
        reset_s: seconds until the bucket is full, or until this request could be paid.
    """

    granted: bool
    remaining: int
    reset_s: int


def price(path: str, query: bytes) -> int:
    """Tokens that a request costs."""
    if path in FREE or path.startswith(ASSETS):
        return 0
    if path.endswith("/metadata"):
        return METADATA_PRICE
    found = next((cost for start, cost in PRICES.items() if path.startswith(start)), 1)
    return found + (COUNT_PRICE if b"count=true" in query else 0)


class Buckets:
    """One bucket per address."""

    def __init__(self, *, per_second: float = DEFAULT_PER_SECOND, burst: int = DEFAULT_BURST):
        self.burst = burst
        self._per_second = per_second
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, tokens: int, *, now: float) -> Allowance:
        """Pay for a request.

        Args:
            address: of the asker.
            tokens: its price.
            now: seconds of a clock that never goes back.
        """
        level, since = self._levels.pop(address, (float(self.burst), now))
        level = min(float(self.burst), level + max(0.0, now - since) * self._per_second)
        granted = level >= tokens
        left = level - tokens if granted else level
        self._levels[address] = (left, now)
        if len(self._levels) > MOST_ADDRESSES:
            self._levels.popitem(last=False)
        wanted = self.burst if granted else min(tokens, self.burst)
        return Allowance(granted, int(left), max(0, -int(-(wanted - left) // self._per_second)))
