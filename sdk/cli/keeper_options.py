"""Options of the commands that send by themselves what pays: whether at all, and for how much."""

from __future__ import annotations

from typing import Any

import click

from sdk.cli.chain_options import ETHER
from sdk.units import parse_gwei


class GweiType(click.ParamType[int]):
    """An amount in gwei, exact; the command receives wei."""

    name = "gwei"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> int:
        return value if isinstance(value, int) else parse_gwei(value)


send_option = click.option(
    "--send/--dry-run",
    "sends",
    default=False,
    help="Send what pays; without it the command only says what it would do.",
)
max_tip_option = click.option(
    "--max-tip",
    "max_tip_wei",
    type=GweiType(),
    default="5",
    show_default=True,
    metavar="GWEI",
    help="Most that a block's proposer is offered per gas.",
)
min_profit_option = click.option(
    "--min-profit",
    "min_profit_wei",
    type=ETHER,
    default="0.0001",
    show_default=True,
    metavar="ETHER",
    help="Least that must be left of a reward when all gas is paid.",
)
