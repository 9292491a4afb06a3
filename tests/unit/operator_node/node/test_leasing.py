"""The lease as the node makes it: what it is told of this machine's clock."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from operator_node.lease import CLOCKS_APART_MS
from operator_node.node.leasing import make_lease


@pytest.mark.parametrize(
    ("error_ms", "is_off"),
    [
        (None, False),  # unknown says nothing
        (CLOCKS_APART_MS, False),
        (CLOCKS_APART_MS + 1, True),
        (-CLOCKS_APART_MS - 1, True),
    ],
)
def test_a_clock_that_is_known_to_be_off_keeps_the_lease_from_this_instance(
    tmp_path: Path, error_ms: int | None, is_off: bool
) -> None:
    settings = SimpleNamespace(
        safety=SimpleNamespace(lease_file=tmp_path / "lease"),
        network=SimpleNamespace(name="local"),
    )
    lease = make_lease(
        cast(Any, settings),
        cast(Any, object()),
        genesis_validators_root=bytes(32),
        operator_key="key",
        is_resumed=False,
        fences=cast(Any, object()),
        twins=cast(Any, object()),
        clock_error_ms=lambda: error_ms,
    )
    assert lease is not None
    assert lease._is_clock_off() is is_off
