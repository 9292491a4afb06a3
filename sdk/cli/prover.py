"""`phalanx prover run`: proofs of effective balances that end in a liquidation, for the bounty.

Source: docs/liquidator.md, "Proofs that pay".
"""

from __future__ import annotations

import click

from sdk.cli.chain_options import ChainOptions, keeper_options
from sdk.cli.keeper_options import max_tip_option, min_profit_option, send_option
from sdk.cli.output import HELP_NAMES
from sdk.cli.validator_moves import beacon_option
from sdk.errors import UsageError


@click.group(context_settings=HELP_NAMES)
def prover() -> None:
    """Proves effective balances where that pays."""


@prover.command()
@beacon_option
@click.option(
    "--every",
    "every_min",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="Between two beacon states; each is hundreds of megabytes on a large network.",
)
@send_option
@max_tip_option
@min_profit_option
@keeper_options
def run(
    chain: ChainOptions,
    beacon: str | None,
    every_min: int,
    sends: bool,
    max_tip_wei: int,
    min_profit_wei: int,
) -> None:
    """Looks for such proofs until SIGTERM or Ctrl-C; sends nothing without --send.

    Reads the registry's logs first. Use an account of its own, with little in it.
    """
    if beacon is None:
        raise UsageError("no beacon node is named", code="beacon_missing", hint="Give --beacon.")
    from sdk.beacon_proofs.source import BeaconSource
    from sdk.beacon_proofs.workers import hashing_processes
    from sdk.cli.keepers import follow_registry, keeper_of, run_until_told
    from sdk.client.beacon import BeaconNode
    from sdk.keeper.bidding import Limits
    from sdk.keeper.prover import Prover

    keeper = keeper_of(chain, Limits(max_tip_wei, min_profit_wei), sends=sends)
    session = keeper.session
    with hashing_processes() as hashing:
        work = Prover(
            session.client,
            BeaconSource(BeaconNode(beacon).http),
            keeper.actor,
            session.output,
            every_s=60 * every_min,
            run=hashing,
        )
        run_until_told(lambda: follow_registry(session, work.act))
    session.output.step("stopped")
