"""The commands that bring the registry to a chain: plan, run, verify-input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deploy.contracts_parts import build, checks, human, layout, record, runner
from deploy.contracts_parts.chain import Chain
from deploy.contracts_parts.journal import Journal
from deploy.contracts_parts.options import Session, session_options
from deploy.contracts_parts.parameters import NO_ADDRESS, window_fault
from deploy.contracts_parts.plan import step_names
from deploy.contracts_parts.proposals import require_same_chain
from deploy.contracts_parts.runner import Item, Runner
from sdk.errors import ChainError, ConfigError, InputError, UsageError
from sdk.types import parse_hex


@click.command()
@session_options
def plan(session: Session) -> None:
    """Say what a deployment would send and cost. Sends nothing."""
    if session.broadcast:
        raise UsageError("plan never sends", hint="Use `run --broadcast`.")
    _run(session)


@click.command()
@session_options
def run(session: Session) -> None:
    """Deploy timelock, verifier, extension, core and proxy, or go on where an earlier run stopped.

    A dry run unless --broadcast is given.
    """
    _run(session)


@click.command("verify-input")
@click.option("--contract", "names", multiple=True, help="Only this step, such as core.")
@session_options
def verify_input(session: Session, names: tuple[str, ...]) -> None:
    """Compile the published inputs anew and compare the code with what is on chain."""
    document = record.read(session.addresses)
    unknown = set(names) - set(document["contracts"])
    if unknown:
        raise UsageError(f"no such step: {', '.join(sorted(unknown))}")
    with session.connected() as chain:
        require_same_chain(chain, document)
        verified = {}
        for step, entry in document["contracts"].items():
            if names and step not in names:
                continue
            path = record.input_path(session.addresses, entry["contract"])
            session.output.step(f"{step}: compiling {path}")
            _verify(chain, path, entry)
            verified[step] = {"address": entry["address"], "input": str(path)}
    lines = [
        f"{step}: {each['address']} is what its input makes" for step, each in verified.items()
    ]
    session.output.result({"verified": verified}, "\n".join(lines))


def _run(session: Session) -> None:
    contracts = build.build()
    with session.connected() as chain:
        if session.addresses.exists():
            _report_existing(session, chain)
            return
        fault = window_fault(session.parameters, now_s=chain.now_s())
        if fault:
            raise ConfigError(fault, hint="Choose it anew, or leave out the verifier section.")
        deployer = session.sender_address()
        _refuse_deployer_in_power(session, deployer)
        work = Runner(
            chain=chain,
            parameters=session.parameters,
            contracts=contracts,
            journal=_journal(session, chain, deployer, contracts),
            deployer=deployer,
            names=step_names(session.parameters),
        )
        items, fees = work.survey(), chain.fees()
        lines = [
            f"network {session.parameters.network.name}, chain {chain.chain_id}, "
            f"deployer {deployer} with {human.amount(chain.balance_wei(deployer))}",
            *runner.describe(items, fees),
            *_plain_accounts(session, chain),
        ]
        if not session.broadcast:
            session.output.result(
                _plan_facts(items, work), "\n".join([*lines, "dry run: nothing was sent"])
            )
            return
        runner.require_funds(chain, deployer, items, fees)
        session.output.note("\n".join(lines))
        waiting = sum(not item.done for item in items)
        session.confirm(f"Send {waiting} transactions to chain {chain.chain_id}?")
        work.carry_out(session.signer(), session.output.step)
        _finish(session, work)


def _journal(
    session: Session, chain: Chain, deployer: str, contracts: dict[str, build.Contract]
) -> Journal:
    header: dict[str, str | int] = {
        "chain_id": chain.chain_id,
        "genesis": chain.genesis,
        "deployer": deployer,
        "parameters": session.parameters.digest,
        "code": record.hash_of(b"".join(each.creation for each in contracts.values())),
    }
    return Journal(session.journal, header)


def _finish(session: Session, work: Runner) -> None:
    """Check the whole, then write addresses and inputs, then drop the journal."""
    checked = checks.require_sound(
        work.chain,
        parameters=work.parameters,
        contracts=work.contracts,
        known=work.known,
        deployer=work.deployer,
    )
    for line in checked:
        session.output.step(f"checked: {line}")
    entries = {
        item.step.name: record.entry(
            item.step,
            code=work.chain.code(item.step.address),
            transaction=item.transaction,
            block=int(work.journal.steps[item.step.name]["block"]),
        )
        for item in work.survey()
    }
    document = record.make(
        network=work.parameters.network.name,
        chain_id=work.chain.chain_id,
        genesis=work.chain.genesis,
        deployer=work.deployer,
        parameters_digest=work.parameters.digest,
        contracts=entries,
        storage_layout=layout.describe(build.storage_layout()),
    )
    record.write_inputs(session.addresses, work.contracts, list(entries))
    record.write(session.addresses, document)
    work.journal.remove()
    session.output.result(
        document,
        f"registry {document['registry']}\ntimelock {document['timelock']}\n"
        f"start block {document['start_block']}\nwrote {session.addresses}",
    )


def _report_existing(session: Session, chain: Chain) -> None:
    """A finished deployment is compared with the chain instead of being repeated."""
    document = record.read(session.addresses)
    require_same_chain(chain, document)
    for step, entry in document["contracts"].items():
        if record.hash_of(chain.code(entry["address"])) != entry["code_hash"]:
            raise ChainError(f"{step} at {entry['address']} has other code than recorded")
    session.journal.unlink(missing_ok=True)
    session.output.result(
        document, f"deployed already: {session.addresses} agrees with the chain; nothing was sent"
    )


def _refuse_deployer_in_power(session: Session, deployer: str) -> None:
    """On public networks the key that deploys, a hot one, must not govern."""
    if not deployer:
        raise UsageError("nobody to plan for", hint="Give --account, or --sender for a plan.")
    lock = session.parameters.timelock
    powerful = {account.lower() for account in (*lock.proposers, *lock.executors)}
    if not session.parameters.is_local and deployer.lower() in powerful:
        raise ConfigError(
            f"the deployer {deployer} is a proposer or executor of the timelock",
            code="parameters_refused",
            hint="Deploy with another account.",
        )


def _plain_accounts(session: Session, chain: Chain) -> list[str]:
    """A warning for each governing account that is no contract."""
    lock = session.parameters.timelock
    return [
        f"warning: {account} governs and is no contract; a Safe is safer"
        for account in dict.fromkeys((*lock.proposers, *lock.executors))
        if account != NO_ADDRESS and not chain.code(account)
    ]


def _plan_facts(items: list[Item], work: Runner) -> dict[str, Any]:
    steps = [
        {
            "step": item.step.name,
            "contract": item.step.contract.name,
            "address": item.step.address,
            "nonce": item.step.nonce,
            "done": item.done,
            "gas": item.gas,
            "arguments": list(item.step.shown),
        }
        for item in items
    ]
    return {"sent": 0, "deployer": work.deployer, "chain_id": work.chain.chain_id, "steps": steps}


def _verify(chain: Chain, path: Path, entry: dict[str, Any]) -> None:
    """Raises unless the input makes exactly the code that was sent and the code that is there."""
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError):
        raise InputError(f"{path} is no standard-JSON input", code="input_unreadable") from None
    made = build.compile_input(given, name=entry["contract"], source=entry["source"])
    reason = build.mismatch(made, chain.code(entry["address"]), None)
    sent = chain.rpc("eth_getTransactionByHash", entry["transaction"])
    arguments = parse_hex(entry["constructor_arguments"], what="constructor arguments")
    if not reason and sent is not None:
        data = parse_hex(sent["input"], what="transaction input")
        if data != made.creation + arguments:
            reason = "the transaction that created it sent other code or arguments"
    if reason:
        raise ChainError(
            f"{path} does not make what is at {entry['address']}: {reason}",
            code="code_mismatch",
        )
