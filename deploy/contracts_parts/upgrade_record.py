"""What is kept of an upgrade between its proposal and its execution, at least a week later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.contracts_parts import record
from deploy.contracts_parts.options import Session
from deploy.contracts_parts.plan import UPGRADE
from deploy.contracts_parts.runner import Runner
from sdk.errors import InputError


def keep(session: Session, work: Runner, described: Mapping[str, Any]) -> None:
    """Write down the new contracts and their layout beside the addresses file."""
    entries = {
        item.step.name: record.entry(
            item.step,
            code=work.chain.code(item.step.address),
            transaction=item.transaction,
            block=int(work.journal.steps[item.step.name]["block"]),
        )
        for item in work.survey()
    }
    record.write_inputs(session.pending, work.contracts, list(UPGRADE))
    inputs = {
        entry["contract"]: record.hash_of(
            record.input_path(session.pending, entry["contract"]).read_bytes()
        )
        for entry in entries.values()
    }
    record.write(
        session.pending,
        {"contracts": entries, "inputs": inputs, "storage_layout": dict(described)},
    )


def is_behind(session: Session, document: Mapping[str, Any], core: str) -> bool:
    """Whether an upgrade to `core`, the registry's code now, is not or not wholly applied."""
    if core != document["implementation"]:
        return True
    return session.pending.exists() and _pending(session)["contracts"]["core"]["address"] == core


def apply(session: Session, document: dict[str, Any], core: str) -> str:
    """Bring the addresses file up to the executed upgrade; what was done, in words.

    May be killed anywhere and called again: what has moved is skipped, and the pending file, which
    says what is to be done, goes last.

    Raises:
        InputError: `upgrade_unknown`, if the upgrade was not kept here. Nothing was changed.
    """
    now = f"the registry's code is now {core}"
    if not session.pending.exists():
        raise _unknown(f"{now}, but {session.pending} is not here")
    pending = _pending(session)
    if pending["contracts"]["core"]["address"] != core:
        raise _unknown(f"{now}, which is not the one in {session.pending}")
    moves = {
        record.input_path(session.pending, name): (record.input_path(session.addresses, name), kept)
        for name, kept in pending["inputs"].items()
    }
    for source, (target, kept) in moves.items():
        found = source if source.exists() else target
        if not found.exists() or record.hash_of(found.read_bytes()) != kept:
            raise _unknown(f"{now}, but its input {source} is lost or changed")
    for source, (target, _) in moves.items():
        if source.exists():
            source.replace(target)
    new = {
        **document,
        "implementation": core,
        "extension": pending["contracts"]["extension"]["address"],
        "contracts": {**document["contracts"], **pending["contracts"]},
        "storage_layout": pending["storage_layout"],
    }
    record.write(session.addresses, new)
    folder = record.input_path(session.pending, "none").parent
    if folder.exists():
        folder.rmdir()
    session.upgrade_journal.unlink(missing_ok=True)
    session.pending.unlink()
    return f"{session.addresses} now names the new code {core}"


def _pending(session: Session) -> dict[str, Any]:
    return dict(json.loads(session.pending.read_text()))


def _unknown(message: str) -> InputError:
    return InputError(
        message,
        code="upgrade_unknown",
        hint="Run this where the upgrade was proposed, with the files beside its addresses file.",
    )
