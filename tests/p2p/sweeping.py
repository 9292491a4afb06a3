"""Sweeps up what py-libp2p 0.8.1 leaves to the garbage collector.

Sockets of connections that end while they begin are not closed; they go when their cycle is
collected, with a ResourceWarning, which is an error in tests. It says nothing about our code.
"""

from __future__ import annotations

import gc
import warnings

import pytest

_ROUNDS = 3
"""Finalisers make new garbage."""


def sweep() -> None:
    """Collects garbage in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(_ROUNDS):
            gc.collect()


def spare(items: list[pytest.Item], folder: str) -> None:
    """Lets the tests of a folder pass when garbage is collected while they run."""
    for item in items:
        if folder in str(item.path):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
