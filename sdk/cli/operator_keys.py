"""`phalanx operator-keys`: the RSA key an operator decrypts its shares with.

Who loses it loses the operator id: no other key can be registered for it.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from sdk.cli.inputs import load_keyshares_file, load_operator_key, path_type
from sdk.cli.output import Output, dry_run_option, json_option, overwrite_option
from sdk.cli.passwords import PasswordSource, password_options
from sdk.crypto.operator_keys import (
    OperatorPrivateKey,
    OperatorPublicKey,
    parse_public_key,
)
from sdk.crypto.operator_keystore import (
    OPERATOR_KEYSTORE_MAX_BYTES,
    backup_proves,
    encrypt_operator_key,
    parse_operator_keystore,
)
from sdk.crypto.secret import Password
from sdk.errors import InputError
from sdk.events import operator_public_key_bytes
from sdk.files import read_bounded, refuse_existing, write_private
from sdk.json_documents import read_json
from sdk.shares.proofs import open_shares
from sdk.types import OperatorId

FORMATS = ("keystore", "base64")


@click.group("operator-keys")
def operator_keys() -> None:
    """Make, show, convert and back up an operator's RSA key."""


format_option = click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
    default="keystore",
    show_default=True,
    help="Encrypted keystore, or base64 of the PEM as older node settings hold it (unprotected).",
)


