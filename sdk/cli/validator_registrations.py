"""`phalanx validators register`: any number of validators, in as many transactions as it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import ETHER, ChainOptions, writing_options
from sdk.cli.inputs import load_keyshares_file, path_type
from sdk.cli.open_session import open_session
from sdk.cli.output import counted

if TYPE_CHECKING:
    from sdk.cli.chain_session import Session
    from sdk.client.bulk import BulkRegistration, BulkStep
    from sdk.client.bulk_journal import BulkJournal
    from sdk.client.bulk_plan import BulkPlan
    from sdk.shares.keyshares_file import KeysharesFile

deposit_option = click.option(
    "--deposit", type=ETHER, help="Ether for the cluster, over all transactions."
)
runway_option = click.option(
    "--runway-days",
    type=click.IntRange(min=0),
    help="Deposit what makes the balance last that many days of 7,200 blocks.",
)
chunk_option = click.option(
    "--most-per-transaction",
    type=click.IntRange(min=1),
    help="Validators per transaction [default: as many as fit].",
)


@click.command()
@click.argument("keyshares", type=path_type)
@deposit_option
@runway_option
@chunk_option
@click.option(
    "--journal", type=path_type, help="Where progress is noted [default: KEYSHARES.registration]."
)
@writing_options
def register(
    chain: ChainOptions,
    keyshares: Path,
    deposit: int | None,
    runway_days: int | None,
    most_per_transaction: int | None,
    journal: Path | None,
) -> None:
    """Register the validators of a keyshares file.

    Interrupted or failed in the middle, the same command goes on where it stopped; no validator is
    registered twice.
    """
    file = load_keyshares_file(keyshares)
    session = open_session(chain)
    if chain.export is not None or chain.safe is not None:
        prepared = session.client.validators.register(
            file, deposit_wei=deposit, runway_days=runway_days
        )
        session.submit(prepared)
        return
    _register(
        session,
        file,
        journal or keyshares.with_name(keyshares.name + ".registration"),
        deposit_wei=deposit,
        runway_days=runway_days,
        most_per_transaction=most_per_transaction,
    )


def _register(
    session: Session,
    file: KeysharesFile,
    path: Path,
    *,
    deposit_wei: int | None,
    runway_days: int | None,
    most_per_transaction: int | None,
) -> None:
    from sdk.client.bulk import BulkRegistration, bulk_journal_file

    session.require_ready()
    with bulk_journal_file(path) as journal_file:
        bulk = BulkRegistration(
            session.client, file.shares, journal_file, tell=_teller(session, len(file.shares))
        )
        if bulk.journal is None:
            plan = bulk.plan(
                deposit_wei=deposit_wei,
                runway_days=runway_days,
                most_per_transaction=most_per_transaction,
            )
            facts = _show(session, bulk, plan)
        else:
            bulk.require_kept()
            plan, facts = None, _show_rest(session, bulk.journal)
        if session.options.dry_run:
            session.output.result({**facts, "sent": False}, "dry run: nothing was sent")
            return
        session.confirm()
        if plan is not None:
            bulk.begin(plan)
        done = bulk.run()
    session.output.result(
        {**facts, "sent": True, "journal": str(path), **journal_facts(done)},
        f"{counted(done.verified, 'validator')} registered in "
        f"{counted(len(done.chunks), 'transaction')}",
    )


def journal_facts(journal: BulkJournal) -> dict[str, object]:
    """What happened, for programs."""
    return {
        "registered": journal.verified,
        "first_nonce": journal.first_nonce,
        "transactions": [
            {
                "hash": None if chunk.sent is None else chunk.sent.hash,
                "block": chunk.block,
                "validators": chunk.count,
                "deposit_wei": str(chunk.deposit_wei),
            }
            for chunk in journal.chunks
        ],
    }


def tell_step(session: Session, step: BulkStep) -> None:
    """Says what became of one transaction."""
    span = _span(step)
    hash_text = "" if step.chunk.sent is None else step.chunk.sent.hash
    if step.kind == "sent":
        text = f"sent {span} in transaction {hash_text}"
        session.output.step(text, transaction_hash=hash_text)
    elif step.kind == "found":
        session.output.step(f"registered already, by an earlier run: {span}")
    elif step.kind == "found_unsure":
        session.output.note(
            f"registered: {span}; this node cannot tell whether with the nonces that the "
            "keyshares are signed for. Ask the operators, or a node that keeps old states"
        )


def _span(step: BulkStep) -> str:
    """The place of a transaction's validators in the file."""
    first, last = step.chunk.start + 1, step.chunk.end
    return f"validator {first}" if first == last else f"validators {first} to {last}"


def _teller(session: Session, total: int) -> Callable[[BulkStep], None]:
    progress = session.output.progress(total, "registered")

    def tell(step: BulkStep) -> None:
        tell_step(session, step)
        if step.kind != "sent":
            progress.advance(step.verified, _span(step))

    return tell


def _show(session: Session, bulk: BulkRegistration, plan: BulkPlan) -> dict[str, object]:
    """The plan on the terminal and as facts; its first transaction is simulated."""
    from sdk.cli.chain_session import ether, forecast_facts

    lines = plan.lines()
    facts: dict[str, object] = {
        "validators": plan.validators,
        "first_nonce": plan.first_nonce,
        "deposit_wei": str(plan.deposit_wei),
        "sizes": [chunk.count for chunk in plan.to_send],
        "before": forecast_facts(plan.before),
        "after": forecast_facts(plan.after),
    }
    if plan.to_send:
        first = bulk.first_call(plan).plan()
        per_validator = -(-first.gas // len(first.nonces))
        cost_wei = first.gas_cost_wei * plan.validators // len(first.nonces)
        most_wei = first.most_gas_cost_wei * plan.validators // len(first.nonces)
        lines.insert(
            3,
            f"gas: about {per_validator} for each, together about {ether(cost_wei)}, at most "
            f"{ether(most_wei)}",
        )
        facts |= {"gas_cost_wei": str(cost_wei), "most_gas_cost_wei": str(most_wei)}
    session.say_lines(lines)
    return {"plan": facts}


def _show_rest(session: Session, journal: BulkJournal) -> dict[str, object]:
    left = len(journal.keys) - journal.verified
    session.output.step(
        f"going on: {journal.verified} of {len(journal.keys)} validators were registered",
        registered=journal.verified,
        left=left,
    )
    return {"plan": {"validators": left, "first_nonce": journal.first_nonce}}
