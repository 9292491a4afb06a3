"""`phalanx cluster prove`: effective balances, proven from a beacon node's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import (
    ETHER,
    ChainOptions,
    operators_option,
    owner_option,
    writing_options,
)
from sdk.cli.open_session import open_session
from sdk.cli.output import counted
from sdk.cli.validator_moves import beacon_option
from sdk.errors import UsageError
from sdk.types import Address
from sdk.units import format_ether

if TYPE_CHECKING:
    from sdk.cli.chain_session import Session
    from sdk.client.proving import ProofPlan

BLOCKS_PER_DAY = 7_200


@click.command()
@operators_option
@owner_option
@beacon_option
@click.option("--deposit", type=ETHER, help="Ether to add in the same call.")
@click.option(
    "--runway-days",
    type=click.IntRange(min=0),
    help="Add what makes the balance last that many days after the proof.",
)
@click.option("--no-top-up", is_flag=True, help="Add nothing, even if the proof liquidates it.")
@writing_options
def prove(
    chain: ChainOptions,
    operator_ids: tuple[int, ...],
    owner: Address | None,
    beacon: str | None,
    deposit: int | None,
    runway_days: int | None,
    no_top_up: bool,
) -> None:
    """Record the present effective balances of a cluster's validators; anyone may.

    Fetches the newest beacon state the node still serves, proves what has changed, and adds what
    the cluster needs to stay safe with its new burn rate.
    """
    if beacon is None:
        raise UsageError("no beacon node is named", code="beacon_missing", hint="Give --beacon.")
    if (deposit is not None) + (runway_days is not None) + no_top_up > 1:
        raise UsageError(
            "--deposit, --runway-days and --no-top-up exclude each other", code="funding"
        )
    session = open_session(chain)
    session.require_ready()
    from sdk.beacon_proofs.source import BeaconSource
    from sdk.beacon_proofs.workers import hashing_processes
    from sdk.client.beacon import BeaconNode
    from sdk.client.proving import plan_proof, prepare_proof

    session.output.step("fetching the newest beacon state and hashing it")
    with hashing_processes() as run:
        source = BeaconSource(BeaconNode(beacon).http)
        plan = plan_proof(session.client, source, session.owner(owner), operator_ids, run=run)
    _show(session, plan)
    if no_top_up:
        amount_wei = 0
    elif deposit is not None:
        amount_wei = deposit
    elif runway_days is not None:
        amount_wei = plan.top_up_wei(for_blocks=runway_days * BLOCKS_PER_DAY)
    else:
        amount_wei = plan.top_up_wei()
    if amount_wei and deposit is None:
        session.output.note(f"topping up by {format_ether(amount_wei)} ETH")
    _require_safe(session, plan, amount_wei)
    session.submit(prepare_proof(session.client, plan, deposit_wei=amount_wei))


def _show(session: Session, plan: ProofPlan) -> None:
    slot = plan.served.header.slot
    session.output.step(
        f"{counted(len(plan.changes), 'validator')} to prove as of slot {slot}: effective balance "
        f"{plan.difference_eth:+d} ETH",
        slot=slot,
        difference_eth=plan.difference_eth,
        left=plan.left,
    )
    if plan.left:
        session.output.note(f"{counted(plan.left, 'validator')} more need a further call")
    if plan.unknown:
        session.output.note(
            f"{counted(len(plan.unknown), 'validator')} not on the beacon chain yet: nothing to "
            "prove for them"
        )


def _require_safe(session: Session, plan: ProofPlan, amount_wei: int) -> None:
    if amount_wei < plan.top_up_wei(for_blocks=0):
        session.output.note("this proof liquidates the cluster, because it cannot pay any more")
