"""Options that the commands which run a network share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

FOLDER: Final = Path(".build/network")
"""Not that of `make devnet`, so that both may run."""
BASE: Final = 21_000
"""Of the ports, unless another is named."""

dir_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=FOLDER,
    show_default=True,
    help="The network's folder; another one for each that runs at the same time.",
)
operators_option = click.option(
    "--operators",
    type=click.Choice(["4", "7", "10", "13"]),
    default="4",
    show_default=True,
    help="Of the one committee.",
)
slot_seconds_option = click.option(
    "--slot-seconds",
    type=click.IntRange(2, 12),
    default=3,
    show_default=True,
    help="How long a slot lasts.",
)
