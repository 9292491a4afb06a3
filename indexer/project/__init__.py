"""Steps of the chain as rows: pure, from logs to what the tables hold, and back."""

from __future__ import annotations

from indexer.project.batch import Batch, BlockRow, Closed, Versions
from indexer.project.logs import LOG_COLUMNS, LogRow
from indexer.project.records import SHAPES, Shape
from indexer.project.replay import Decoded, Replay, decoded

__all__ = [
    "LOG_COLUMNS",
    "SHAPES",
    "Batch",
    "BlockRow",
    "Closed",
    "Decoded",
    "LogRow",
    "Replay",
    "Shape",
    "Versions",
    "decoded",
]
