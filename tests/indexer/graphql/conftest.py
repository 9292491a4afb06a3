"""One filled API with GraphQL for tests that only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from indexer import graphql
from tests.indexer import databases
from tests.indexer.api.world import Api, PaidChain, Reference, open_api, reference

BLOCKS = 220
AT = (3, 40, 77, 111, 150, 180, BLOCKS - 1)
"""Blocks that are looked at."""
Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def api(server: str) -> Iterator[Api]:
    """An API over tables that stay as they are."""
    chain = PaidChain()
    chain.mine(*range(BLOCKS))
    with databases.fresh(server, name="graphql") as url:
        made = open_api(url, chain)
        graphql.mount(made.app, made.clock)
        yield made
        made.app.state.engine.dispose()


@pytest.fixture(scope="session")
def told(api: Api) -> Reference:
    """What the reducer says of the same chain."""
    return reference(api.chain, AT)


@pytest.fixture
def ask(api: Api) -> Ask:
    """The data of a question that must succeed."""

    def post(query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = api.ask("/graphql", method="POST", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert "errors" not in found, found["errors"]
        return found["data"]

    return post


@pytest.fixture
def fail(api: Api) -> Ask:
    """The first error of a question that must fail."""

    def post(query: str, *, status: int = 200, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = api.ask("/graphql", method="POST", json=body)
        assert answer.status_code == status, answer.text
        first = answer.json()["errors"][0]
        assert "Traceback" not in answer.text
        return first

    return post
