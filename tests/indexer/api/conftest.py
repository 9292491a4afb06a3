"""One filled API for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.indexer import databases
from tests.indexer.api.processes import process
from tests.indexer.api.world import Api, PaidChain, Reference, open_api, reference

BLOCKS = 220
"""More than can be gone back to, so that all kinds of blocks are there."""
AT = (3, 40, 111, BLOCKS - 1)
"""Blocks that are looked at."""


@pytest.fixture(scope="session")
def api(server: str) -> Iterator[Api]:
    """An API over tables that stay as they are."""
    chain = PaidChain()
    chain.mine(*range(BLOCKS))
    with databases.fresh(server, name="api") as url:
        made = open_api(url, chain)
        yield made
        made.app.state.engine.dispose()


@pytest.fixture(scope="session")
def told(api: Api) -> Reference:
    """What the reducer says of the same chain."""
    return reference(api.chain, AT)


@pytest.fixture(scope="session")
def served(api: Api) -> Iterator[str]:
    """The address of a process that serves the same tables to anybody at any rate."""
    with process("--database", api.url, "--burst", "1000000", "--rate", "1000000") as (address, _):
        yield address
