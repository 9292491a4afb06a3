"""The command propose-upgrade: new extension and core, proposed to the timelock.

Before anything is sent the storage layout is compared with the recorded one; before anything is
proposed every getter is asked under the new code on the registry's real storage.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from deploy.contracts_parts import (
    build,
    calls,
    governance,
    layout,
    proposals,
    record,
    runner,
    upgrade_record,
)
from deploy.contracts_parts.chain import Chain
from deploy.contracts_parts.commands import predecessor_option, propose, salt_option
from deploy.contracts_parts.journal import Journal
from deploy.contracts_parts.options import Session, session_options
from deploy.contracts_parts.plan import UPGRADE
from deploy.contracts_parts.runner import Runner
from deploy.contracts_parts.timelock import NOTHING
from sdk.errors import ChainError, UsageError


@click.command("propose-upgrade")
@predecessor_option
@salt_option
@session_options
def propose_upgrade(session: Session, predecessor: bytes | None, salt: bytes | None) -> None:
    """Deploy the extension and core of these sources and propose them as the registry's code.

    A dry run unless --broadcast is given. The storage layout must agree with the recorded one.
    """
    document = record.read(session.addresses)
    contracts = build.build("RegistryExtension", "Registry")
    described = layout.describe(build.storage_layout())
    with session.connected() as chain:
        proposals.require_same_chain(chain, document)
        _require_upgradable(chain, document, described)
        session.output.step("storage layout: compatible with the recorded one")
        for added in layout.additions(document["storage_layout"], described):
            session.output.note(f"new in storage: {added}")
        work = _upgrade_runner(session, chain, contracts)
        items, fees = work.survey(), chain.fees()
        lines = runner.describe(items, fees)
        if session.broadcast:
            runner.require_funds(chain, work.deployer, items, fees)
            session.output.note("\n".join(lines))
            session.confirm(f"Send {len(items)} transactions, and propose?")
            work.carry_out(session.signer(), session.output.step)
            upgrade_record.keep(session, work, described)
        core = work.known["core"]
        call = calls.call(governance.UPGRADE_SIGNATURE, core, b"")
        operation = proposals.operation_for(
            chain, document, call, predecessor=predecessor or NOTHING, salt=salt
        )
        if chain.code(core):
            _require_same_state(chain, document, core)
            proposals.try_as_timelock(chain, document, operation)
        elif not session.broadcast:
            session.output.note("\n".join(lines))
        if session.broadcast and not proposals.is_proposer(chain, document, work.deployer):
            # A hot key may create code; proposing it is for the Safe, which takes the calldata.
            session.output.note(f"{work.deployer} is no proposer: hand on the call below")
            session = replace(session, broadcast=False, sender=work.deployer)
        propose(session, chain, document, operation)


def _require_upgradable(chain: Chain, document: dict[str, Any], described: dict[str, Any]) -> None:
    if chain.read(document["registry"], "getUpgradesRenounced()", returns="bool"):
        raise ChainError(
            "upgrades were renounced: the registry's code can never change again",
            code="upgrades_renounced",
        )
    found = layout.conflicts(document["storage_layout"], described)
    if found:
        raise ChainError(
            "the new code would misread the storage: " + "; ".join(found),
            code="layout_conflict",
            hint="Nothing was sent. Only add members at the end of RegistryStorage.",
            data={"conflicts": found},
        )


def _require_same_state(chain: Chain, document: dict[str, Any], core: str) -> None:
    changed = proposals.compare_reads(chain, document, core)
    if changed:
        raise ChainError(
            "under the new code the registry would answer differently: " + "; ".join(changed),
            code="state_changed",
            hint="Nothing was proposed.",
        )


def _upgrade_runner(session: Session, chain: Chain, contracts: dict[str, build.Contract]) -> Runner:
    deployer = session.sender_address()
    if not deployer:
        raise UsageError("nobody to plan for", hint="Give --account, or --sender for a plan.")
    header: dict[str, str | int] = {
        "chain_id": chain.chain_id,
        "genesis": chain.genesis,
        "deployer": deployer,
        "code": record.hash_of(b"".join(each.creation for each in contracts.values())),
    }
    return Runner(
        chain=chain,
        parameters=session.parameters,
        contracts=contracts,
        journal=Journal(session.upgrade_journal, header),
        deployer=deployer,
        names=UPGRADE,
    )
