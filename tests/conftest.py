"""Fixtures every test folder shares."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from sdk.crypto import bls

# Before any test module imports py_ecc itself: this keeps the interpreter's recursion limit.
bls.load_backend("py_ecc")

# No deadline: a shared machine's speed is no property of the code. CI repeats the same examples.
settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")

# Whoever started pytest in a shell's background has it, and everything it starts, ignore Ctrl-C:
# then no test could interrupt a command.
for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(each) is signal.SIG_IGN:
        is_ctrl_c = each is signal.SIGINT
        signal.signal(each, signal.default_int_handler if is_ctrl_c else signal.SIG_DFL)

REALTIME: Final = frozenset({"beacon", "devnet", "e2e", "explorer", "indexer", "p2p"})
"""Folders whose tests run real processes and sockets against the clock: one at a time, so that they
have the machine to themselves."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks them by their folder."""
    root = Path(__file__).parent
    for item in items:
        if item.path.relative_to(root).parts[0] in REALTIME:
            item.add_marker("realtime")


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
