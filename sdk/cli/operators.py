"""`phalanx operators`: registering an operator, its fee, its earnings, and who may use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import (
    ADDRESSES,
    ETHER,
    OPERATOR_ID,
    ChainOptions,
    OperatorIdsType,
    reading_options,
    writing_options,
)
from sdk.cli.inputs import operators_document, path_type
from sdk.cli.open_session import open_session
from sdk.cli.operator_fees import set_fee
from sdk.errors import ChainError, InputError, UsageError
from sdk.events.types import OperatorAdded
from sdk.files import read_bounded, refuse_existing, write_private
from sdk.types import Address
from sdk.units import format_ether

if TYPE_CHECKING:
    from sdk.client import OperatorState
    from sdk.client.draft import Receipt

KEY_MAX_BYTES = 16 * 1024
"""A public key has about 600 characters, its JSON a few more."""

_KEY_FIELDS = ("public_key", "pubkey", "pubKey")
"""Where `operator-keys show --json` and operators' keystores name the public key."""

ids_argument = click.argument("operator_ids", type=OperatorIdsType(), metavar="IDS")
id_argument = click.argument("operator_id", type=OPERATOR_ID, metavar="ID")


@click.group()
def operators() -> None:
    """Register an operator, set its fee, withdraw its earnings, choose who may use it."""


operators.add_command(set_fee)


@operators.command()
@click.option("--public-key", help="RSA key as base64 of PEM, as `operator-keys show` prints it.")
@click.option(
    "--public-key-file",
    type=path_type,
    help="File with the key: that command's JSON, or the keystore of `operator-keys generate`.",
)
@click.option(
    "--fee-wei",
    type=click.IntRange(min=0),
    required=True,
    help="Wei per block and 32 ETH, a multiple of 100,000.",
)
@click.option(
    "--private", "is_restricted", is_flag=True, help="Only whitelisted accounts may use it."
)
@writing_options
def register(
    chain: ChainOptions,
    public_key: str | None,
    public_key_file: Path | None,
    fee_wei: int,
    is_restricted: bool,
) -> None:
    """Register an operator; the answer tells its id."""
    text = _public_key(public_key, public_key_file)
    session = open_session(chain)
    prepared = session.client.operators.register(text, fee_wei=fee_wei, private=is_restricted)

    def tell(receipt: Receipt) -> tuple[dict[str, object], str]:
        ids = [event.operator_id for event in receipt.events if isinstance(event, OperatorAdded)]
        return {"operator_id": ids[0]}, f"operator id {ids[0]}"

    session.submit(prepared, tell)


@operators.command("list")
@click.argument("operator_ids", type=OperatorIdsType(), metavar="[IDS]", required=False)
@click.option("--ids", "ids_option", type=OperatorIdsType(), help="The same as [IDS].")
@click.option(
    "--operators-file",
    type=path_type,
    help="Also write ids and public keys there, as `keys split --operators` reads them.",
)
@reading_options
def list_(
    chain: ChainOptions,
    operator_ids: tuple[int, ...] | None,
    ids_option: tuple[int, ...] | None,
    operators_file: Path | None,
) -> None:
    """All operators, or some as 1,2,3,4: fee, validators, state; --json adds their public keys."""
    if operator_ids is not None and ids_option is not None:
        raise UsageError("give the ids once, as [IDS] or by --ids", code="ids")
    if operators_file is not None:
        refuse_existing(operators_file)
    session = open_session(chain)
    found = session.client.operators.list(ids_option if operator_ids is None else operator_ids)
    lines = [f"{'id':>6}  {'fee (wei)':>16}  {'validators':>10}  state"]
    lines += [
        f"{each.operator_id:>6}  {each.fee_wei:>16}  {each.validator_count:>10}  {_state(each)}"
        for each in found
    ]
    facts: dict[str, object] = {"operators": [_facts(each) for each in found]}
    if operators_file is not None:
        written = _write_operators(operators_file, found, are_named=operator_ids or ids_option)
        facts |= {"file": str(operators_file), "written": written}
        lines.append(f"wrote operators {', '.join(map(str, written))} to {operators_file}")
    session.output.result(facts, "\n".join(lines))


@operators.command()
@id_argument
@reading_options
def show(chain: ChainOptions, operator_id: int) -> None:
    """One operator: fee, a declared fee, earnings, state, public key."""
    session = open_session(chain)
    found = session.client.operators.get(operator_id, with_key=True)
    earnings_wei = session.client.operators.earnings_wei(operator_id)
    declared = session.client.operators.declared_fee(operator_id)
    facts: dict[str, object] = {
        **_facts(found),
        "earnings_wei": str(earnings_wei),
        "declared_fee": None if declared is None else asdict(declared),
    }
    lines = [
        f"operator {operator_id} of {found.owner}: {_state(found)}",
        f"fee: {found.fee_wei} wei per block and 32 ETH",
        f"validators: {found.validator_count}",
        f"earnings: {format_ether(earnings_wei)} ETH",
    ]
    if declared is not None:
        lines.append(
            f"declared fee: {declared.fee_wei} wei, to be executed between "
            f"{_moment(declared.begin_s)} and {_moment(declared.end_s)}"
        )
    if found.whitelisting_contract is not None:
        lines.append(f"whitelisting contract: {found.whitelisting_contract}")
    lines.append(f"public key: {found.public_key or 'not readable'}")
    session.output.result(facts, "\n".join(lines))


