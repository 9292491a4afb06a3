"""Deposit data: the roots that are signed, making an entry, and the deposit tools' JSON.

Pure. Entries of other people are read here and judged in `deposit_checks`. BLS withdrawal
credentials (0x00) are never made.

Source: consensus-specs, phase0/beacon-chain.md (DepositData) and phase0/validator.md; EIP-7251
(compounding credentials); docs/keyshares.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from sdk import ssz
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.errors import InputError, InvariantBroken
from sdk.findings import Finding
from sdk.json_documents import read_hex, read_json
from sdk.networks import FORK_VERSION_BYTES, Network
from sdk.types import (
    ADDRESS_BYTES,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    Address,
    Gwei,
    PublicKey,
    Signature,
)

GWEI_PER_ETHER: Final = 10**9
ACTIVATION_GWEI: Final = Gwei(32 * GWEI_PER_ETHER)
"""What a validator needs to be activated, and all that one with 0x01 credentials keeps."""
COMPOUNDING_MAX_GWEI: Final = Gwei(2048 * GWEI_PER_ETHER)
"""MAX_EFFECTIVE_BALANCE_ELECTRA, EIP-7251."""
CLI_VERSION: Final = "2.7.0"
"""Written to new files, and the oldest that launchpads take."""
DEPOSIT_FILE_MAX_BYTES: Final = 16 * 2**20
"""Some 20,000 entries of 0.7 kB."""

_SKIMMING: Final = b"\x01" + bytes(11)
_COMPOUNDING: Final = b"\x02" + bytes(11)
_DEPOSIT_DOMAIN_TYPE: Final = bytes.fromhex("03000000")
_BLS_TYPE: Final = 0
_ROOT_BYTES: Final = 32
_AMOUNT_LIMIT: Final = 2**64


@dataclass(frozen=True, slots=True)
class DepositData:
    """One entry of a deposit file; lengths are right, all else is up to `deposit_checks`."""

    public_key: PublicKey
    withdrawal_credentials: bytes
    amount_gwei: Gwei
    signature: Signature
    deposit_message_root: bytes
    deposit_data_root: bytes
    fork_version: bytes
    network_name: str
    deposit_cli_version: str = CLI_VERSION


class _Entry(msgspec.Struct):
    pubkey: str
    withdrawal_credentials: str
    amount: int
    signature: str
    deposit_message_root: str
    deposit_data_root: str
    fork_version: str
    network_name: str
    deposit_cli_version: str


def withdrawal_credentials(address: Address, *, compounding: bool) -> bytes:
    """32 bytes that send withdrawals to `address`.

    Args:
        address: an account of the execution layer.
        compounding: 0x02 (rewards stay staked, up to 2048 ETH) instead of 0x01 (rewards above
            32 ETH are paid out).
    """
    if len(address) != ADDRESS_BYTES:
        raise InputError(
            f"an address has {ADDRESS_BYTES} bytes, got {len(address)}", code="address_malformed"
        )
    return (_COMPOUNDING if compounding else _SKIMMING) + address


def check_terms(credentials: bytes, amount_gwei: int) -> list[Finding]:
    """What is wrong with credentials and amount in themselves.

    Codes are `deposit_credentials_bls`, `deposit_credentials_malformed`, `deposit_amount` and,
    as a warning, `deposit_amount_excess`: more than 32 ETH on 0x01 credentials is paid out again
    unused, which costs time but no money.
    """
    if credentials.startswith((_SKIMMING, _COMPOUNDING)) and len(credentials) == _ROOT_BYTES:
        return _check_amount(amount_gwei, is_compounding=credentials.startswith(_COMPOUNDING))
    if credentials[:1] == bytes([_BLS_TYPE]):
        return [
            Finding(
                "deposit_credentials_bls",
                f"withdrawal credentials 0x{credentials.hex()} name a BLS key (type 0x00)",
                hint="Make the deposit again with an account address as withdrawal address.",
            )
        ]
    return [
        Finding(
            "deposit_credentials_malformed",
            f"withdrawal credentials 0x{credentials.hex()} are neither 0x01 nor 0x02, 11 zero "
            "bytes and an address",
            hint="Funds sent there may never come back; make the deposit again.",
        )
    ]


def make_deposit(
    secret: SecretKey, *, credentials: bytes, amount_gwei: Gwei, network: Network
) -> DepositData:
    """The signed deposit of a validator key.

    Args:
        secret: the validator key.
        credentials: 32 bytes, see `withdrawal_credentials`.
        amount_gwei: 32 ETH for 0x01 credentials, 32 to 2048 ETH for 0x02.
        network: the only network on which the deposit will be valid.

    Raises:
        InputError: credentials or amount that no deposit should have; the code is that of
            `check_terms`, whose warnings count here too.
    """
    refused = check_terms(credentials, amount_gwei)
    if refused:
        raise InputError(refused[0].message, code=refused[0].code, hint=refused[0].hint)
    public_key = bls.public_key(secret)
    message_root = deposit_message_root(public_key, credentials, amount_gwei)
    signing_root = deposit_signing_root(message_root, network.genesis_fork_version)
    signature = bls.sign(secret, signing_root)
    if not bls.verify(public_key, signing_root, signature):
        raise InvariantBroken("a deposit signature just made does not verify")
    return DepositData(
        public_key=public_key,
        withdrawal_credentials=credentials,
        amount_gwei=amount_gwei,
        signature=signature,
        deposit_message_root=message_root,
        deposit_data_root=deposit_data_root(public_key, credentials, amount_gwei, signature),
        fork_version=network.genesis_fork_version,
        network_name=network.name,
    )


def deposit_message_root(public_key: bytes, credentials: bytes, amount_gwei: int) -> bytes:
    """hash_tree_root of DepositMessage."""
    return ssz.root_of_container(
        ssz.root_of_bytes_vector(public_key),
        ssz.root_of_bytes_vector(credentials),
        ssz.root_of_uint64(amount_gwei),
    )


def deposit_data_root(
    public_key: bytes, credentials: bytes, amount_gwei: int, signature: bytes
) -> bytes:
    """hash_tree_root of DepositData, which the deposit contract compares."""
    return ssz.root_of_container(
        ssz.root_of_bytes_vector(public_key),
        ssz.root_of_bytes_vector(credentials),
        ssz.root_of_uint64(amount_gwei),
        ssz.root_of_bytes_vector(signature),
    )


def deposit_signing_root(message_root: bytes, fork_version: bytes) -> bytes:
    """What the validator key signs.

    Args:
        message_root: of the DepositMessage.
        fork_version: the network's genesis fork version, at any time; the validators root in the
            domain is zero, so deposits can be made before genesis.
    """
    fork_data_root = ssz.root_of_container(
        ssz.root_of_bytes_vector(fork_version), bytes(_ROOT_BYTES)
    )
    return ssz.root_of_container(message_root, _DEPOSIT_DOMAIN_TYPE + fork_data_root[:28])


def parse_deposits(data: bytes, *, source: str = "deposit data") -> list[DepositData]:
    """The entries of a deposit file, lengths checked.

    Raises:
        InputError: `deposit_malformed`, naming entry and field.
    """
    entries = read_json(
        data,
        list[_Entry],
        source=source,
        limit_bytes=DEPOSIT_FILE_MAX_BYTES,
        code="deposit_malformed",
    )
    return [_from_entry(entry, f"{source}: [{at}]") for at, entry in enumerate(entries)]


def render_deposits(deposits: Sequence[DepositData]) -> bytes:
    """The deposit file: a JSON array as the deposit tools write it, ending in a newline."""
    return msgspec.json.encode([_to_entry(deposit) for deposit in deposits]) + b"\n"


def _check_amount(amount_gwei: int, *, is_compounding: bool) -> list[Finding]:
    if not ACTIVATION_GWEI <= amount_gwei <= COMPOUNDING_MAX_GWEI:
        return [
            Finding(
                "deposit_amount",
                f"amount is {amount_gwei} Gwei, expected {ACTIVATION_GWEI} to "
                f"{COMPOUNDING_MAX_GWEI}",
                hint="Amounts are in Gwei, 10**9 to the ether.",
            )
        ]
    if amount_gwei > ACTIVATION_GWEI and not is_compounding:
        return [
            Finding(
                "deposit_amount_excess",
                f"amount is {amount_gwei} Gwei, a validator with 0x01 credentials stakes only "
                f"{ACTIVATION_GWEI}",
                hint="Use 0x02 credentials to stake more with one validator.",
                severity="warning",
            )
        ]
    return []


def _from_entry(entry: _Entry, where: str) -> DepositData:
    if not 0 <= entry.amount < _AMOUNT_LIMIT:
        raise InputError(
            f"{where}: amount is no unsigned 64-bit integer",
            code="deposit_malformed",
            hint="Expected an amount in Gwei.",
        )

    def field(text: str, name: str, length: int) -> bytes:
        return read_hex(text, field=f"{where}: {name}", length=length, code="deposit_malformed")

    return DepositData(
        public_key=PublicKey(field(entry.pubkey, "pubkey", PUBLIC_KEY_BYTES)),
        withdrawal_credentials=field(
            entry.withdrawal_credentials, "withdrawal_credentials", _ROOT_BYTES
        ),
        amount_gwei=Gwei(entry.amount),
        signature=Signature(field(entry.signature, "signature", SIGNATURE_BYTES)),
        deposit_message_root=field(entry.deposit_message_root, "deposit_message_root", _ROOT_BYTES),
        deposit_data_root=field(entry.deposit_data_root, "deposit_data_root", _ROOT_BYTES),
        fork_version=field(entry.fork_version, "fork_version", FORK_VERSION_BYTES),
        network_name=entry.network_name,
        deposit_cli_version=entry.deposit_cli_version,
    )


def _to_entry(deposit: DepositData) -> _Entry:
    return _Entry(
        pubkey=deposit.public_key.hex(),
        withdrawal_credentials=deposit.withdrawal_credentials.hex(),
        amount=deposit.amount_gwei,
        signature=deposit.signature.hex(),
        deposit_message_root=deposit.deposit_message_root.hex(),
        deposit_data_root=deposit.deposit_data_root.hex(),
        fork_version=deposit.fork_version.hex(),
        network_name=deposit.network_name,
        deposit_cli_version=deposit.deposit_cli_version,
    )
