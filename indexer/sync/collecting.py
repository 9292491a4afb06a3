"""How Python runs while steps of tens of thousands of records are worked on, beside other threads.

Its search for cycles is made rare. What a step makes goes away by counting references; there is
next to nothing for the search to find, and it looks at every record of the registry again and
again. Turns of threads are made short: whoever waits for a piece of an answer, or hands one to the
server, would wait five milliseconds for each piece while another thread calculates.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 20)
"""Objects more than before until the young are searched, then rounds until the older ones are; as
many objects are some ten megabytes."""


TURN_S: Final = 0.0005
"""A turn costs some ten microseconds."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Until the end of the block."""
    before = gc.get_threshold()
    turn_s = sys.getswitchinterval()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(turn_s)
