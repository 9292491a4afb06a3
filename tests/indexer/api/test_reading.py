"""A view of the tables: one state for its whole life, and connections that outlive mishaps."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, func, select

from indexer.queries import network, operators
from indexer.queries.connections import open_database
from indexer.queries.errors import NotAvailable, NotFound, Overloaded
from indexer.queries.events import EventFilter, count_events, events
from indexer.queries.operators import OperatorFilter, count_operators
from indexer.queries.prepared import Prepared
from indexer.queries.reading import open_view
from indexer.queries.records import Cut, one_of
from indexer.store.tables import operator_version
from sdk.types import BlockNumber, OperatorId
from tests.indexer import databases
from tests.indexer.api.world import Api, PaidChain, Reference, open_api

pytestmark = pytest.mark.slow
EVERY = Cut(limit=500)


@pytest.fixture
def moving(server: str) -> Iterator[Api]:
    """An API over a chain that goes on during the test."""
    chain = PaidChain()
    chain.mine(*range(60))
    with databases.fresh(server, name="read") as url:
        made = open_api(url, chain)
        yield made
        made.app.state.engine.dispose()


@pytest.fixture
def single(api: Api) -> Iterator[Engine]:
    """One connection, so that every view has the same."""
    engine = open_database(api.url, connections=1)
    yield engine
    engine.dispose()


def test_a_view_tells_of_one_block_while_the_writer_goes_on(moving: Api) -> None:
    with open_view(moving.app.state.engine) as view:
        before = count_events(view, EventFilter())
        moving.chain.mine(*range(1000, 1010))
        moving.follow()
        assert view.at == 59
        assert count_events(view, EventFilter()) == before
        assert {each.block for each in events(view, EventFilter(), EVERY).entries} <= set(range(60))
    with open_view(moving.app.state.engine) as view:
        assert view.at == 69
        assert count_events(view, EventFilter()) > before


def test_what_is_remembered_of_a_block_goes_with_it(moving: Api) -> None:
    engine = open_database(moving.url, connections=1)
    with open_view(engine) as view:
        first = network.network(view)
        held = operators.by_ids(view, [OperatorId(1), OperatorId(999)])
    with open_view(engine) as view:
        assert network.network(view) is first
        again = operators.by_ids(view, [OperatorId(1), OperatorId(2)])
        assert again[OperatorId(1)] is held[OperatorId(1)]
        assert set(again) == {1, 2}
    moving.chain.mine(*range(2000, 2060))
    moving.follow()
    with open_view(engine) as view:
        assert network.network(view) != first
    with open_view(engine, BlockNumber(59)) as view:
        assert network.network(view) == first
    engine.dispose()


def test_a_view_leaves_no_transaction_behind(api: Api, single: Engine) -> None:
    with open_view(single) as view:
        process = view.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with pytest.raises(NotFound), open_view(single, BlockNumber(10**9)):
        pass
    with psycopg.connect(api.url) as connection:
        found = connection.execute(
            "SELECT state, backend_xmin FROM pg_stat_activity WHERE pid = %s", (process,)
        ).fetchone()
    assert found == ("idle", None)


def test_nothing_can_be_written_through_a_view(single: Engine) -> None:
    refused = Prepared(lambda _: select(func.pg_notify("phalanx", "{}")))
    written = Prepared(lambda _: select(func.nextval("reorg_id_seq")))
    with open_view(single) as view:
        assert view.ask(refused) == [("",)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            view.ask(written)


def test_a_connection_is_good_again_after_a_question_that_took_too_long(single: Engine) -> None:
    slow = Prepared(lambda _: select(func.pg_sleep(10)))
    with open_view(single) as view:
        view.connection.exec_driver_sql("SET LOCAL statement_timeout = 20")
        with pytest.raises(Overloaded, match="takes longer"):
            view.ask(slow)
    with open_view(single) as view:
        view.connection.exec_driver_sql("SET LOCAL statement_timeout = 20")
        with pytest.raises(Overloaded, match="takes longer"):
            view.rows(select(func.pg_sleep(10)))
    with open_view(single) as view:
        assert count_operators(view, OperatorFilter()) > 0


def test_after_a_restart_of_the_server_only_one_question_fails(api: Api) -> None:
    engine = open_database(api.url, connections=3)
    with open_view(engine) as one, open_view(engine) as two, open_view(engine) as three:
        views = (one, two, three)
        ids = [
            each.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() for each in views
        ]
    with psycopg.connect(api.url, autocommit=True) as connection:
        for each in ids:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (each,))
    with pytest.raises(NotAvailable), open_view(engine):
        pass
    for _ in views:
        with open_view(engine) as view:
            assert count_operators(view, OperatorFilter()) > 0
    engine.dispose()


def test_a_prepared_statement_serves_every_block(api: Api, told: Reference, single: Engine) -> None:
    counted = Prepared(
        lambda moment: select(func.count()).where(
            moment.holds(operator_version), one_of(operator_version.c.operator_id, "ids")
        )
    )
    for number, state in told.states.items():
        wanted = [*sorted(state.operators)[:2], 10**6]
        with open_view(single, BlockNumber(number)) as view:
            expected = len(wanted) - 1
            assert view.ask_first(counted, ids=wanted)[0] == expected
    with (
        open_view(single) as view,
        pytest.raises(psycopg.ProgrammingError, match="parameter missing"),
    ):
        view.ask(counted)
