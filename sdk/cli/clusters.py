"""`phalanx cluster`: a cluster's funds and how long they last, liquidation, balance proofs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import (
    ETHER,
    ChainOptions,
    operators_option,
    owner_option,
    reading_options,
    writing_options,
)
from sdk.cli.cluster_proofs import prove
from sdk.cli.open_session import open_session
from sdk.errors import UsageError
from sdk.types import Address
from sdk.units import format_ether

if TYPE_CHECKING:
    from sdk.client import ClusterState

BLOCKS_PER_DAY = 7_200

amount_option = click.option("--amount", type=ETHER, help="Ether, exact.")
runway_option = click.option(
    "--runway-days",
    type=click.IntRange(min=0),
    help="Or: what makes the balance last that many days of 7,200 blocks.",
)


@click.group()
def cluster() -> None:
    """A cluster: one owner, one set of operators, one balance."""


cluster.add_command(prove)


@cluster.command()
@operators_option
@owner_option
@reading_options
def show(chain: ChainOptions, operator_ids: tuple[int, ...], owner: Address | None) -> None:
    """A cluster's validators, balance, burn rate and snapshot."""
    session = open_session(chain)
    found = session.client.clusters.get(session.owner(owner), operator_ids)
    each = found.snapshot
    lines = [
        f"cluster of {found.owner} with operators {', '.join(map(str, found.operator_ids))}, "
        f"at block {found.block.number}",
        f"{'active' if each.active else 'liquidated'}, {each.validator_count} validators, "
        f"effective balance {found.effective_balance_eth} ETH",
        *_runway_lines(found),
        f"withdrawable: {format_ether(found.withdrawable_wei)} ETH",
        f"snapshot: ({each.validator_count}, {each.network_fee_index}, {each.index}, "
        f"{str(each.active).lower()}, {each.balance_wei})",
    ]
    snapshot = {name: str(value) for name, value in asdict(each).items()}
    facts: dict[str, object] = {
        **_runway_facts(found),
        "validators": each.validator_count,
        "effective_balance_eth": found.effective_balance_eth,
        "withdrawable_wei": str(found.withdrawable_wei),
        "snapshot": {**snapshot, "active": each.active},
    }
    session.output.result(facts, "\n".join(lines))


@cluster.command()
@operators_option
@owner_option
@reading_options
def runway(chain: ChainOptions, operator_ids: tuple[int, ...], owner: Address | None) -> None:
    """How long the balance lasts, in blocks and days, and the block that this is for."""
    session = open_session(chain)
    found = session.client.clusters.get(session.owner(owner), operator_ids)
    session.output.result(_runway_facts(found), "\n".join(_runway_lines(found)))


@cluster.command()
@operators_option
@owner_option
@amount_option
@runway_option
@writing_options
def deposit(
    chain: ChainOptions,
    operator_ids: tuple[int, ...],
    owner: Address | None,
    amount: int | None,
    runway_days: int | None,
) -> None:
    """Add to a cluster's balance; anyone may, strangers at least the minimum collateral."""
    _one_of(amount, runway_days)
    session = open_session(chain)
    session.submit(
        session.client.clusters.deposit(
            operator_ids,
            owner=session.owner(owner),
            amount_wei=amount,
            runway_days=runway_days,
        )
    )


@cluster.command()
@operators_option
@amount_option
@click.option("--all", "everything", is_flag=True, help="Whatever the cluster need not keep.")
@writing_options
def withdraw(
    chain: ChainOptions, operator_ids: tuple[int, ...], amount: int | None, everything: bool
) -> None:
    """Take out what the cluster does not need to stay safe."""
    if (amount is not None) == everything:
        raise UsageError("give either --amount or --all", code="amount")
    session = open_session(chain)
    verbs = session.client.clusters
    if amount is None:
        found = verbs.get(session.account, operator_ids)
        # With validators every further block takes its fees before the call is mined.
        spare_wei = SPARE_BLOCKS * found.burn_rate_wei if found.snapshot.active else 0
        amount = max(0, found.withdrawable_wei - spare_wei)
    session.submit(verbs.withdraw(operator_ids, amount_wei=amount))


@cluster.command()
@operators_option
@owner_option
@writing_options
def liquidate(chain: ChainOptions, operator_ids: tuple[int, ...], owner: Address | None) -> None:
    """Stop a cluster that cannot pay, for a bounty; owners may stop their own at any time."""
    session = open_session(chain)
    session.submit(session.client.clusters.liquidate(session.owner(owner), operator_ids))


@cluster.command()
@operators_option
@amount_option
@runway_option
@writing_options
def reactivate(
    chain: ChainOptions,
    operator_ids: tuple[int, ...],
    amount: int | None,
    runway_days: int | None,
) -> None:
    """Start a liquidated cluster again, with all its validators."""
    _one_of(amount, runway_days)
    session = open_session(chain)
    session.submit(
        session.client.clusters.reactivate(
            operator_ids, deposit_wei=amount, runway_days=runway_days
        )
    )


SPARE_BLOCKS = 300
"""An hour: how long a withdrawal of everything may wait for its block."""


def _one_of(amount: int | None, runway_days: int | None) -> None:
    if (amount is None) == (runway_days is None):
        raise UsageError("give either --amount or --runway-days", code="funding")


def _runway_lines(found: ClusterState) -> list[str]:
    block = found.block.number
    lines = [
        f"balance: {format_ether(found.balance_wei)} ETH at block {block}",
        f"burn rate: {found.burn_rate_wei} wei per block, "
        f"{format_ether(found.burn_rate_wei * BLOCKS_PER_DAY)} ETH per day",
    ]
    blocks = found.runway_blocks
    if not found.snapshot.active:
        lines.append("runway: none, it is liquidated; reactivate it with a deposit")
    elif blocks is None:
        lines.append("runway: endless, nothing uses the balance up")
    elif found.is_liquidatable:
        lines.append(f"runway: none, anyone may liquidate it since block {block} at the latest")
    else:
        whole, tenths = divmod(10 * blocks // BLOCKS_PER_DAY, 10)  # never rounded up
        lines.append(
            f"runway: {blocks} blocks, at least {whole}.{tenths} days, counted from block {block}; "
            f"anyone may liquidate it from block {found.liquidation_block} on"
        )
        lines.append("that holds for present fees and validators; a day is 7,200 blocks at most")
    return lines


def _runway_facts(found: ClusterState) -> dict[str, object]:
    blocks = found.runway_blocks
    return {
        "owner": found.owner,
        "operator_ids": list(found.operator_ids),
        "block": found.block.number,
        "active": found.snapshot.active,
        "balance_wei": str(found.balance_wei),
        "burn_rate_wei": str(found.burn_rate_wei),
        "runway_blocks": blocks,
        "runway_days_at_least": None if blocks is None else blocks // BLOCKS_PER_DAY,
        "liquidation_block": found.liquidation_block,
        "liquidatable": found.is_liquidatable,
    }
