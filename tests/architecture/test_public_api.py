"""docs/sdk.md is the promise: it names exactly what the rooms export."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"
SECTIONS = dict(re.findall(r"^## (sdk\.\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))


def test_the_page_has_the_rooms() -> None:
    assert list(SECTIONS) == [
        "sdk.crypto",
        "sdk.shares",
        "sdk.dkg",
        "sdk.events",
        "sdk.registry",
        "sdk.client",
        "sdk.beacon_proofs",
    ]


@pytest.mark.parametrize("room", SECTIONS)
def test_the_page_names_exactly_what_the_room_exports(room: str) -> None:
    documented = re.findall(r"^\| `(\w+)` \|", SECTIONS[room], re.M)
    assert documented == list(importlib.import_module(room).__all__)


@pytest.mark.parametrize("room", SECTIONS)
def test_every_exported_function_and_class_says_what_it_is(room: str) -> None:
    module = importlib.import_module(room)
    exported = [getattr(module, name) for name in module.__all__]
    silent = [
        item.__name__
        for item in exported
        if (inspect.isfunction(item) or inspect.isclass(item))
        and (not item.__doc__ or item.__doc__.startswith(f"{item.__name__}("))
    ]
    assert silent == []
