"""Fixtures every test folder shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from sdk.crypto import bls

# Before any test module imports py_ecc itself: this keeps the interpreter's recursion limit.
bls.load_backend("py_ecc")

# No deadline: a shared machine's speed is no property of the code. CI repeats the same examples.
settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")


@pytest.fixture(
    params=[
        "pyblst",
        "arkworks",
        pytest.param("py_ecc", marks=pytest.mark.slow),
    ]
)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test once per BLS backend; the pure-Python reference only in the full run."""
    with bls.using(request.param):
        yield request.param
