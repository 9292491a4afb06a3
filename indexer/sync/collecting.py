"""Python's search for cycles, made rare while steps of tens of thousands of records are worked on.

What a step makes goes away by counting references; there is next to nothing for the search to find,
and it looks at every record of the registry again and again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 20)
"""Objects more than before until the young are searched, then rounds until the older ones are; as
many objects are some ten megabytes."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Until the end of the block."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
