"""What is kept of an upgrade between its proposal and its execution, at least a week later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.contracts_parts import record
from deploy.contracts_parts.options import Session
from deploy.contracts_parts.plan import UPGRADE
from deploy.contracts_parts.runner import Runner


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
    record.write(session.pending, {"contracts": entries, "storage_layout": dict(described)})


def apply(session: Session, document: dict[str, Any], core: str) -> str:
    """Bring the addresses file up to the executed upgrade; what was done, in words."""
    if not session.pending.exists():
        return f"the registry's code is now {core}, but {session.pending} is not here"
    pending = json.loads(session.pending.read_text())
    if pending["contracts"]["core"]["address"] != core:
        return f"the registry's code is now {core}, which is not the one in {session.pending}"
    new = {
        **document,
        "implementation": core,
        "extension": pending["contracts"]["extension"]["address"],
        "contracts": {**document["contracts"], **pending["contracts"]},
        "storage_layout": pending["storage_layout"],
    }
    for entry in pending["contracts"].values():
        source = record.input_path(session.pending, entry["contract"])
        source.replace(record.input_path(session.addresses, entry["contract"]))
    record.write(session.addresses, new)
    record.input_path(session.pending, "none").parent.rmdir()
    session.pending.unlink()
    session.upgrade_journal.unlink(missing_ok=True)
    return f"{session.addresses} now names the new code {core}"
