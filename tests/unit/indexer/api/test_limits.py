"""Buckets fill with time, are paid from, and are forgotten in the order of their use."""

from __future__ import annotations

import pytest

from indexer.api import limits
from indexer.api.limits import Buckets, price


def test_a_bucket_is_paid_from_and_fills_again() -> None:
    buckets = Buckets(per_second=2, burst=10)
    assert buckets.take("a", 10, now=0).granted
    refused = buckets.take("a", 3, now=1)
    assert (refused.granted, refused.remaining, refused.reset_s) == (False, 2, 1)
    assert buckets.take("a", 3, now=1.5).granted
    assert buckets.take("b", 10, now=1.5).granted
    assert buckets.take("a", 10, now=1000).remaining == 0


def test_a_bucket_never_holds_more_than_the_burst_and_time_never_takes_away() -> None:
    buckets = Buckets(per_second=5, burst=10)
    assert buckets.take("a", 4, now=100).remaining == 6
    assert buckets.take("a", 0, now=50).remaining == 6
    assert buckets.take("a", 0, now=10_000).remaining == 10


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 3)
    buckets = Buckets(per_second=0.001, burst=5)
    for name in "abcd":
        buckets.take(name, 5, now=0)
    assert buckets.take("b", 1, now=0).granted is False
    assert buckets.take("a", 5, now=0).granted  # forgotten first


@pytest.mark.parametrize(
    ("path", "query", "tokens"),
    [
        ("/v1/operators", b"", 1),
        ("/v1/operators/select", b"", 10),
        ("/v1/operators", b"limit=3&count=true", 6),
        ("/v1/liquidations", b"", 5),
        ("/v1/keyshares/verify", b"", 50),
        ("/healthz", b"", 0),
    ],
)
def test_dear_questions_cost_more(path: str, query: bytes, tokens: int) -> None:
    assert price(path, query) == tokens
