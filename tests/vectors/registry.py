"""Event logs and an accounting run of the reference registry (see docs/vectors.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sdk.testing.accounting_replay import replay_accounting
from sdk.testing.event_replay import replay_events
from tests.vectors.case import Case, attempt, expect

EVENTS = "event-vectors.json"
ACCOUNTING = "accounting-vectors.json"


def is_present(folder: Path) -> bool:
    """Whether the folder holds either file."""
    return (folder / EVENTS).is_file() or (folder / ACCOUNTING).is_file()


def run(folder: Path) -> Iterator[Case]:
    """One case per file: every log decodes and re-encodes; every step settles to the wei."""
    for name, replay in ((EVENTS, replay_events), (ACCOUNTING, replay_accounting)):
        path = folder / name
        if path.is_file():
            yield attempt(name, partial(_replays, replay, path))


def _replays(replay: Callable[[dict[str, Any]], list[str]], path: Path) -> None:
    expect(replay(json.loads(path.read_bytes())), [], "mismatches")