@operators.command()
@id_argument
@click.option("--amount", type=ETHER, help="Ether to withdraw, exact.")
@click.option("--all", "everything", is_flag=True, help="Withdraw all earnings.")
@writing_options
def withdraw(chain: ChainOptions, operator_id: int, amount: int | None, everything: bool) -> None:
    """Pay earnings out to the operator's owner."""
    if (amount is not None) == everything:
        raise UsageError("give either --amount or --all", code="amount")
    session = open_session(chain)
    verbs = session.client.operators
    prepared = (
        verbs.withdraw_all(operator_id)
        if amount is None
        else verbs.withdraw(operator_id, amount_wei=amount)
    )
    session.submit(prepared)


@operators.command()
@ids_argument
@click.option("--add", type=ADDRESSES, help="Accounts to admit, separated by commas.")
@click.option("--remove", type=ADDRESSES, help="Accounts to admit no longer.")
@click.option("--contract", type=ADDRESSES, help="Contract that also decides; 0x0…0 for none.")
@writing_options
def whitelist(
    chain: ChainOptions,
    operator_ids: tuple[int, ...],
    add: tuple[Address, ...] | None,
    remove: tuple[Address, ...] | None,
    contract: tuple[Address, ...] | None,
) -> None:
    """Choose who may register validators with private operators."""
    if sum(each is not None for each in (add, remove, contract)) != 1:
        raise UsageError("give one of --add, --remove and --contract", code="whitelist")
    session = open_session(chain)
    verbs = session.client.operators
    if add is not None:
        prepared = verbs.set_whitelist(operator_ids, add)
    elif remove is not None:
        prepared = verbs.remove_whitelist(operator_ids, remove)
    else:
        (address,) = contract or ()
        prepared = (
            verbs.set_whitelisting_contract(operator_ids, address)
            if any(address)
            else verbs.remove_whitelisting_contract(operator_ids)
        )
    session.submit(prepared)


@operators.command()
@ids_argument
@writing_options
def private(chain: ChainOptions, operator_ids: tuple[int, ...]) -> None:
    """From now on only whitelisted accounts may register validators with these operators."""
    session = open_session(chain)
    session.submit(session.client.operators.set_private(operator_ids))


@operators.command()
@ids_argument
@writing_options
def public(chain: ChainOptions, operator_ids: tuple[int, ...]) -> None:
    """From now on anyone may register validators with these operators."""
    session = open_session(chain)
    session.submit(session.client.operators.set_public(operator_ids))


@operators.command()
@id_argument
@writing_options
def remove(chain: ChainOptions, operator_id: int) -> None:
    """Remove an operator for good; its earnings are paid out."""
    session = open_session(chain)
    session.submit(session.client.operators.remove(operator_id))


def _write_operators(path: Path, found: Sequence[OperatorState], *, are_named: object) -> list[int]:
    """Writes what `--operators` reads, and returns the ids.

    Removed operators, which take no more validators, are left out; one that was named is refused.

    Raises:
        ChainError: `operator_removed`; `operator_key_unknown`, a key does not stand in the logs.
    """
    keys: dict[int, str] = {}
    for each in found:
        if not each.is_active:
            if are_named:
                raise ChainError(
                    f"operator {each.operator_id} is removed",
                    code="operator_removed",
                    hint="Name others; a removed operator takes no more validators.",
                )
            continue
        if each.public_key is None:
            raise ChainError(
                f"the public key of operator {each.operator_id} is not readable",
                code="operator_key_unknown",
                hint="It stands in the log of its registration: is --start-block too high?",
            )
        keys[each.operator_id] = each.public_key
    if not keys:
        raise ChainError("there is no operator to write", code="operator_not_found")
    write_private(path, operators_document(keys))
    return list(keys)


def _public_key(text: str | None, path: Path | None) -> str:
    if (text is None) == (path is None):
        raise UsageError("give either --public-key or --public-key-file", code="public_key")
    if path is None:
        return text or ""
    data = read_bounded(path, limit_bytes=KEY_MAX_BYTES)
    try:
        content = data.decode().strip()
    except UnicodeDecodeError:
        content = ""
    if content.startswith("{"):
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError):
            fields = {}
        content = next((fields[name] for name in _KEY_FIELDS if name in fields), "")
    if not isinstance(content, str) or not content or "PRIVATE" in content:
        raise InputError(
            f"{path} holds no public key",
            code="operator_key_malformed",
            hint="`phalanx operator-keys show FILE` prints it.",
        )
    return content


def _facts(found: OperatorState) -> dict[str, object]:
    return {**asdict(found), "fee_wei": str(found.fee_wei)}


def _state(found: OperatorState) -> str:
    if not found.is_active:
        return "removed"
    return "private" if found.is_private else "public"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
