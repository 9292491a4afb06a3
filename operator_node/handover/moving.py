"""Handing an operator to another instance: first this one stops for good, then the file is made.

What forbids signing here is on the disk before anything of the file is; the other side takes all of
it in one step or nothing. So however either is killed, never two may sign on account of it. A file
is taken once, and one that is older than what a record has behind it never.

Source: docs/slashing.md, "Moving an operator".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operator_node.handover.package import SCHEMA, Package, Registry
from operator_node.signer.interchange import Form, read_interchange, write_interchange
from operator_node.signer.record import Conflict
from operator_node.signer.record_file import HANDED_OVER, handed_over_note
from operator_node.signer.standing import Standing, inherited
from operator_node.signer.store import SlashingStore
from sdk.errors import ConfigError, StorageError, UsageError
from sdk.files import write_private

_NUMBER: Final = "handovers"
_TAKEN: Final = "handed_in"
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes along with the record; None for what there is not."""

    peers: bytes | None
    watches: bytes | None
    registry: Registry | None


def stop_for_good(store: SlashingStore, path: Path, *, again: bool = False) -> tuple[str, int]:
    """Forbids signing with this record; the id and number of the handover.

    Args:
        store: opened for a handover.
        path: of its file.
        again: the record was handed over before, and the file of that handover is made anew.

    Raises:
        UsageError: `handover_done`, it was handed over before; `handover_suspect`.
    """
    facts = store.facts()
    number = int(str(facts.get(_NUMBER, 0)))
    if found := str(facts.get(HANDED_OVER) or ""):
        if not again:
            raise UsageError(
                f"the slashing record {path} was handed over already",
                code="handover_done",
                hint="If that file is lost and was never imported, say --again.",
            )
        write_private(handed_over_note(path), found.encode(), overwrite=True)
        return found, number
    if store.needs_arming:
        raise UsageError(
            f"the slashing record {path} is an older copy, it cannot be handed over as it is",
            code="handover_suspect",
            hint="Start the node once, so that it arms every share, and stop it again.",
        )
    name = secrets.token_hex(_ID_BYTES)
    # The note first: with either of the two no node starts.
    write_private(handed_over_note(path), name.encode(), overwrite=True)
    store.take_in((), {HANDED_OVER: name, _NUMBER: number + 1})
    return name, number + 1


def pack(
    store: SlashingStore, name: str, number: int, beside: Beside, *, made_ms: int, slot: int | None
) -> Package:
    """What is handed over, of a record that was stopped for good."""
    facts, standing = store.facts(), store.standing()
    root = facts["genesis_validators_root"]
    if not isinstance(root, bytes) or not facts.get(HANDED_OVER):
        raise StorageError("the slashing record is not stopped for good", code="handover_order")
    operator_id, operator_key = facts.get("operator_id"), facts.get("operator_key")
    return Package(
        schema=SCHEMA,
        id=name,
        number=number,
        made_ms=made_ms,
        slot=slot,
        network=str(facts["network"]),
        genesis_validators_root=root,
        operator_id=None if operator_id is None else int(str(operator_id)),
        operator_key=None if operator_key is None else str(operator_key),
        term=standing.term,
        record_id=standing.record_id,
        sequence=standing.sequence,
        record=write_interchange(
            tuple(store.key_histories()), genesis_validators_root=root, form=Form.COMPLETE
        ),
        peers=beside.peers,
        watches=beside.watches,
        registry=beside.registry,
    )


def take(store: SlashingStore, path: Path, package: Package, *, source: str) -> list[Conflict]:
    """Takes a package in; from the next start on this instance signs where the other stopped.

    Args:
        store: opened for a handover.
        path: of its file.
        package: of the other instance.
        source: the file's name for errors.

    Returns:
        Slashable data that came with it.

    Raises:
        ConfigError: `record_of_another`, it is another network's or operator's.
        UsageError: `handover_own`, it is what this instance handed over; `handover_old`.
    """
    facts = store.facts()
    _check_owner(facts, package, source)
    number = int(str(facts.get(_NUMBER, 0)))
    is_repeated = facts.get(_TAKEN) == package.id and not facts.get(HANDED_OVER)
    if facts.get(HANDED_OVER) == package.id:
        raise UsageError(
            f"{source} is what this very instance handed over",
            code="handover_own",
            hint="Import it on the other machine. To come back, export there and import here.",
        )
    if package.number <= number and not is_repeated:
        raise UsageError(
            f"{source} is handover {package.number} of this operator, this record knows {number}",
            code="handover_old",
            hint="Use the file of the latest export; remove this one.",
        )
    histories = read_interchange(
        package.record,
        genesis_validators_root=package.genesis_validators_root,
        source=source,
    )
    standing = Standing(package.term, package.record_id, package.sequence)
    changed: dict[str, object] = {HANDED_OVER: "", _NUMBER: package.number, _TAKEN: package.id}
    if not is_repeated and standing.term >= store.standing().term:
        changed |= inherited(standing)
    for name in ("operator_id", "operator_key"):
        if (value := getattr(package, name)) is not None:
            changed[name] = value
    conflicts = store.take_in(histories, changed)
    handed_over_note(path).unlink(missing_ok=True)
    return list(conflicts)


def _check_owner(facts: dict[str, object], package: Package, source: str) -> None:
    for name in ("network", "genesis_validators_root", "operator_id", "operator_key"):
        here, there = facts.get(name), getattr(package, name)
        if here is not None and there is not None and here != there:
            raise ConfigError(
                f"{source} is of {name.replace('_', ' ')} {_shown(there)}, "
                f"this record of {_shown(here)}",
                code="record_of_another",
                hint="Check the file, db.Path and the network in the settings.",
            )


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
