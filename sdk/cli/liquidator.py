"""`phalanx liquidator run`: clusters that cannot pay any more, liquidated for the bounty.

Source: docs/liquidator.md.
"""

from __future__ import annotations

import click

from sdk.cli.chain_options import ChainOptions, keeper_options
from sdk.cli.keeper_options import max_tip_option, min_profit_option, send_option
from sdk.cli.output import HELP_NAMES


@click.group(context_settings=HELP_NAMES)
def liquidator() -> None:
    """Liquidates clusters that cannot pay any more, for the bounty."""


@liquidator.command()
@send_option
@max_tip_option
@min_profit_option
@keeper_options
def run(chain: ChainOptions, sends: bool, max_tip_wei: int, min_profit_wei: int) -> None:
    """Watches every cluster until SIGTERM or Ctrl-C; sends nothing without --send.

    Reads the registry's logs first. Use an account of its own, with little in it.
    """
    from sdk.cli.keepers import follow_registry, keeper_of, run_until_told
    from sdk.keeper.bidding import Limits
    from sdk.keeper.liquidator import Liquidator

    keeper = keeper_of(chain, Limits(max_tip_wei, min_profit_wei), sends=sends)
    session = keeper.session
    work = Liquidator(keeper.actor, session.output)
    run_until_told(lambda: follow_registry(session, work.act))
    session.output.step("stopped")
