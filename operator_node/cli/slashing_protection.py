"""`phalanx node slashing-protection`: the slashing record as EIP-3076 files, and to look at.

The record is in one process's use at a time, so the node is stopped first. Source:
docs/slashing.md.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import click

from operator_node.cli.records import existing, find_record, for_a_record
from operator_node.clock import wall_ms
from operator_node.signer import Form, Guard, KeyHistory, read_interchange, write_interchange
from operator_node.signer.interchange import (
    EPOCHS_AHEAD,
    FILE_MAX_BYTES,
    refuse_far_bounds,
    refuse_reversed_votes,
)
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.rules import AttestationGuard
from operator_node.signer.store import SlashingStore
from operator_node.spec.networks import HOLESKY, HOODI, MAINNET, SEPOLIA
from sdk.cli.inputs import path_type
from sdk.cli.output import (
    HELP_NAMES,
    Output,
    counted,
    dry_run_option,
    overwrite_option,
)
from sdk.files import read_bounded, refuse_existing, write_private


@click.group("slashing-protection", context_settings=HELP_NAMES)
def slashing_protection() -> None:
    """Import, export and show the slashing record of a stopped node."""


@slashing_protection.command("import")
@click.argument("file", type=path_type)
@click.option(
    "--allow-far-future",
    is_flag=True,
    help="Take bounds after the present, which silence a key until then.",
)
@for_a_record
def import_file(
    file: Path,
    allow_far_future: bool,
    config_path: Path | None,
    root_text: str | None,
    as_json: bool,
) -> None:
    """Takes an EIP-3076 file into the record; bounds only rise.

    Shares that the file does not name with their validator are armed when the node starts.
    """
    output = Output(as_json=as_json)
    path, owner, _ = find_record(config_path, root_text, output)
    data = read_bounded(file, limit_bytes=FILE_MAX_BYTES)
    histories = read_interchange(
        data, genesis_validators_root=owner.genesis_validators_root, source=str(file)
    )
    refuse_reversed_votes(histories, source=str(file))
    if not allow_far_future:
        epoch, slot = _latest_plausible(owner.genesis_validators_root)
        refuse_far_bounds(histories, epoch=epoch, slot=slot, source=str(file))
    with _open(path, owner) as store:
        conflicts = store.merge(histories)
    proven = [conflict for conflict in conflicts if conflict.contradiction.is_proven]
    for conflict in proven:
        found = conflict.contradiction
        output.note(
            f"slashable data of 0x{conflict.key.hex()}: {found.reason}, {found.one} against "
            f"{found.other}"
        )
    output.result(
        {"record": str(path), "keys": len(histories), "slashable": len(proven)},
        f"took in {counted(len(histories), 'key')} into {path}, "
        f"{counted(len(proven), 'proven slashable pair')} in them",
    )


@slashing_protection.command("export")
@click.option("--out", type=path_type, required=True, help="File to write.")
@click.option("--minimal", is_flag=True, help="The highest values only.")
@click.option(
    "--without-validator-keys",
    is_flag=True,
    help="Leave out our own field, for programs that refuse fields they do not know.",
)
@overwrite_option
@dry_run_option
@for_a_record
def export_file(
    out: Path,
    minimal: bool,
    without_validator_keys: bool,
    overwrite: bool,
    dry_run: bool,
    config_path: Path | None,
    root_text: str | None,
    as_json: bool,
) -> None:
    """Writes the record as an EIP-3076 file. Do not start the node again after a handover."""
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    path, owner, _ = find_record(config_path, root_text, output)
    with _open(existing(path), owner) as store:
        histories = tuple(store.key_histories())
    data = write_interchange(
        histories,
        genesis_validators_root=owner.genesis_validators_root,
        form=Form.MINIMAL if minimal else Form.COMPLETE,
        with_validator_keys=not without_validator_keys,
    )
    if not dry_run:
        write_private(out, data, overwrite=overwrite)
    output.result(
        {"written": None if dry_run else str(out), "keys": len(histories), "dry_run": dry_run},
        f"{'would write' if dry_run else 'wrote'} {counted(len(histories), 'key')} to {out}",
    )


@slashing_protection.command("show")
@for_a_record
def show(config_path: Path | None, root_text: str | None, as_json: bool) -> None:
    """Shows the highest values of every key."""
    output = Output(as_json=as_json)
    path, owner, _ = find_record(config_path, root_text, output)
    with _open(existing(path), owner) as store:
        needs_arming = store.needs_arming
        rows = [_row(item) for item in store.key_histories()]
    if needs_arming:
        output.note("this is an older copy: every share is armed anew when the node starts")
    lines = [
        f"{row['key']}  vote {row['vote'] or 'none'}  block {row['block'] or 'none'}  "
        f"entries {row['votes']}+{row['blocks']}"
        for row in rows
    ]
    output.result(
        {"record": str(path), "needs_arming": needs_arming, "keys": rows},
        "\n".join([*lines, f"{counted(len(rows), 'key')} in {path}"]),
    )


def _latest_plausible(genesis_validators_root: bytes) -> tuple[int, int]:
    """The latest epoch and slot that a signature can be of.

    Of a chain whose genesis time is not known here, a slot per second since 1970, and as many
    epochs: no chain has more.
    """
    now_s = wall_ms() // 1000
    for chain in (MAINNET, HOODI, SEPOLIA, HOLESKY):
        if chain.genesis_validators_root == genesis_validators_root:
            slot = (now_s - chain.genesis_time) // chain.seconds_per_slot
            epoch = slot // chain.slots_per_epoch + EPOCHS_AHEAD
            return epoch, (epoch + 1) * chain.slots_per_epoch - 1
    return now_s, now_s


def _open(path: Path, owner: Owner) -> AbstractContextManager[SlashingStore]:
    return SlashingStore.open(path, owner, on_damage=OnDamage.STOP)


def _row(item: KeyHistory) -> dict[str, object]:
    votes, blocks = item.history.attestations, item.history.blocks
    return {
        "key": f"0x{item.key.hex()}",
        "validator": None if item.validator_key is None else f"0x{item.validator_key.hex()}",
        "vote": _highest(votes.highest),
        "block": _highest(blocks.highest),
        "votes": len(votes.entries),
        "blocks": len(blocks.entries),
    }


def _highest(guard: Guard | None) -> str | None:
    if guard is None:
        return None
    if isinstance(guard, AttestationGuard):
        return f"{guard.source_epoch}→{guard.target_epoch}"
    return str(guard.slot)
