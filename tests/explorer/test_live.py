"""Pages that go on: new blocks, reorganisations, a site that goes away; empty and lost tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from deploy.devnet.ports import free_ports
from sdk.registry import SignatureVerdict
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import FeeUnits, Wei, checksum_address
from tests.explorer.browsing import visit
from tests.explorer.history import ETHER, Told, operator_key, share_bytes
from tests.explorer.serving import Site, served, site
from tests.indexer import databases
from tests.indexer.chain import FIRST

pytestmark = [pytest.mark.slow, pytest.mark.realtime]
ROOT: Final = Path(__file__).parents[2]
NOTHING, OPERATORS, CLUSTER, DEPOSIT, OTHER = range(5)
OWNER, IDS = builders.address(1), builders.operator_ids(1, 2, 3, 4)


def _operators(model: ModelRegistry) -> None:
    for number in IDS:
        key = operator_key(number)
        model.register_operator(builders.address(50 + number), FeeUnits(17_700), public_key=key)


def _cluster(model: ModelRegistry) -> None:
    model.register(
        OWNER,
        IDS,
        [builders.public_key(1)],
        [share_bytes(4, 1, signed=True)],
        value_wei=Wei(ETHER),
        verdict=SignatureVerdict.VALID,
    )


PLOT = {
    OPERATORS: _operators,
    CLUSTER: _cluster,
    DEPOSIT: lambda model: model.deposit(OWNER, IDS, value_wei=Wei(3 * ETHER)),
    OTHER: lambda model: model.deposit(OWNER, IDS, value_wei=Wei(7 * ETHER)),
}
CLUSTER_PATH = "/clusters/" + "-".join([checksum_address(OWNER), *map(str, IDS)])


@pytest.fixture
def moving(server: str) -> Iterator[Site]:
    """A registry that was deployed a moment ago."""
    chain = Told(PLOT)
    chain.mine(*[NOTHING] * (FIRST + 1))
    with site(server, chain, name="moving") as made:
        yield made


def test_an_empty_registry_says_what_to_do_and_fills_without_a_reload(
    browser: Browser, moving: Site
) -> None:
    with visit(browser, moving.address) as visitor:
        for path, says in {
            "/clusters": "No cluster exists yet",
            "/validators": "No validator",
            "/liquidations": "Nothing can be liquidated now",
            "/tools/calculator": "Which operators?",
            "/operators": "No operator",
        }.items():
            expect(visitor.go(path).locator("main")).to_contain_text(says)
        page = visitor.page
        page.evaluate("window.stayed = true")
        moving.mine(OPERATORS)
        expect(page.locator("tbody tr")).to_have_count(len(IDS))
        expect(page.locator("#frame")).to_contain_text(f"Block {moving.chain.head}")
        moving.mine(CLUSTER)
        expect(page.locator("tbody tr").first).to_contain_text("1")
        expect(page.locator("#frame")).to_contain_text(f"Block {moving.chain.head}")
        assert page.evaluate("window.stayed") is True


def test_a_reorganisation_is_seen_and_the_page_tells_of_the_new_chain(
    browser: Browser, moving: Site
) -> None:
    moving.mine(OPERATORS, CLUSTER, NOTHING, DEPOSIT)
    with visit(browser, moving.address) as visitor:
        page = visitor.go(CLUSTER_PATH)
        expect(page.locator("tbody", has_text="Deposit")).to_contain_text("3 ETH")
        assert page.locator("#reorg").count() == 0
        moving.reorganise(1, NOTHING, OTHER)
        expect(page.locator("#reorg")).to_contain_text("Reorganised above block")
        expect(page.locator("#news")).to_contain_text("no longer holds")
        expect(page.locator("tbody", has_text="Deposit")).to_contain_text("7 ETH")
        expect(page.locator("tbody", has_text="Deposit")).not_to_contain_text("3 ETH")
        expect(page.locator("#reorg")).to_be_visible()


def test_a_call_is_withdrawn_as_soon_as_its_cluster_changes(browser: Browser, moving: Site) -> None:
    moving.mine(OPERATORS, CLUSTER)
    with visit(browser, moving.address) as visitor:
        cluster = CLUSTER_PATH.rpartition("/")[2]
        page = visitor.go(f"/tools/builder?cluster={cluster}&action=deposit&amount=1")
        expect(page.get_by_label("Data")).to_be_visible()
        with page.expect_response("**/v1/stream**"):
            page.reload()
        moving.mine(NOTHING)
        moving.mine(DEPOSIT)
        expect(page.locator("#expired")).to_be_visible()
        assert page.get_by_label("Data").is_hidden()
        page.get_by_role("link", name="Build it again").click()
        expect(page.get_by_label("Data")).to_be_visible()


@contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """The address of another site that has this one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", free_ports(1)[0]), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_page_of_the_documentation_shows_a_runway_and_follows(
    browser: Browser, moving: Site
) -> None:
    """Its own words, on a site of its own, as a frontend is."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    page = '<link rel="icon" href="data:,">' + text.partition("```html\n")[2].partition("```")[0]
    owner = page.partition('owner = "')[2].partition('"')[0]
    filled = page.replace(owner, checksum_address(OWNER))
    filled = filled.replace("http://localhost:8640", moving.address)
    moving.mine(OPERATORS, CLUSTER)
    with elsewhere(filled) as address, visit(browser, address) as visitor:
        shown = visitor.go("/").locator("#runway")
        expect(shown).to_contain_text("Operators 1,2,3,4: ")
        expect(shown).to_contain_text(" blocks left, until about ")
        expect(shown).to_contain_text(f"Block {moving.chain.head}, latest")
        moving.mine(DEPOSIT)
        expect(shown).to_contain_text(f"Block {moving.chain.head}, latest")
        assert visitor.elsewhere
        assert all(each.startswith(moving.address) for each in visitor.elsewhere)
        visitor.elsewhere.clear()  # the API is elsewhere, as it should be


def test_a_site_that_goes_away_leaves_the_page_and_says_so(browser: Browser, server: str) -> None:
    chain = Told(PLOT)
    chain.mine(*[NOTHING] * (FIRST + 1), OPERATORS)
    with site(server, chain, name="leaving") as made, visit(browser, made.address) as visitor:
        page = visitor.go("/operators")
        made.stop()
        expect(page.locator("#news")).not_to_be_empty()
        assert page.locator("tbody tr").count() == len(IDS)
        visitor.complaints.clear()  # the browser tells of the connection that it lost


def test_tables_that_are_empty_or_lost_are_a_page_with_what_to_do(
    browser: Browser, server: str
) -> None:
    with (
        databases.fresh(server, name="fading") as url,
        served(url) as (address, _),
        visit(browser, address) as visitor,
    ):
        page = visitor.go("/clusters", expect=503)
        expect(page.locator("main")).to_contain_text("no block is indexed yet")
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(b"ALTER DATABASE fading ALLOW_CONNECTIONS false")
            connection.execute(
                b"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                b"WHERE datname = 'fading'"
            )
        page = visitor.go("/clusters", expect=503)
        expect(page.locator("h1")).to_have_text("Not available now")
