"""`phalanx operators set-fee`: a fee goes up in two steps and down in one."""

from __future__ import annotations

import click

from sdk.cli.chain_options import OPERATOR_ID, ChainOptions, writing_options
from sdk.cli.open_session import open_session

id_argument = click.argument("operator_id", type=OPERATOR_ID, metavar="ID")
fee_option = click.option(
    "--fee-wei",
    type=click.IntRange(min=0),
    required=True,
    help="Wei per block and 32 ETH, a multiple of 100,000.",
)


@click.group("set-fee")
def set_fee() -> None:
    """Change an operator's fee: declare, wait, execute; or reduce at once."""


@set_fee.command()
@id_argument
@fee_option
@writing_options
def declare(chain: ChainOptions, operator_id: int, fee_wei: int) -> None:
    """Announce a fee; it can be executed after the declare period."""
    session = open_session(chain)
    session.submit(session.client.operators.declare_fee(operator_id, fee_wei=fee_wei))


@set_fee.command()
@id_argument
@writing_options
def execute(chain: ChainOptions, operator_id: int) -> None:
    """Put a declared fee into force, within its window."""
    session = open_session(chain)
    session.submit(session.client.operators.execute_fee(operator_id))


@set_fee.command()
@id_argument
@writing_options
def cancel(chain: ChainOptions, operator_id: int) -> None:
    """Take back a declared fee."""
    session = open_session(chain)
    session.submit(session.client.operators.cancel_fee(operator_id))


@set_fee.command()
@id_argument
@fee_option
@writing_options
def reduce(chain: ChainOptions, operator_id: int, fee_wei: int) -> None:
    """Lower the fee at once."""
    session = open_session(chain)
    session.submit(session.client.operators.reduce_fee(operator_id, fee_wei=fee_wei))
