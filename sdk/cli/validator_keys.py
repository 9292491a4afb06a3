"""`phalanx validator-keys`: new validator keys as keystores, and their deposit data."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from sdk.cli.inputs import AddressType, path_type, whole_number
from sdk.cli.keystore_inputs import gather_keystores, load_keystores
from sdk.cli.output import Output, counted, dry_run_option, json_option, overwrite_option
from sdk.cli.passwords import PasswordSource, password_options
from sdk.crypto import bls
from sdk.crypto.derivation import derive_path, validator_path
from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import create_keystore, find_keystores, load_keystore
from sdk.crypto.password_box import Kdf, Pbkdf2, Scrypt
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.deposit_checks import verify_deposits
from sdk.deposits import GWEI_PER_ETHER, make_deposit, render_deposits, withdrawal_credentials
from sdk.errors import InputError, InvariantBroken, PartialError, UsageError
from sdk.files import (
    make_private_folder,
    read_bounded,
    refuse_existing,
    refuse_other_than_folder,
    write_private,
)
from sdk.networks import NETWORKS, Network, network_by_name
from sdk.types import Address, Gwei, parse_hex

_SEED_FILE_MAX_BYTES: Final = 1024
_MAX_NEW: Final = 1000
"""Each keystore takes about a second to encrypt; more are better made in several runs."""


@click.group("validator-keys")
def validator_keys() -> None:
    """Make validator keys and their deposit data."""


@validator_keys.command()
@click.option("--out", type=path_type, required=True, help="Folder for the keystores.")
@click.option("--count", type=click.IntRange(1, _MAX_NEW), default=1, show_default=True)
@click.option(
    "--seed-file",
    type=path_type,
    help="Hex seed of at least 32 bytes (EIP-2333) instead of fresh randomness.",
)
@click.option(
    "--start-index",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="First account of the seed (path m/12381/3600/INDEX/0/0).",
)
@click.option(
    "--kdf",
    "kdf_name",
    type=click.Choice(["scrypt", "pbkdf2"]),
    default="scrypt",
    show_default=True,
)
@password_options()
@dry_run_option
@json_option
def new(
    out: Path,
    count: int,
    seed_file: Path | None,
    start_index: int,
    kdf_name: str,
    password: PasswordSource,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make new validator keys as encrypted keystores (EIP-2335).

    Without --seed-file every key is fresh randomness: the keystores and their password are then
    the only copy, so back both up.
    """
    output = Output(as_json=as_json)
    make = _source(seed_file, start_index)
    refuse_other_than_folder(out)
    fresh = [make(number) for number in range(count)]
    _refuse_present(out, [secret for secret, _ in fresh])
    if dry_run:
        output.result(
            {"count": count, "written": []}, f"dry run: {counted(count, 'keystore')} not written"
        )
        return
    secret_word = password.read("the keystores", confirm=True)
    make_private_folder(out)
    kdf: Kdf = Scrypt() if kdf_name == "scrypt" else Pbkdf2()
    output.step(f"making {counted(count, 'keystore')} in {out}")
    progress = output.progress(count, "made")
    stamp = int(time.time())
    written: list[dict[str, str]] = []
    try:
        for secret, path in fresh:
            name = (path or f"random-{secrets.token_hex(4)}").replace("/", "_")
            target = out / f"keystore-{name}-{stamp}.json"
            write_private(target, create_keystore(secret, secret_word, kdf=kdf, path=path))
            written.append({"file": str(target), "public_key": f"0x{bls.public_key(secret).hex()}"})
            progress.advance(len(written), target.name)
    except KeyboardInterrupt:
        raise PartialError(
            f"stopped by the user; {len(written)} of {counted(count, 'keystore')} are in {out}",
            code="interrupted",
            hint="They are whole and can be used; the same command would make others beside them.",
            data={"written": written},
        ) from None
    output.result(
        {"count": count, "written": written},
        "\n".join(f"wrote {row['file']}  {row['public_key']}" for row in written)
        + "\nBack up keystores and password: without them the validators cannot exit.",
    )


def _refuse_present(folder: Path, new_secrets: Sequence[SecretKey]) -> None:
    """A seed gives the same keys again, and two copies of a key invite running it twice."""
    if not folder.is_dir():
        return
    present = {load_keystore(path).public_key: path for path in find_keystores(folder)}
    for secret in new_secrets:
        key = bls.public_key(secret)
        if key in present:
            raise UsageError(
                f"{present[key]} holds validator 0x{key.hex()} already",
                code="file_exists",
                hint="Go on with a later --start-index, or use another folder.",
            )


