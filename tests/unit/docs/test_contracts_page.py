"""docs/contracts.md names everything of the interface, and describes words that can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.pages import table

ROOT = Path(__file__).parents[3]
NAMED = set(re.findall(r"`(\w+)", (ROOT / "docs/contracts.md").read_text()))
WORDS = ("Operator word", "Network word", "Cluster word", "Validator word", "Owner word")
LIBRARY_ERRORS = {
    "AddressEmptyCode",
    "ERC1967InvalidImplementation",
    "ERC1967NonPayable",
    "FailedCall",
    "NotInitializing",
    "UUPSUnauthorizedCallContext",
    "UUPSUnsupportedProxiableUUID",
}
ELSEWHERE = LIBRARY_ERRORS | {"InvalidWindow", "ZeroAddress"}
"""Errors of deployments and upgrades, which no caller of the registry meets."""


def entries(kind: str) -> Iterator[str]:
    for entry in json.loads((ROOT / "sdk/abi/registry.json").read_text()):
        if entry["type"] == kind:
            yield entry["name"]


@pytest.mark.parametrize("kind", ["function", "event"])
def test_every_function_and_event_is_named(kind: str) -> None:
    assert set(entries(kind)) - NAMED == set()


def test_every_error_a_caller_meets_is_named() -> None:
    assert set(entries("error")) - NAMED - ELSEWHERE == set()
    assert set(entries("error")) >= ELSEWHERE


@pytest.mark.parametrize("heading", WORDS)
def test_fields_of_a_word_follow_each_other(heading: str) -> None:
    fields = [(int(first), int(bits)) for _, first, bits, _ in table("contracts.md", heading)]
    ends = [first + bits for first, bits in fields]
    assert [first for first, _ in fields] == [0, *ends[:-1]]
    assert ends[-1] <= 256


def test_core_functions_are_marked() -> None:
    """The core's own functions, as its parts declare them."""
    text = (ROOT / "docs/contracts.md").read_text()
    marked = set(re.findall(r"● `(\w+)", text))
    sources = re.findall(r"^    (\w+),?$", core_parts(), re.M)
    declared: set[str] = {"upgradeToAndCall", "proxiableUUID", "UPGRADE_INTERFACE_VERSION"}
    for name in sources:
        part = ROOT / f"contracts/parts/{name}.sol"
        if part.exists():
            declared |= set(re.findall(r"function (\w+)\([^{;]*?\)\s+external", part.read_text()))
    assert marked == declared


def core_parts() -> str:
    text = (ROOT / "contracts/Registry.sol").read_text()
    found = re.search(r"contract Registry is\n(.*?)\{", text, re.S)
    assert found
    return found[1]