@operator_keys.command()
@click.option("--out", type=path_type, required=True, help="File to write.")
@format_option
@password_options()
@overwrite_option
@dry_run_option
@json_option
def generate(
    out: Path,
    file_format: str,
    password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a new operator key. Its public half is registered on chain."""
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    if dry_run:
        output.result({"written": None}, f"dry run: {out} not written, no key made")
        return
    secret = _new_password(file_format, password)
    output.step("generating an RSA-2048 key")
    key = OperatorPrivateKey.generate()
    _write(out, key, secret, overwrite=overwrite)
    output.result(
        _facts(key.public_key, out),
        f"wrote {out}\npublic key {key.public_key.fingerprint}\n{key.public_key.text}\n"
        "Back the file up now and prove the backup with `phalanx operator-keys verify-backup`:\n"
        "whoever loses this key loses the operator id.",
    )


@operator_keys.command()
@click.argument("file", type=path_type)
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show the public key of an operator key file, private or public. Asks for no password."""
    output = Output(as_json=as_json)
    key = _public_key(file)
    output.result(
        _facts(key, None) | {"on_chain_bytes": "0x" + operator_public_key_bytes(key.text).hex()},
        f"public key {key.fingerprint}\n{key.text}",
    )


@operator_keys.command()
@click.argument("file", type=path_type)
@click.option("--out", type=path_type, required=True, help="File to write.")
@format_option
@password_options()
@password_options(prefix="new-password")
@overwrite_option
@dry_run_option
@json_option
def convert(
    file: Path,
    out: Path,
    file_format: str,
    password: PasswordSource,
    new_password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Store an operator key in the other format, or under another password."""
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    key = load_operator_key(file, password)
    if dry_run:
        output.result(_facts(key.public_key, None), f"dry run: {out} not written")
        return
    secret = _new_password(file_format, new_password)
    output.step(f"writing key {key.public_key.fingerprint} as {file_format}")
    _write(out, key, secret, overwrite=overwrite)
    output.result(_facts(key.public_key, out), f"wrote {out}")


@operator_keys.command("verify-backup")
@click.argument("file", type=path_type)
@click.option(
    "--public-key",
    required=True,
    help="The registered public key: its text, or a file that holds it.",
)
@click.option("--keyshares", type=path_type, help="Also decrypt this operator's shares in a file.")
@click.option("--operator-id", type=click.IntRange(min=1), help="The operator's id in that file.")
@password_options()
@json_option
def verify_backup(
    file: Path,
    public_key: str,
    keyshares: Path | None,
    operator_id: int | None,
    password: PasswordSource,
    as_json: bool,
) -> None:
    """Drill: prove that a backup can do the operator's work for its registered key.

    Opens the backup, decrypts a fresh challenge, signs one, and with --keyshares decrypts every
    share of the operator in that file.
    """
    output = Output(as_json=as_json)
    if (keyshares is None) != (operator_id is None):
        raise click.UsageError("--keyshares and --operator-id go together")
    expected = _expected_key(public_key)
    output.step(f"opening {file}")
    key = load_operator_key(file, password)
    output.step(f"proving it against public key {expected.fingerprint}")
    backup_proves(key, expected.text)
    decrypted = 0
    if keyshares is not None and operator_id is not None:
        output.step(f"decrypting the shares of operator {operator_id} in {keyshares}")
        decrypted = _decrypt_all(key, keyshares, OperatorId(operator_id))
    output.result(
        {"proved": True, "fingerprint": expected.fingerprint, "shares_decrypted": decrypted},
        f"{file} is a good backup of key {expected.fingerprint}"
        + (f"; {decrypted} shares decrypt" if keyshares else ""),
    )


def _decrypt_all(key: OperatorPrivateKey, file: Path, operator: OperatorId) -> int:
    shares = [share for share in load_keyshares_file(file).shares if operator in share.operator_ids]
    if not shares:
        raise InputError(f"operator {operator} has no share in {file}", code="operator_unknown")
    for share in shares:
        try:
            open_shares(share, {operator: key})
        except InputError as problem:
            raise InputError(
                f"{file}: validator 0x{share.public_key.hex()}: {problem.message}",
                code=problem.code,
                hint=problem.hint,
            ) from None
    return len(shares)


def _public_key(file: Path) -> OperatorPublicKey:
    """The public key a file names or contains, without a password."""
    data = read_bounded(file, limit_bytes=OPERATOR_KEYSTORE_MAX_BYTES)
    if data.lstrip().startswith(b"{"):
        shown = _shown_key(data)
        if shown is not None:
            return parse_public_key(shown)
        named = parse_operator_keystore(data, source=str(file)).public_key
        if named is None:
            raise InputError(
                f"{file} does not name its public key",
                code="public_key_missing",
                hint="`phalanx operator-keys convert` opens it and writes a file that does.",
            )
        return named
    try:
        return parse_public_key(data)
    except InputError as as_public:
        try:
            return OperatorPrivateKey.from_text(data).public_key
        except InputError:
            raise InputError(
                f"{file}: {as_public.message}", code=as_public.code, hint=as_public.hint
            ) from None


def _new_password(file_format: str, source: PasswordSource) -> Password | None:
    if file_format != "keystore":
        return None
    return source.read("the new operator key", confirm=True)


def _write(
    out: Path,
    key: OperatorPrivateKey,
    password: Password | None,
    *,
    overwrite: bool,
) -> None:
    data = (
        key.reveal_base64().encode() + b"\n"
        if password is None
        else encrypt_operator_key(key, password)
    )
    write_private(out, data, overwrite=overwrite)


def _facts(key: OperatorPublicKey, written: Path | None) -> dict[str, object]:
    return {
        "public_key": key.text,
        "fingerprint": key.fingerprint,
        "written": None if written is None else str(written),
    }


class _Shown(msgspec.Struct):
    public_key: str


def _shown_key(data: bytes) -> str | None:
    """The key in what `operator-keys show --json` prints, None if this is something else."""
    try:
        shown = read_json(
            data, _Shown, source="", limit_bytes=OPERATOR_KEYSTORE_MAX_BYTES, code="other"
        )
    except InputError:
        return None
    return shown.public_key


def _expected_key(text: str) -> OperatorPublicKey:
    """The key of `--public-key`: its text, or the content of the file of that name."""
    path = Path(text)
    if _is_file(path):
        return _public_key(path)
    try:
        return parse_public_key(text)
    except InputError as problem:
        raise InputError(
            f"--public-key: {text[:40]!r} is neither a file nor a key ({problem.message})",
            code=problem.code,
            hint=problem.hint,
        ) from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a key's text is too long to be a file name
