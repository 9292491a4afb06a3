"""The loop that keeps the tables at the chain's end."""

from __future__ import annotations

from indexer.sync.loop import Sync
from indexer.sync.verdicts import Judges, Unchecking, judges

__all__ = ["Judges", "Sync", "Unchecking", "judges"]