@validator_keys.command("deposit-data")
@click.argument("keystores", nargs=-1, required=True, type=path_type)
@click.option(
    "--withdrawal-address",
    type=AddressType(),
    required=True,
    help="Account that receives withdrawals; cannot be changed later.",
)
@click.option(
    "--network",
    required=True,
    help=f"One of {', '.join(each.name for each in NETWORKS)}, or NAME:CHAIN_ID:FORK_VERSION.",
)
@click.option("--compounding", is_flag=True, help="0x02 credentials: rewards stay staked.")
@click.option("--amount-eth", type=click.IntRange(32, 2048), default=32, show_default=True)
@click.option("--out", type=path_type, required=True, help="File to write.")
@password_options(folder=True)
@overwrite_option
@dry_run_option
@json_option
def deposit_data(
    keystores: tuple[Path, ...],
    withdrawal_address: Address,
    network: str,
    compounding: bool,
    amount_eth: int,
    out: Path,
    password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the deposit data of validator keystores, checked, for a deposit launchpad."""
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    chain = _network(network)
    credentials = withdrawal_credentials(withdrawal_address, compounding=compounding)
    loaded = load_keystores(gather_keystores(keystores, output), output)
    passwords = password.for_keystores()
    output.step(f"signing {counted(len(loaded), 'deposit')} of {amount_eth} ETH for {chain.name}")
    progress = output.progress(len(loaded), "signed")
    deposits = []
    for number, (path, keystore) in enumerate(loaded):
        deposits.append(
            make_deposit(
                decrypt(keystore, passwords(path)).secret,
                credentials=credentials,
                amount_gwei=Gwei(amount_eth * GWEI_PER_ETHER),
                network=chain,
            )
        )
        progress.advance(number + 1, path.name)
    findings = verify_deposits(
        deposits, network=chain, credentials=credentials, networks=[*NETWORKS, chain]
    )
    for finding in findings:
        if finding.code == "deposit_duplicate":
            raise InputError(finding.message, code=finding.code, hint=finding.hint)
        raise InvariantBroken(f"the new deposit data is wrong: {finding.message}")
    if not dry_run:
        write_private(out, render_deposits(deposits), overwrite=overwrite)
    output.result(
        {
            "network": chain.name,
            "deposits": [f"0x{deposit.public_key.hex()}" for deposit in deposits],
            "withdrawal_credentials": f"0x{credentials.hex()}",
            "written": None if dry_run else str(out),
        },
        f"{'dry run, not written' if dry_run else 'wrote'} {out}: "
        f"{counted(len(deposits), 'deposit')}",
    )


def _source(seed_file: Path | None, start: int) -> Callable[[int], tuple[SecretKey, str]]:
    if seed_file is None:
        return lambda number: (SecretKey(1 + secrets.randbelow(CURVE_ORDER - 1)), "")
    data = read_bounded(seed_file, limit_bytes=_SEED_FILE_MAX_BYTES)
    if len(data) > _SEED_FILE_MAX_BYTES:
        raise InputError(f"{seed_file} is too large for a seed", code="seed_malformed")
    try:
        seed = parse_hex(data.decode("ascii").strip(), what="seed")
    except (UnicodeDecodeError, InputError):
        # The text is not quoted: it may be the seed with one wrong digit.
        raise InputError(
            f"{seed_file} does not hold a seed in hex", code="seed_malformed"
        ) from None

    def make(number: int) -> tuple[SecretKey, str]:
        path = validator_path(start + number)
        return derive_path(seed, path), path

    return make


def _network(text: str) -> Network:
    parts = text.split(":")
    if len(parts) == 1:
        return network_by_name(text)
    chain_id = whole_number(parts[1])
    if len(parts) != 3 or chain_id is None:
        raise UsageError(f"network {text!r} is not NAME:CHAIN_ID:FORK_VERSION")
    network = Network(parts[0], chain_id, parse_hex(parts[2], what="fork version", length=4))
    for known in NETWORKS:
        is_same = (known.name, known.genesis_fork_version) == (
            network.name,
            network.genesis_fork_version,
        )
        if not is_same and (
            known.name == network.name or known.genesis_fork_version == network.genesis_fork_version
        ):
            raise UsageError(
                f"network {text!r} contradicts {known.name}, whose genesis fork version is "
                f"0x{known.genesis_fork_version.hex()}",
                code="network_contradiction",
                hint=f"Say {known.name}, or give a local network a name and version of its own.",
            )
    return network
