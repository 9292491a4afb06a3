"""`phalanx node handover`: an operator moves to another machine, or to another version.

Both commands work on a stopped node's data folder, and ask nobody. The order of their steps is what
makes them safe to kill; it is in `operator_node.handover`.

Source: docs/slashing.md, "Moving an operator".
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from operator_node.cli.records import Found, existing, find_record, for_a_record
from operator_node.clock import wall_ms
from operator_node.handover import (
    Beside,
    Package,
    Registry,
    pack,
    read_package,
    stop_for_good,
    take,
    write_package,
)
from operator_node.handover.package import FILE_MAX_BYTES, IV_BYTES, SALT_BYTES
from operator_node.signer.record_file import OnDamage
from operator_node.signer.store import SlashingStore
from operator_node.spec.networks import HOLESKY, HOODI, MAINNET, SEPOLIA
from sdk.cli.inputs import path_type
from sdk.cli.output import HELP_NAMES, Output, counted, dry_run_option, overwrite_option
from sdk.cli.passwords import PasswordSource, password_options
from sdk.crypto.password_box import Scrypt
from sdk.errors import InputError
from sdk.files import read_bounded, refuse_existing, write_private

BESIDE_MAX_BYTES: Final = 16 * 1024 * 1024
"""Of peers and watches; what is larger is found out anew."""


@click.group(context_settings=HELP_NAMES)
def handover() -> None:
    """Move an operator: export on the machine that stops, import on the one that goes on."""


@handover.command("export")
@click.option("--out", type=path_type, required=True, help="File to write.")
@click.option("--again", is_flag=True, help="Make the file of a handover that was begun once more.")
@password_options()
@overwrite_option
@dry_run_option
@for_a_record
def export_package(
    out: Path,
    again: bool,
    password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    config_path: Path | None,
    root_text: str | None,
    as_json: bool,
) -> None:
    """Stops signing on this instance for good, and writes what the next one needs.

    The node is stopped first. The file holds the slashing record, peers and watches; the operator
    key travels by itself. Import the file once, and remove it then.
    """
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    found = find_record(config_path, root_text, output)
    if dry_run:
        # That it opens says that it is whole, this operator's, and that no node has it.
        with _open(found._replace(path=existing(found.path))):
            output.result(
                {"written": None, "record": str(found.path), "dry_run": True},
                f"would stop signing with {found.path} for good, and write {out}",
            )
        return
    secret = password.read("the handover file", confirm=True)
    box = Scrypt()
    with _open(found._replace(path=existing(found.path))) as store:
        beside = _beside(found)
        name, number = stop_for_good(store, found.path, again=again)
        output.step("this instance is stopped for good")
        made_ms = wall_ms()
        slot = _slot(found.owner.genesis_validators_root, made_ms)
        package = pack(store, name, number, beside, made_ms=made_ms, slot=slot)
    data = write_package(
        package,
        secret,
        kdf=box,
        salt=secrets.token_bytes(SALT_BYTES),
        iv=secrets.token_bytes(IV_BYTES),
    )
    write_private(out, data, overwrite=overwrite)
    output.result(
        {"written": str(out), "handover": number, "id": name, "slot": slot, "term": package.term},
        f"wrote handover {number} to {out}. Import it on the other machine, then remove it; this "
        "instance does not start any more",
    )


@handover.command("import")
@click.argument("file", type=path_type)
@password_options()
@for_a_record
def import_package(
    file: Path,
    password: PasswordSource,
    config_path: Path | None,
    root_text: str | None,
    as_json: bool,
) -> None:
    """Takes over from an instance that was stopped for good; then start the node.

    It signs from the next slot on, and does not listen for a twin first.
    """
    output = Output(as_json=as_json)
    found = find_record(config_path, root_text, output)
    data = read_bounded(file, limit_bytes=FILE_MAX_BYTES)
    package = read_package(data, password.read(str(file)), source=str(file))
    with _open(found) as store:
        conflicts = take(store, found.path, package, source=str(file))
        _put_beside(found, package)
    proven = sum(conflict.contradiction.is_proven for conflict in conflicts)
    if proven:
        output.note(f"{counted(proven, 'slashable pair')} came with the file", severity="warning")
    output.result(
        {"record": str(found.path), "handover": package.number, "slashable": proven},
        f"took in handover {package.number} into {found.path}; remove {file} and start the node",
    )


def _open(found: Found) -> SlashingStore:
    return SlashingStore.open(found.path, found.owner, on_damage=OnDamage.STOP, is_handover=True)


def _slot(genesis_validators_root: bytes, now_ms: int) -> int | None:
    """The running slot of a chain that is built in."""
    for chain in (MAINNET, HOODI, SEPOLIA, HOLESKY):
        if chain.genesis_validators_root == genesis_validators_root:
            return (now_ms // 1000 - chain.genesis_time) // chain.seconds_per_slot
    return None


def _beside(found: Found) -> Beside:
    # Here, not above: it loads libp2p, which takes a second.
    from operator_node.node.crowding import PEERS_FILE
    from operator_node.node.parts import STATE_FILE, WATCHES_FILE

    folder = found.settings.data_folder
    return Beside(
        peers=_small(folder / PEERS_FILE),
        watches=_small(folder / WATCHES_FILE),
        registry=_registry(folder / STATE_FILE),
    )


def _small(path: Path) -> bytes | None:
    try:
        data = read_bounded(path, limit_bytes=BESIDE_MAX_BYTES)
    except InputError:
        return None
    return None if len(data) > BESIDE_MAX_BYTES else data


def _registry(path: Path) -> Registry | None:
    """The last block applied; the other side reads the chain by itself, so this only compares."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            query = "SELECT number, hash FROM point ORDER BY number DESC LIMIT 1"
            row = database.execute(query).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else Registry(*row)


def _put_beside(found: Found, package: Package) -> None:
    """What is found out anew if it is missing, and the note that spares the watch for a twin."""
    from operator_node.doppelganger import LastUse
    from operator_node.node.crowding import PEERS_FILE
    from operator_node.node.parts import LAST_USE_FILE, WATCHES_FILE

    folder = found.settings.data_folder
    for name, data in ((PEERS_FILE, package.peers), (WATCHES_FILE, package.watches)):
        if data is not None and not (folder / name).exists():
            write_private(folder / name, data)
    LastUse(folder / LAST_USE_FILE, record=found.path).note(wall_ms())
