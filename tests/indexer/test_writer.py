"""One writer, whole steps, and tables that are believed only as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from indexer.project import Replay
from indexer.store import CHANNEL, Writer, load
from sdk.chain import Point
from sdk.errors import ConfigError, InvariantBroken, StorageError
from sdk.types import Address, BlockNumber
from tests.indexer import databases
from tests.indexer.chain import FIRST, Chain
from tests.indexer.following import IDENTITY, Following, sabotage

pytestmark = pytest.mark.slow


@pytest.fixture
def chain() -> Chain:
    made = Chain(busy=0.6)
    made.mine(*range(40))
    return made


def follow(chain: Chain, url: str, most: int = 1000) -> int:
    with Following(url, transport=chain.transport) as following:
        return following.take(most)


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def do(url: str, statement: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).rowcount


def test_there_is_one_writer(url: str) -> None:
    with Writer(url, IDENTITY), pytest.raises(StorageError) as caught:
        Writer(url, IDENTITY)
    assert caught.value.code == "writer_running"
    Writer(url, IDENTITY).close()


@pytest.mark.parametrize(
    "other",
    [
        replace(IDENTITY, chain_id=5),
        replace(IDENTITY, contract=Address(b"\1" * 20)),
        replace(IDENTITY, first_block=BlockNumber(9)),
        replace(IDENTITY, verifies_shares=False),
    ],
)
def test_tables_belong_to_one_registry(url: str, other: Any) -> None:
    Writer(url, IDENTITY).close()
    with pytest.raises(ConfigError) as caught:
        Writer(url, other)
    assert caught.value.code == "database_foreign"
    Writer(url, IDENTITY).close()


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StorageError) as caught:
        Writer("postgresql://somebody:secret@127.0.0.1:1/name", IDENTITY)
    assert caught.value.code == "database_unreachable"
    assert "secret" not in str(caught.value)


def test_what_was_written_is_loaded(url: str, chain: Chain) -> None:
    with Following(url, transport=chain.transport) as following:
        following.take()
        state, tip = following.replay.state, following.replay.tip
    with Writer(url, IDENTITY) as writer:
        loaded = load(writer.connection)
    assert loaded.state == state
    assert loaded.tip == tip
    assert [each.number for each in loaded.points] == list(range(FIRST, chain.head + 1))


def test_listeners_hear_of_every_step(url: str, chain: Chain) -> None:
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}".encode())
        follow(chain, url)
        old = chain.head
        chain.reorganise(3, 101, 102, 103, 104)
        follow(chain, url)
        heard = [json.loads(each.payload) for each in listener.notifies(timeout=0.5)]
    kinds = [each["kind"] for each in heard]
    assert kinds[-2:] == ["reverted", "extended"]
    assert set(kinds[:-2]) == {"extended"}
    assert heard[0]["from"] is None
    back, again = heard[-2:]
    assert (back["from"], back["number"]) == (old, old - 3)
    assert (again["from"], again["number"]) == (old - 3, chain.head)
    assert again["hash"] == chain.blocks[-1]["hash"]
    assert sum(each.get("logs", 0) for each in heard[:-2]) > 0


def test_reorganisations_are_remembered(url: str, chain: Chain) -> None:
    follow(chain, url)
    old = chain.blocks[-1]["hash"]
    chain.reorganise(2, 201, 202, 203)
    follow(chain, url)
    [row] = ask(url, "SELECT old_number, encode(old_hash, 'hex'), number FROM reorg")
    assert row == (39, old[2:], 37)


@pytest.mark.parametrize("statement", range(1, 36, 3))
def test_a_connection_cut_at_any_statement_leaves_whole_steps(
    url: str, server: str, chain: Chain, statement: int
) -> None:
    follow(chain, url)
    chain.reorganise(5, *range(500, 507))
    with Following(url, transport=chain.transport) as following:
        sabotage(following.writer, server, at=statement)
        with pytest.raises(StorageError) as caught:
            following.take()
    assert caught.value.code == "database_unreachable"
    follow(chain, url)
    with databases.fresh(server) as other:
        follow(chain, other)
        assert databases.difference(databases.rows(url), databases.rows(other)) == ""


def test_a_step_that_does_not_follow_is_refused(url: str, chain: Chain) -> None:
    follow(chain, url)
    before = databases.rows(url)
    with Following(url, transport=chain.transport) as following:
        chain.mine(300)
        following.replay = Replay(following.replay.state, Point(chain.head, b"\1" * 32))
        with pytest.raises(InvariantBroken, match="not at block 40"):
            following.take()
    assert databases.rows(url) == before


def test_going_back_further_than_is_remembered_is_refused(url: str, chain: Chain) -> None:
    follow(chain, url)
    tip = Point(chain.head, bytes.fromhex(chain.blocks[-1]["hash"][2:]))
    with Writer(url, IDENTITY) as writer, pytest.raises(InvariantBroken, match="cannot be gone"):
        writer.roll_back(tip, Point(BlockNumber(1), b"\1" * 32), None)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE operator_version SET credit_units = credit_units + 1 WHERE operator_id = 1 "
        "AND valid_to IS NULL",
        "DELETE FROM account_version WHERE valid_to IS NULL",
        "UPDATE block SET number = number + 100 WHERE number = 39",
    ],
)
def test_damaged_tables_are_noticed_at_the_start(url: str, chain: Chain, damage: str) -> None:
    follow(chain, url)
    assert do(url, damage) > 0
    with Writer(url, IDENTITY) as writer, pytest.raises(StorageError) as caught:
        load(writer.connection)
    assert caught.value.code == "database_damaged"


def test_a_version_that_is_missing_is_noticed_when_it_should_end(url: str, chain: Chain) -> None:
    with Following(url, transport=chain.transport) as following:
        following.take()
        assert do(url, "DELETE FROM operator_version WHERE valid_to IS NULL") > 0
        chain.mine(*range(400, 460))
        with pytest.raises(InvariantBroken, match="operator_version end"):
            following.take()


def test_history_answers_for_every_block(url: str, chain: Chain) -> None:
    """The rows valid at a block are the rows of an indexer that stopped there."""
    follow(chain, url)
    table = "operator_version"
    columns = "operator_id, credit_units, validator_count, fee_units"
    for stop in range(FIRST, 40, 7):
        at = (
            f"SELECT {columns} FROM {table} WHERE valid_from <= {stop} "  # noqa: S608
            f"AND (valid_to IS NULL OR valid_to > {stop}) ORDER BY 1"
        )
        short = Chain(busy=0.6)
        short.mine(*range(stop + 1))
        with databases.fresh(url, name="short") as other:
            follow(short, other)
            now = f"SELECT {columns} FROM {table} WHERE valid_to IS NULL ORDER BY 1"  # noqa: S608
            assert ask(url, at) == ask(other, now)
