"""Pictures of every page, to be looked at: `python -m tests.explorer.shots DIR [NAME…]`.

At 1280 and 390 pixels, light and dark. With `--at ADDRESS` of a server that runs already over the
same history, else with one of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from indexer.store import database
from tests.explorer.browsing import DESKTOP, PHONE, launch
from tests.explorer.history import BLOCKS, Grown
from tests.explorer.pages import paths
from tests.explorer.serving import site
from tests.indexer import databases

Scheme = Literal["light", "dark"]
SIZES: Final = {"1280": DESKTOP, "390": PHONE}
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")


def main() -> None:
    """Take the pictures that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="pages; all of them unless named")
    parser.add_argument("--at", help="address of a running server")
    told = parser.parse_intermixed_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    chain = Grown()
    chain.mine(*range(BLOCKS))
    chosen = {
        name: path for name, path in paths(chain).items() if not told.names or name in told.names
    }
    with _address(told.at, chain) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for name, path in chosen.items():
            take(browser, address + path, told.folder, name)
        browser.close()


def take(browser: Browser, url: str, folder: Path, name: str) -> None:
    """All pictures of one page, as tall as it is."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(url, wait_until="load")
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
            context.close()


@contextmanager
def _address(running: str | None, chain: Grown) -> Iterator[str]:
    if running is not None:
        yield running.rstrip("/")
        return
    with TemporaryDirectory() as folder, database(None, Path(folder) / "data") as url:
        databases.prepare(url)
        with site(url, chain, name="shots") as made:
            yield made.address


if __name__ == "__main__":
    main()
