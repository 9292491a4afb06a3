"""One filled API with the v4 routes for tests that only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from indexer import compat
from sdk.registry import RegistryState
from tests.indexer import databases
from tests.indexer.api.world import Api, PaidChain, Reference, open_api, reference

BLOCKS = 220
Get = Callable[..., Any]


@pytest.fixture(scope="session")
def api(server: str) -> Iterator[Api]:
    """An API over tables that stay as they are."""
    chain = PaidChain()
    chain.mine(*range(BLOCKS))
    with databases.fresh(server, name="compat") as url:
        made = open_api(url, chain)
        compat.mount(made.app)
        yield made
        made.app.state.engine.dispose()


@pytest.fixture(scope="session")
def told(api: Api) -> Reference:
    """What the reducer says of the same chain."""
    return reference(api.chain, [BLOCKS - 1])


@pytest.fixture
def state(told: Reference) -> RegistryState:
    """The registry at the newest block."""
    return told.states[BLOCKS - 1]


@pytest.fixture
def get(api: Api) -> Get:
    """The body of an answer that must succeed."""

    def ask(path: str, **params: Any) -> Any:
        return api.get(f"/api/v4/31337/{path}", **params)

    return ask
