"""Searches for cycles are rarer inside, and as before outside."""

from __future__ import annotations

import gc

import pytest

from indexer.sync.collecting import THRESHOLDS, rare_collections


def test_settings_are_back_even_after_a_failure() -> None:
    before = gc.get_threshold()
    inside = []

    def fail() -> None:
        with rare_collections():
            inside.append(gc.get_threshold())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (inside, gc.get_threshold()) == ([THRESHOLDS], before)
