"""`phalanx keys`: split validator keys into shares, and check what a keyshares file holds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from sdk.cli.inputs import (
    AddressType,
    load_keyshares_file,
    load_operator_key,
    path_type,
    read_keyshares_file,
    read_operators,
    whole_number,
)
from sdk.cli.keys_split import split
from sdk.cli.output import (
    Output,
    counted,
    dry_run_option,
    finding_facts,
    json_option,
    overwrite_option,
)
from sdk.cli.passwords import PasswordSource, password_options
from sdk.crypto import bls
from sdk.crypto.keystore_files import create_keystore
from sdk.crypto.operator_keys import OperatorPrivateKey, decrypt_share, parse_public_key
from sdk.errors import InputError, KeysharesError, UsageError
from sdk.files import refuse_existing, write_private
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.layout import unpack
from sdk.shares.verify import is_sound, verify_keyshares
from sdk.types import Address, OperatorId, checksum_address


@click.group()
def keys() -> None:
    """Split validator keys into shares; verify, inspect and decrypt keyshares."""


keys.add_command(split)


@keys.command()
@click.argument("file", type=path_type)
@click.option("--owner", type=AddressType(), help="Account that will register; compared.")
@click.option("--nonce", type=click.IntRange(min=0), help="Its next registration nonce; compared.")
@click.option(
    "--operators", "operators_file", type=path_type, help="Registered operators (JSON); compared."
)
@click.option(
    "--operator-key",
    "operator_key_files",
    multiple=True,
    metavar="ID=FILE",
    help="An operator's private key; its shares are decrypted. Repeatable.",
)
@password_options()
@json_option
def verify(
    file: Path,
    owner: Address | None,
    nonce: int | None,
    operators_file: Path | None,
    operator_key_files: tuple[str, ...],
    password: PasswordSource,
    as_json: bool,
) -> None:
    """Prove a keyshares file sound, before anything is paid for it.

    Exit code 0 if no error was found, 3 otherwise. Works offline.
    """
    output = Output(as_json=as_json)
    output.step(f"reading {file}")
    reading = read_keyshares_file(file)
    shares = reading.file.shares
    present = {operator for share in shares for operator in share.operator_ids}
    if password.fd is not None and len(operator_key_files) > 1:
        raise UsageError(
            "a descriptor can be read for one --operator-key only",
            code="password_source",
            hint="Use --password-file or --password-env for several.",
        )
    private_keys: dict[OperatorId, OperatorPrivateKey] = {}
    for text in operator_key_files:
        number, _, name = text.partition("=")
        operator = whole_number(number)
        if operator is None or not name:
            raise UsageError(f"--operator-key {text!r} is not ID=FILE")
        if operator in private_keys:
            raise UsageError(f"--operator-key names operator {operator} twice")
        if shares and operator not in present:
            raise _unknown_operator(operator, file, present)
        private_keys[OperatorId(operator)] = load_operator_key(Path(name), password)
    expected = Expected(
        owner=owner,
        nonce=nonce,
        operators=read_operators(operators_file) if operators_file else None,
        private_keys=private_keys,
    )
    output.step(f"checking {counted(len(shares), 'validator')}")
    findings = verify_keyshares(reading, expected)
    unchecked = _unchecked(shares, expected)
    sound = is_sound(findings)
    output.findings(findings)
    verdict = "sound" if sound else "NOT sound: do not register it"
    text = f"{file} is {verdict}. {counted(len(shares), 'validator')}.\n" + "\n".join(
        f"not checked: {item}" for item in unchecked
    )
    output.result(
        {
            "sound": sound,
            "complete": not unchecked,
            "validators": len(shares),
            "findings": finding_facts(findings),
            "not_checked": unchecked,
        },
        text.rstrip(),
    )
    if not sound:
        raise click.exceptions.Exit(KeysharesError.exit_code)


@keys.command()
@click.argument("file", type=path_type)
@json_option
def inspect(file: Path, as_json: bool) -> None:
    """Show what a keyshares file holds. Shows only; `verify` judges."""
    output = Output(as_json=as_json)
    reading = read_keyshares_file(file)
    output.findings(reading.findings)
    shares = reading.file.shares
    # Free text of the file stands in quotes, so it cannot pass for a line of ours.
    lines = [f"version {reading.file.version!r}, created {reading.file.created_at!r}"]
    for share in shares:
        owner = checksum_address(share.owner) if share.owner is not None else "(not named)"
        lines += [
            f"validator 0x{share.public_key.hex()}",
            f"  owner {owner}, nonce {share.nonce if share.nonce is not None else '(not named)'}",
            f"  operators {', '.join(map(str, share.operator_ids))}",
            f"  sharesData {len(share.shares_data)} bytes",
        ]
        lines += [f"  operator {o.id} key {_fingerprint(o.operator_key)}" for o in share.operators]
    facts: dict[str, Any] = {
        "version": reading.file.version,
        "created_at": reading.file.created_at,
        "validators": [_share_facts(share) for share in shares],
        "findings": finding_facts(reading.findings),
    }
    output.result(facts, "\n".join(lines))


@keys.command("decrypt-share")
@click.argument("file", type=path_type)
@click.option(
    "--operator-id", type=click.IntRange(min=1), required=True, help="Whose share to decrypt."
)
@click.option(
    "--operator-key", "operator_key_file", type=path_type, required=True, help="Its private key."
)
@click.option("--validator", help="Public key of the validator, if the file holds several.")
@click.option(
    "--out", type=path_type, help="Write the share as an encrypted keystore (EIP-2335) here."
)
@password_options()
@password_options(prefix="new-password")
@overwrite_option
@dry_run_option
@json_option
def decrypt_share_command(
    file: Path,
    operator_id: int,
    operator_key_file: Path,
    validator: str | None,
    out: Path | None,
    password: PasswordSource,
    new_password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Prove that an operator's share decrypts; optionally keep it, encrypted anew.

    The plain share is never shown. With --out it is written as a keystore under a new password.
    """
    output = Output(as_json=as_json)
    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    share = _one_share(load_keyshares_file(file).shares, validator)
    if operator_id not in share.operator_ids:
        raise _unknown_operator(operator_id, file, share.operator_ids)
    key = load_operator_key(operator_key_file, password)
    parts = unpack(share.shares_data, operators=len(share.operator_ids))
    index = share.operator_ids.index(OperatorId(operator_id))
    share_key = parts.share_public_keys[index]
    output.step(f"decrypting the share of operator {operator_id}")
    secret = decrypt_share(key, parts.encrypted_shares[index], share_key)
    written = out is not None and not dry_run
    if out is not None and written:
        data = create_keystore(secret, new_password.read("the new keystore", confirm=True))
        write_private(out, data, overwrite=overwrite)
    facts = {
        "validator": f"0x{share.public_key.hex()}",
        "operator_id": operator_id,
        "share_public_key": f"0x{bls.public_key(secret).hex()}",
        "written": str(out) if written else None,
    }
    text = f"operator {operator_id} holds share 0x{share_key.hex()}: it decrypts and matches"
    output.result(facts, text + (f"\nwritten to {out}" if written else ""))


