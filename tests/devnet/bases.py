"""A base of ports for networks of this test process."""

from __future__ import annotations

import os

from deploy.devnet.ports import RANGE, SPAN

LOWEST = 15_000
OWN_BASE = LOWEST + SPAN * (os.getpid() % ((RANGE.start - LOWEST) // SPAN))
"""Below the ports that other tests draw, and seldom that of another test run."""
