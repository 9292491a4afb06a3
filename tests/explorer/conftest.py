"""One Postgres, one Chromium and one grown registry for all tests of the explorer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from indexer.store import database
from tests.explorer.browsing import PATIENCE_MS, Visit, launch, visit
from tests.explorer.history import BLOCKS, Grown
from tests.explorer.serving import Site, site
from tests.indexer import databases


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a Postgres; not in a folder of pytest, see `tests.indexer.conftest`."""
    with TemporaryDirectory() as folder, database(None, Path(folder) / "data") as url:
        databases.prepare(url)
        yield url


@pytest.fixture(scope="session")
def grown(server: str) -> Iterator[Site]:
    """A site with something of everything; tests only read it."""
    chain = Grown()
    chain.mine(*range(BLOCKS))
    with site(server, chain, name="grown") as made:
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture
def visitor(browser: Browser, grown: Site) -> Iterator[Visit]:
    """Somebody at a desk who looks at the grown registry."""
    with visit(browser, grown.address) as found:
        yield found
