"""What holds of all pages: names for everything, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.api.schemas import EventOut
from indexer.explorer import words
from indexer.explorer.site import _ENVIRONMENT, FOLDER, HEADERS, load_assets, render
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


def test_every_field_of_a_form_has_words() -> None:
    texts = "".join(path.read_text() for path in TEMPLATES)
    named = set(re.findall(r"ui\.(?:input|select)\(\"([a-z_]+)\"", texts))
    assert len(named) > 20
    assert named <= set(words.FIELDS)


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


def test_events_tell_values_with_units_and_names_cut_short() -> None:
    address, other = "0x" + "ab" * 20, "0x" + "cd" * 20
    events = [
        event("OwnershipTransferred", previousOwner=address, newOwner=other),
        event("NetworkFeeUpdated", oldFee="0", newFee="3550900000"),
        event("OperatorFeeIncreaseLimitUpdated", value="1050"),
    ]
    page = _ENVIRONMENT.from_string(
        '{% import "macros.html" as ui with context %}{% set brief, caption = false, "Events" %}'
        '{% include "event_table.html" %}'
    ).render(events=events, link=lambda path, **_: path)
    rows = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in page.split("<tr")[2:]]
    assert "Ownership transferred 0xABaB…ABaB → 0xCdCD…CDcD" in rows[0]
    assert "0 ETH/yr → 0.009331 ETH/yr" in rows[2]
    assert "3,550,900,000 wei a block and 32 ETH" in rows[3]
    assert "10.5 %" in rows[4]
    assert "1,050 of 10,000" in rows[5]


def event(name: str, **args: str) -> EventOut:
    """A log that concerns nobody in particular."""
    return EventOut.model_construct(
        id="5:0",
        name=name,
        undecodable=None,
        args=args,
        block=5,
        timestamp=None,
        finality="latest",
        transaction_hash="0x" + "00" * 32,
        owner=None,
        operator_ids=[],
        cluster_id=None,
        validator=None,
        rejected_reason=None,
        deposit_wei=None,
    )


def hosts(path: Path) -> set[str]:
    """Hosts that a file names, but for the names of XML."""
    found = set(re.findall(r"(?:https?:)?//([a-z0-9-]+\.[a-z0-9.-]+)", path.read_text()))
    return found - {"www.w3.org"}
