"""What holds of all pages: names for everything, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.explorer import words
from indexer.explorer.site import FOLDER, HEADERS, load_assets, render
from indexer.queries.network import SETTERS
from sdk.events import EVENT_ABIS
from sdk.registry import Refusal

SHARED_BYTES = 32_000
"""A third of what a page may weigh."""
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
SCRIPTS = sorted((FOLDER / "static").glob("*.js"))


def test_every_event_refusal_and_parameter_has_words() -> None:
    assert set(words.EVENTS) == {abi.signature.partition("(")[0] for abi in EVENT_ABIS}
    assert set(words.REFUSALS) == {each.value for each in Refusal}
    assert set(words.PARAMETERS) == set(SETTERS)
    assert words.event_words("SomethingNew") == "SomethingNew"
    assert words.event_words(None) == "Unknown log"


def test_what_the_policy_forbids_is_in_no_template() -> None:
    assert "default-src 'self'" in HEADERS["Content-Security-Policy"]
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), path.name
        # Owners' texts are never made into markup.
        assert "|safe" not in text.replace(" ", ""), path.name


def test_templates_and_files_name_no_other_host() -> None:
    for path in [*TEMPLATES, *SCRIPTS, *(FOLDER / "static").glob("*.css")]:
        assert hosts(path) == set(), path.name


def test_files_have_an_address_of_their_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a {}")
    first = load_assets(tmp_path)
    assert load_assets(tmp_path).address("a.css") == first.address("a.css")
    (tmp_path / "a.css").write_text("b {}")
    assert load_assets(tmp_path).address("a.css") != first.address("a.css")


def test_what_all_pages_load_is_small() -> None:
    files = load_assets().files
    shared = ("explorer.css", "explorer.js", "theme.js", "mark.svg")
    assert sum(len(files[name].content) for name in shared) < SHARED_BYTES


def test_texts_of_others_are_escaped() -> None:
    page = render(
        "error.html",
        load_assets(),
        frame=None,
        here="/",
        link=lambda path, **_: path,
        status=404,
        title="Nothing is here",
        detail="<script>alert(1)</script>",
        hint="",
    )
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def hosts(path: Path) -> set[str]:
    """Hosts that a file names, but for the names of XML."""
    found = set(re.findall(r"(?:https?:)?//([a-z0-9-]+\.[a-z0-9.-]+)", path.read_text()))
    return found - {"www.w3.org"}
