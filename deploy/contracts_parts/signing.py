"""Accounts and connection of Ape, for what is really sent.

The one module that imports Ape, and only when something is to be signed. Never sees a password:
Ape asks for it, or takes it from APE_ACCOUNTS_<alias>_PASSPHRASE. Ape keeps its own files below
.build; of the user's Ape folder only the named keystore is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import ChainError, InputError, NetworkError
from sdk.toolchain.compile import ROOT
from sdk.types import checksum_address, parse_address

APE_FOLDER = ROOT / ".build" / "ape"
"""Ape's own folder while it works for us; nothing in it is worth keeping."""
# What `ape accounts import` says and uses: the user's folder, before we choose another for Ape.
KEYSTORES = Path(os.environ.get("APE_DATA_FOLDER") or Path.home() / ".ape") / "accounts"

# What "test test test test test test test test test test test junk" makes, in anvil and in Ape.
DEVELOPMENT_ACCOUNTS = (
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction ready to be sent; `hash` in hex with 0x."""

    hash: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """An account of Ape that signs without asking again."""

    address: str
    _account: Any

    def sign(self, **fields: Any) -> Signed:
        """The transaction with these fields, by Ape's names.

        Raises:
            ChainError: the account refused.
        """
        made = load_ape().networks.ethereum.create_transaction(sender=self.address, **fields)
        signed = self._account.sign_transaction(made)
        if signed is None:
            raise ChainError("the account did not sign", hint="Nothing was sent.")
        return Signed(
            hash="0x" + bytes(signed.txn_hash).hex(), raw=bytes(signed.serialize_transaction())
        )


def load_ape() -> Any:
    """Ape, told to write below .build alone and to read no project but ours."""
    os.environ["APE_DATA_FOLDER"] = str(APE_FOLDER)
    os.chdir(ROOT)  # every path of a command is absolute by now
    import ape
    from ape.logging import logger

    logger.set_level("ERROR")  # its remarks go to stdout, where our result is
    return ape


@contextmanager
def provider(rpc_url: str) -> Iterator[Any]:
    """Ape's connection to a node.

    Raises:
        NetworkError: Ape cannot use it.
    """
    networks = load_ape().networks
    from ape.exceptions import ApeException

    try:
        with networks.parse_network_choice(rpc_url) as connected:
            yield connected
    except ApeException as problem:
        raise NetworkError(
            f"Ape cannot use this node or account: {type(problem).__name__}: "
            f"{str(problem).replace(rpc_url, 'the node')[:300]}",
            hint="Check --rpc-url and --account.",
        ) from None


def development_signer(index: int) -> Signer:
    """A test account that every anvil has."""
    account = load_ape().accounts.test_accounts[index]
    return Signer(str(account.address), account)


def keystore_address(alias: str) -> str:
    """Whose keystore it is, without unlocking it.

    Raises:
        InputError: `account_unknown`.
    """
    try:
        held = json.loads(_keystore(alias).read_text())["address"]
        return checksum_address(parse_address("0x" + str(held).removeprefix("0x"), strict=False))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{KEYSTORES / alias}.json is no keystore with an address", code="keystore_malformed"
        ) from None


def keystore_signer(alias: str) -> Signer:
    """The account, unlocked: here Ape asks for its password.

    Raises:
        InputError: no such account, or the password is wrong.
    """
    path = _keystore(alias)
    load_ape()
    from ape.exceptions import ApeException
    from ape_accounts.accounts import KeyfileAccount  # type: ignore[import-not-found]

    account = KeyfileAccount(keyfile_path=path)
    try:
        account.set_autosign(True)  # we ask ourselves, once, before anything is sent
    except ApeException:
        raise InputError(
            f"the password of account {alias!r} is wrong", code="keystore_password"
        ) from None
    return Signer(str(account.address), account)


def _keystore(alias: str) -> Path:
    path = KEYSTORES / f"{alias}.json"
    if Path(alias).name != alias or not path.is_file():
        raise InputError(
            f"Ape has no account {alias!r} in {KEYSTORES}",
            code="account_unknown",
            hint="`ape accounts import` makes one; APE_DATA_FOLDER names another Ape folder.",
        )
    return path