def _one_share(shares: tuple[KeyShare, ...], validator: str | None) -> KeyShare:
    wanted = None if validator is None else validator.lower().removeprefix("0x")
    found = [share for share in shares if wanted in (None, share.public_key.hex())]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"{len(found)} entries match, expected one",
        code="validator_unknown",
        hint="Name the validator's public key with --validator.",
    )


def _unknown_operator(operator: int, file: Path, known: Collection[int]) -> InputError:
    return InputError(
        f"operator {operator} is not in {file} (has {', '.join(map(str, sorted(known)))})",
        code="operator_unknown",
        hint="Check the operator id.",
    )


def _unchecked(shares: tuple[KeyShare, ...], expected: Expected) -> list[str]:
    """What this run could not show, so that silence is not taken for proof."""
    items = []
    unsigned = sum(
        None in (_first(share.owner, expected.owner), _first(share.nonce, expected.nonce))
        for share in shares
    )
    if unsigned:
        items.append(
            f"the nonce signature of {counted(unsigned, 'validator')}, whose owner or nonce the "
            "file does not name (--owner, --nonce)"
        )
    if expected.owner is None:
        items.append("whether this owner will register (--owner)")
    if expected.nonce is None:
        items.append("whether the nonce is the owner's next one (--nonce)")
    if expected.operators is None:
        items.append("whether these operators are registered with these keys (--operators)")
    operators = {operator for share in shares for operator in share.operator_ids}
    missing = sorted(operators - set(expected.private_keys))
    if missing:
        items.append(
            "whether the encrypted shares decrypt for operators "
            f"{', '.join(map(str, missing))} (only they can tell)"
        )
    return items


def _first(named: object, expected: object) -> object:
    return expected if named is None else named


def _share_facts(share: KeyShare) -> dict[str, Any]:
    return {
        "public_key": f"0x{share.public_key.hex()}",
        "owner": None if share.owner is None else checksum_address(share.owner),
        "nonce": share.nonce,
        "operator_ids": list(share.operator_ids),
        "operator_keys": {o.id: _fingerprint(o.operator_key) for o in share.operators},
        "shares_data_bytes": len(share.shares_data),
    }


def _fingerprint(operator_key: str) -> str:
    try:
        return parse_public_key(operator_key).fingerprint
    except InputError:
        return "(malformed)"
