"""Who signs: a key file, a keystore, another process, the node itself, or nobody.

Keys stay inside this module's classes: never in a repr, a log, an exception or an argument list.
A remote signer's answer is checked against what it was asked to sign.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.operation import Operation, Refused, Rpc, refusal_error
from sdk.client.transaction import SignedTransaction, Transaction, check_signature
from sdk.crypto.secret import Password, Redacted
from sdk.errors import ConfigError, InputError, KeystoreError, NetworkError
from sdk.files import read_bounded, unreadable
from sdk.json_documents import read_json

_KEY_FILE_BYTES: Final = 256
_KEYSTORE_BYTES: Final = 64 * 1024
_READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_MEMORY_BYTES: Final = 2**30
_MOST_PBKDF2_ROUNDS: Final = 10**8
_MOST_SCRYPT_P: Final = 16


class Endpoint(Redacted):
    """A signer's URL and headers; both may hold access keys, so they are never shown."""

    __slots__ = ("_headers", "_url")

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("the signer's address is no http or https URL", code="signer_url")
        if parts.username is not None or parts.password is not None:
            raise ConfigError(
                "the signer's URL holds a user name or password",
                code="signer_url",
                hint="Give credentials as headers; URLs end up in logs.",
            )
        self._url = url
        self._headers = {"Content-Type": "application/json", **headers}

    def reveal(self) -> str:
        """The URL itself."""
        return self._url

    def reveal_headers(self) -> dict[str, str]:
        """Headers of every request."""
        return dict(self._headers)


class LocalSigner:
    """Signs in this process with one key."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address: ChecksumAddress = account.address

    @classmethod
    def from_key_file(cls, path: Path) -> LocalSigner:
        """The key in a file of 64 hex digits, with or without `0x`, readable by its owner alone.

        Raises:
            InputError: `file_unreadable`, `key_file_mode`, `key_file_malformed`.
        """
        text = _read_private(path, limit_bytes=_KEY_FILE_BYTES).strip().removeprefix(b"0x")
        try:
            if len(text) != 64:
                raise ValueError
            account = Account.from_key(bytes.fromhex(text.decode("ascii")))
        except Exception:  # whatever is raised here may quote the key
            account = None
        if account is None:
            raise InputError(
                f"{path} does not hold one private key of 64 hex digits",
                code="key_file_malformed",
                hint="Use a keystore for keys in other forms.",
            )
        return cls(account)

    @classmethod
    def from_keystore(cls, path: Path, password: Callable[[], Password]) -> LocalSigner:
        """The key in a version 3 keystore.

        Args:
            path: the keystore.
            password: asked once, after the file proved to be a keystore within bounds.

        Raises:
            InputError: `file_unreadable`, `keystore_malformed`.
            KeystoreError: `keystore_cost`, `keystore_password`.
        """
        data = read_bounded(path, limit_bytes=_KEYSTORE_BYTES)
        keystore: dict[str, Any] = read_json(
            data,
            dict[str, Any],
            source=str(path),
            limit_bytes=_KEYSTORE_BYTES,
            code="keystore_malformed",
        )
        _check_cost(keystore, path)
        secret = password().reveal().rstrip(b"\r\n")
        try:
            account = Account.from_key(Account.decrypt(keystore, secret.decode()))
        except Exception:  # whatever is raised here may quote what it holds
            account = None
        if account is None:
            raise KeystoreError(
                f"{path} does not open with this password, or is damaged",
                code="keystore_password",
                hint="Check the password; it is taken as it is, without a final line break.",
            )
        return cls(account)

    def sign(self, transaction: Transaction) -> Operation[SignedTransaction]:
        """The transaction, signed."""
        yield from ()
        given = {key: value for key, value in transaction.to_dict().items() if key != "from"}
        return check_signature(
            bytes(self._account.sign_transaction(given).raw_transaction), transaction
        )

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"


class RemoteSigner:
    """Another process that answers `eth_signTransaction`, such as web3signer."""

    def __init__(
        self, url: str, address: AddressLike, *, headers: Mapping[str, str] | None = None
    ) -> None:
        """A signer at an address.

        Args:
            url: http or https, without credentials.
            address: account to sign for.
            headers: sent with every request; credentials belong here.
        """
        self.endpoint = Endpoint(url, headers or {})
        self.address = to_checksum(address, what="signer address")

    def sign(self, transaction: Transaction) -> Operation[SignedTransaction]:
        """The transaction, signed there and checked here.

        Raises:
            NetworkError: `rpc_refused`, or `signer_answer` if it signed something else.
        """
        request = Rpc(
            "eth_signTransaction",
            (transaction.to_rpc(),),
            f"signature of {self.address}",
            to_signer=True,
        )
        reply = yield request
        if isinstance(reply, Refused):
            raise refusal_error(request, reply)
        answer = getattr(reply, "value", None)
        raw = answer.get("raw") if isinstance(answer, dict) else answer
        if not isinstance(raw, str):
            raise NetworkError("the signer returned no transaction", code="signer_answer")
        try:
            data = bytes(HexBytes(raw))
        except ValueError:
            data = b""
        return check_signature(data, transaction)

    def __repr__(self) -> str:
        return f"RemoteSigner({self.address})"


class NodeSigner:
    """An account whose key the node holds, as development chains do."""

    def __init__(self, address: AddressLike) -> None:
        self.address = to_checksum(address, what="signer address")

    def __repr__(self) -> str:
        return f"NodeSigner({self.address})"


Signer = LocalSigner | RemoteSigner | NodeSigner


def _read_private(path: Path, *, limit_bytes: int) -> bytes:
    """The file's content, if nobody but its owner may read it; both from one descriptor."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content = stream.read(limit_bytes + 1)
    except OSError as problem:
        raise unreadable(path, problem) from problem
    if mode & _READABLE_BY_OTHERS:
        raise InputError(
            f"{path} holds a private key and has mode {mode:04o}: others may read it",
            code="key_file_mode",
            hint=f"Run `chmod 600 {path}`, and think of the key as known if others use the machine",
        )
    return content


def _check_cost(keystore: Mapping[str, Any], path: Path) -> None:
    """Refuses a keystore that would take all memory or hours: anybody can write such a file."""
    crypto = keystore.get("crypto", keystore.get("Crypto"))
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if keystore.get("version") != 3 or not isinstance(parameters, dict):
        raise InputError(
            f"{path} is no version 3 keystore",
            code="keystore_malformed",
            hint="Validator keystores (version 4) sign no transactions.",
        )
    numbers = [parameters.get(name, 1) for name in ("n", "r", "p", "c")]
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        raise InputError(f"{path} has malformed costs", code="keystore_malformed")
    n, r, p, c = numbers
    if 128 * n * r > _MOST_MEMORY_BYTES or p > _MOST_SCRYPT_P or c > _MOST_PBKDF2_ROUNDS:
        raise KeystoreError(
            f"{path} demands n={n}, r={r}, p={p}, c={c} to be opened, which is out of bounds",
            code="keystore_cost",
            hint="Make the keystore again with usual costs.",
        )
