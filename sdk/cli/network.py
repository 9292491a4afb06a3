"""`phalanx network`: what governance has set."""

from __future__ import annotations

from dataclasses import asdict

import click

from sdk.cli.chain_options import ChainOptions, reading_options
from sdk.cli.open_session import open_session
from sdk.units import format_ether


@click.group()
def network() -> None:
    """The registry's parameters."""


@network.command()
@reading_options
def show(chain: ChainOptions) -> None:
    """Fees, limits and totals at the newest block."""
    session = open_session(chain)
    found = session.client.network.parameters()
    limit = found.fee_increase_limit_per_10000 / 100
    facts = {
        name: str(value) if name.endswith("_wei") else value
        for name, value in asdict(found).items()
    }
    session.output.result(
        facts,
        "\n".join(
            (
                f"registry {session.client.registry}, version {found.version}, at block "
                f"{found.block}",
                f"governed by {found.owner}",
                f"network fee: {found.network_fee_wei} wei per block and 32 ETH",
                f"liquidation period: {found.liquidation_period_blocks} blocks",
                f"minimum collateral: {format_ether(found.minimum_collateral_wei)} ETH",
                f"operator fee: 0, or {found.minimum_operator_fee_wei} to "
                f"{found.maximum_operator_fee_wei} wei per block and 32 ETH",
                f"fee increase: at most {limit:g} % at once, declared {found.declare_period_s} s "
                f"before, executed within {found.execute_period_s} s",
                f"validators: {found.validator_count}, at most "
                f"{found.validators_per_operator_limit} per operator",
            )
        ),
    )
