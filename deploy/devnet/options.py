"""Options that the commands of a network for developers share."""

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
