"""A node whose wall clock is wrong: skewed.py SECONDS, then the words of `phalanx`.

The clock is turned before anything of the node is loaded. Its monotonic clock is right, as that of
a machine with a wrong date is.
"""

from __future__ import annotations

import sys
import time

NANOSECONDS = 1_000_000_000


def turn_clock(seconds: float) -> None:
    """From now on `time.time` and `time.time_ns` are ahead by this much."""
    true_s, true_ns = time.time, time.time_ns
    time.time = lambda: true_s() + seconds
    time.time_ns = lambda: true_ns() + round(seconds * NANOSECONDS)


if __name__ == "__main__":
    turn_clock(float(sys.argv[1]))
    from sdk.cli.main import main

    main(sys.argv[2:])
