"""`phalanx node backup | restore`: copies of the slashing record.

A backup is made whether the node runs or not; it is put back only while it does not. Source:
docs/slashing.md, "Backups".
"""

from __future__ import annotations

from pathlib import Path

import click

from operator_node.cli.records import existing, find_record, for_a_record
from operator_node.letterbox import ask
from operator_node.signer.copying import put_back
from operator_node.signer.record_file import OnDamage
from operator_node.signer.store import SlashingStore
from sdk.cli.inputs import path_type
from sdk.cli.output import HELP_NAMES, Output, dry_run_option
from sdk.errors import StorageError
from sdk.files import refuse_existing

LETTER = "backup"


@click.command(context_settings=HELP_NAMES)
@click.option("--out", type=path_type, required=True, help="File to write; must not exist.")
@dry_run_option
@for_a_record
def backup(
    out: Path, dry_run: bool, config_path: Path | None, root_text: str | None, as_json: bool
) -> None:
    """Copies the slashing record, also of a node that runs.

    The operator's key is not in it. A backup is safe to restore at any age: every share is silent
    for the rest of the epoch then.
    """
    output = Output(as_json=as_json)
    refuse_existing(out)
    found = find_record(config_path, root_text, output)
    if dry_run:
        record = existing(found.path)
        output.result(
            {"written": None, "record": str(record), "dry_run": True},
            f"would copy {record} to {out}",
        )
        return
    was_running = False
    try:
        with SlashingStore.open(
            existing(found.path), found.owner, on_damage=OnDamage.STOP, is_handover=True
        ) as store:
            store.copy_to(out)
    except StorageError as problem:
        if problem.code != "record_in_use":
            raise
        was_running = True
        ask(found.settings.data_folder, LETTER, {"out": str(out.absolute())})
    output.result(
        {"written": str(out), "bytes": out.stat().st_size, "node_was_running": was_running},
        f"wrote {out}, {out.stat().st_size} bytes",
    )


@click.command(context_settings=HELP_NAMES)
@click.argument("file", type=path_type)
@for_a_record
def restore(file: Path, config_path: Path | None, root_text: str | None, as_json: bool) -> None:
    """Puts a backup of the slashing record back, while the node is stopped.

    When the node starts it arms every share, says so, and signs from the next epoch on. The record
    that was there is kept under another name.
    """
    output = Output(as_json=as_json)
    found = find_record(config_path, root_text, output)
    aside = put_back(file, found.path, found.owner)
    output.result(
        {"restored": str(found.path), "set_aside": None if aside is None else str(aside)},
        f"restored {found.path}; every share is armed when the node starts"
        + ("" if aside is None else f". The record that was there is now {aside}"),
    )
