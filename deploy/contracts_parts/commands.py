"""The commands of governance: propose-parameter, queue, execute; and how a proposal is made."""

from __future__ import annotations

from typing import Any

import click

from deploy.contracts_parts import governance, human, proposals, record, timelock, upgrade_record
from deploy.contracts_parts.chain import Chain, Reverted
from deploy.contracts_parts.options import Session, session_options
from deploy.contracts_parts.timelock import NOTHING, Operation
from sdk.errors import ChainError, InputError
from sdk.types import parse_hex


def _word(context: click.Context, parameter: click.Parameter, text: str | None) -> bytes | None:
    return None if text is None else parse_hex(text, what=str(parameter.name), length=32)


predecessor_option = click.option(
    "--predecessor", callback=_word, help="Operation that must be executed first."
)
salt_option = click.option("--salt", callback=_word, help="32 bytes; by default the first unused.")
skip_trial_option = click.option(
    "--skip-trial", is_flag=True, help="Propose although the call would fail today."
)


@click.command("propose-parameter")
@click.argument("function")
@click.argument("arguments", nargs=-1, metavar="[VALUE]")
@predecessor_option
@salt_option
@skip_trial_option
@session_options
def propose_parameter(
    session: Session,
    function: str,
    arguments: tuple[str, ...],
    predecessor: bytes | None,
    salt: bytes | None,
    skip_trial: bool,
) -> None:
    """Propose a governance call, such as `updateNetworkFee 4gwei` or `freezeVerifier`.

    Without --broadcast a dry run, with the calldata for a Safe. A wrong name lists all functions.
    """
    wanted = governance.governance_call(function, list(arguments))
    document = record.read(session.addresses)
    with session.connected() as chain:
        proposals.require_same_chain(chain, document)
        operation = proposals.operation_for(
            chain,
            document,
            wanted.data,
            value_wei=wanted.value_wei,
            predecessor=predecessor or NOTHING,
            salt=salt,
        )
        if not skip_trial:
            proposals.try_as_timelock(chain, document, operation)
        if wanted.warning:
            session.output.note(wanted.warning)
        propose(session, chain, document, operation)


@click.command()
@session_options
def queue(session: Session) -> None:
    """Every operation of the timelock: what it does, its state, the time that is left."""
    document = record.read(session.addresses)
    with session.connected() as chain:
        proposals.require_same_chain(chain, document)
        now_s = chain.now_s()
        entries, lines = [], []
        for key, operation in proposals.operations(chain, document).items():
            found = proposals.status_of(chain, document, key)
            does = proposals.words_of(operation, document)
            state = timelock.status_words(found, now_s=now_s)
            entries.append(
                {
                    "operation": "0x" + key.hex(),
                    **does,
                    "state": found.state,
                    "ready_at_s": found.ready_at_s,
                    "remaining_s": max(0, found.ready_at_s - now_s),
                    "predecessor": "0x" + operation.predecessor.hex(),
                    "salt": "0x" + operation.salt.hex(),
                }
            )
            lines.append(f"0x{key.hex()}")
            lines += [f"    {each['words']}" for each in does["calls"]]
            lines.append(f"    {state}")
    session.output.result(
        {"timelock": document["timelock"], "operations": entries},
        "\n".join(lines) or f"nothing was ever proposed to {document['timelock']}",
    )


