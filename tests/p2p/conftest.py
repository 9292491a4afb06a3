"""Loads libp2p the quiet way, and sweeps up the sockets that it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import operator_node.p2p  # noqa: F401  before any test module imports libp2p by itself
from tests.p2p.sweeping import spare, sweep


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spare(items, "tests/p2p/")


def pytest_sessionfinish() -> None:
    sweep()


@pytest.fixture(autouse=True)
def _sweep_sockets() -> Iterator[None]:
    yield
    sweep()
