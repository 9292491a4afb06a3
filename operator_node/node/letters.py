"""What the running node does for commands on its own machine.

Source: docs/slashing.md, "Backups" and "After a slashing".
"""

from __future__ import annotations

from pathlib import Path

from operator_node.config import Settings
from operator_node.doppelganger import Slashings
from operator_node.letterbox import Letterbox, Words
from operator_node.node.custody import Custody


def make_letterbox(settings: Settings, custody: Custody) -> Letterbox:
    """Answers `phalanx node backup`."""

    def backup(words: Words) -> Words:
        path = Path(words.get("out", ""))
        custody.copy_record(path)
        return {"written": str(path)}

    return Letterbox(settings.data_folder, {"backup": backup})


def make_acknowledging(settings: Settings, slashings: Slashings) -> Letterbox:
    """Answers `phalanx node acknowledge-slashings`."""

    def acknowledge(words: Words) -> Words:
        return {"acknowledged": str(slashings.acknowledge())}

    return Letterbox(settings.data_folder, {"acknowledge-slashings": acknowledge})