@click.command()
@click.argument("operation_id", metavar="OPERATION")
@session_options
def execute(session: Session, operation_id: str) -> None:
    """Execute an operation whose delay has passed. A dry run unless --broadcast is given.

    If it was executed already, only the addresses file is brought up to date.
    """
    document = record.read(session.addresses)
    with session.connected() as chain:
        proposals.require_same_chain(chain, document)
        operation = proposals.find_operation(chain, document, operation_id)
        facts = proposals.facts(operation, delay_s=0, document=document)
        if proposals.status_of(chain, document, operation.id).state == "done":
            done = f"operation {facts['operation']} is done already"
            text = f"{done}; {_catch_up(session, chain, done)}"
            addresses = "updated" if session.broadcast else "behind"
            session.output.result(facts | {"sent": 0, "addresses": addresses}, text)
            return
        sender = session.sender_address() or "0x" + "00" * 20
        proposals.require_ready(chain, document, operation, sender)
        proposals.try_to_execute(chain, document, operation, sender)
        words, lock = facts["words"], document["timelock"]
        if not session.broadcast:
            text = f"would execute: {words}\nto {lock}, value {operation.value} wei"
            text += f"\ncalldata {facts['execute_calldata']}\ndry run: nothing was sent"
            session.output.result(facts | {"sent": 0}, text)
            return
        session.confirm(f"Execute `{words}` on chain {chain.chain_id}?")
        sent = _send(session, chain, lock, operation.execute_call(), value=operation.value)
        core = chain.implementation(document["registry"])
        if upgrade_record.is_behind(session, document, core):
            try:
                session.output.step(upgrade_record.apply(session, document, core))
            except InputError as problem:  # what was sent is done all the same
                session.output.note(str(problem))
        session.output.result(facts | {"transaction": sent}, f"executed: {words}\nin {sent}")


def _catch_up(session: Session, chain: Chain, done: str) -> str:
    """Bring the addresses file up to an upgrade that was executed elsewhere; what was done.

    Raises:
        ChainError: `operation_done`, if there is nothing to do, or it cannot be done.
    """
    document = record.read(session.addresses)
    core = chain.implementation(document["registry"])
    if not upgrade_record.is_behind(session, document, core):
        raise ChainError(done, code="operation_done")
    if not session.broadcast:
        return f"{session.addresses} is behind it: --broadcast brings it up to date"
    try:
        return upgrade_record.apply(session, document, core)
    except InputError as problem:
        raise ChainError(
            f"{done}, but {problem.message}", code="operation_done", hint=problem.hint
        ) from problem


def propose(session: Session, chain: Chain, document: dict[str, Any], operation: Operation) -> None:
    """Say what is proposed; send it with --broadcast.

    Raises:
        ChainError: known to the timelock already, or the account is no proposer.
    """
    lock = document["timelock"]
    delay_s = chain.read(lock, "getMinDelay()", returns="uint256")
    facts = proposals.facts(operation, delay_s=delay_s, document=document)
    lines = [
        f"proposal: {facts['words']}",
        f"operation {facts['operation']}",
        f"predecessor {facts['predecessor']}",
        f"salt {facts['salt']}",
        f"delay {human.duration(delay_s)}",
    ]
    if session.broadcast:
        state = proposals.status_of(chain, document, operation.id).state
        if state != "unknown":
            raise ChainError(f"operation {facts['operation']} is {state} already")
        signer_address = session.sender_address()
        proposals.require_proposer(chain, document, signer_address)
        session.confirm(f"Propose `{facts['words']}` on chain {chain.chain_id}?")
        facts["transaction"] = _send(session, chain, lock, operation.schedule_call(delay_s))
        lines.append(f"proposed in {facts['transaction']}")
    else:
        gas = _gas(session, chain, lock, operation.schedule_call(delay_s))
        cost = f"gas {gas:,}, cost {human.amount(gas * chain.fees().now)}" if gas else ""
        lines += [f"to {lock}, value 0", f"calldata {facts['schedule_calldata']}", cost]
        lines.append("dry run: nothing was sent; a Safe can send this call itself")
        facts |= {"sent": 0, "gas": gas}
    session.output.result(facts, "\n".join(line for line in lines if line))


def _send(session: Session, chain: Chain, to: str, data: bytes, *, value: int = 0) -> str:
    signer = session.signer()
    sent = chain.send(signer, to, data, nonce=chain.nonce(signer.address), value=value)
    session.output.step(f"sent {sent}")
    chain.wait(sent, confirmations=session.parameters.network.confirmations)
    return sent


def _gas(session: Session, chain: Chain, to: str, data: bytes) -> int:
    """Estimate where the sender may do it, else 0: then only the calldata is of use."""
    sender = session.sender_address()
    if not sender:
        return 0
    try:
        return chain.estimate(sender, to, data)
    except ChainError as refused:
        why = (
            proposals.reason(refused.reason_data) if isinstance(refused, Reverted) else str(refused)
        )
        session.output.note(f"no gas estimate: {sender} could not send this: {why}")
        return 0
