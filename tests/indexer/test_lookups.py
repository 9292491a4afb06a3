"""Indexes left out while a long history is read are there again when readers are told it is."""

from __future__ import annotations

import psycopg
import pytest

from indexer.store import lookups
from tests.indexer import databases
from tests.indexer.chain import Chain
from tests.indexer.following import Following
from tests.indexer.test_loop import Loop

pytestmark = pytest.mark.slow
BLOCKS = 200
"""More than are read one by one, so that there is a history."""


@pytest.fixture
def chain() -> Chain:
    made = Chain(busy=0.3)
    made.mine(*range(BLOCKS))
    return made


def indexes(url: str) -> dict[str, str]:
    """What makes each index, by its name."""
    with psycopg.connect(url) as connection:
        return dict(
            connection.execute("SELECT indexname, indexdef FROM pg_indexes ORDER BY 1").fetchall()
        )


def options(url: str) -> list[str] | None:
    """What is unusual about how rows of `log` are stored."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT reloptions FROM pg_class WHERE oid = 'log'::regclass"
        ).fetchone()
    assert row is not None
    found: list[str] | None = row[0]
    return found


def begin(url: str, chain: Chain) -> None:
    """The first step of many."""
    with Following(url, transport=chain.transport, widest=20) as following:
        following.take(1)


def test_a_long_history_is_read_without_them(
    url: str, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = indexes(url)
    monkeypatch.setattr(lookups, "LONG", 100)
    begin(url, chain)
    after = indexes(url)
    assert before.keys() - after.keys() == lookups.LOOKUPS.keys()
    assert {name for name in before if name.endswith(("_key", "_pkey"))} <= after.keys()
    assert options(url) == [f"toast_tuple_target={lookups.WHOLE_ROW}"]


def test_a_short_history_is_read_with_them(url: str, chain: Chain) -> None:
    before = indexes(url)
    begin(url, chain)
    assert indexes(url) == before
    assert options(url) is None


def test_whoever_goes_on_makes_them(
    url: str, server: str, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = indexes(url)
    monkeypatch.setattr(lookups, "LONG", 100)
    begin(url, chain)
    Loop(chain, url).run()
    assert indexes(url) == before
    assert options(url) is None
    monkeypatch.undo()
    with databases.fresh(server) as other:
        with Following(other, transport=chain.transport) as following:
            following.take()
        assert not databases.difference(databases.rows(url), databases.rows(other))


def test_the_loop_makes_them_before_it_says_that_all_is_read(
    url: str, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = indexes(url)
    monkeypatch.setattr(lookups, "LONG", 100)
    left_out: list[dict[str, str]] = []
    leave_out = lookups.leave_out

    def watched(connection: psycopg.Connection) -> None:
        leave_out(connection)
        left_out.append(before)

    monkeypatch.setattr(lookups, "leave_out", watched)
    loop = Loop(chain, url)
    seen: list[dict[str, str]] = []
    advance = loop.advance

    def look(tip: object) -> None:
        seen.append(indexes(url))
        advance(tip)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(loop, "advance", look)
    loop.run()
    assert left_out
    assert seen[0] == before
