"""Deposit data: the rules of what may be made, and every check that money depends on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.deposit_checks import verify_deposit, verify_deposits
from sdk.deposits import (
    ACTIVATION_GWEI,
    COMPOUNDING_MAX_GWEI,
    DEPOSIT_FILE_MAX_BYTES,
    DepositData,
    deposit_data_root,
    deposit_message_root,
    deposit_signing_root,
    make_deposit,
    parse_deposits,
    render_deposits,
    withdrawal_credentials,
)
from sdk.errors import InputError
from sdk.networks import HOLESKY, HOODI, MAINNET, NETWORKS, Network
from sdk.types import Address, Gwei, PublicKey, Signature

SECRET = SecretKey(0x1234567890ABCDEF)
ADDRESS = Address(bytes(range(20)))
SKIMMING = withdrawal_credentials(ADDRESS, compounding=False)
COMPOUNDING = withdrawal_credentials(ADDRESS, compounding=True)
DEPOSIT = make_deposit(SECRET, credentials=SKIMMING, amount_gwei=ACTIVATION_GWEI, network=HOODI)
LOCAL = Network("local", 31337, bytes.fromhex("10000038"))


def codes(deposit: DepositData, **expected: object) -> list[str]:
    return [finding.code for finding in verify_deposit(deposit, **expected)]  # type: ignore[arg-type] # a test's shorthand


def signed_again(
    deposit: DepositData, *, credentials: bytes | None = None, amount_gwei: int | None = None
) -> DepositData:
    """The deposit with other terms, signature and roots made to fit."""
    credentials = deposit.withdrawal_credentials if credentials is None else credentials
    amount = deposit.amount_gwei if amount_gwei is None else Gwei(amount_gwei)
    root = deposit_message_root(deposit.public_key, credentials, amount)
    signature = bls.sign(SECRET, deposit_signing_root(root, deposit.fork_version))
    return replace(
        deposit,
        withdrawal_credentials=credentials,
        amount_gwei=amount,
        signature=signature,
        deposit_message_root=root,
        deposit_data_root=deposit_data_root(deposit.public_key, credentials, amount, signature),
    )


@pytest.mark.parametrize(
    ("compounding", "prefix"), [(False, "01" + "00" * 11), (True, "02" + "00" * 11)]
)
def test_credentials_are_type_zeros_address(compounding: bool, prefix: str) -> None:
    credentials = withdrawal_credentials(ADDRESS, compounding=compounding)
    assert credentials == bytes.fromhex(prefix) + ADDRESS


def test_credentials_need_a_whole_address() -> None:
    with pytest.raises(InputError):
        withdrawal_credentials(Address(bytes(19)), compounding=False)


@pytest.mark.parametrize("network", [*NETWORKS, LOCAL])
@pytest.mark.parametrize(
    ("credentials", "amount_gwei"),
    [
        (SKIMMING, ACTIVATION_GWEI),
        (COMPOUNDING, ACTIVATION_GWEI),
        (COMPOUNDING, COMPOUNDING_MAX_GWEI),
    ],
)
def test_a_deposit_made_here_has_no_findings(
    network: Network, credentials: bytes, amount_gwei: Gwei
) -> None:
    deposit = make_deposit(
        SECRET, credentials=credentials, amount_gwei=amount_gwei, network=network
    )
    findings = verify_deposits(
        [deposit],
        network=network,
        credentials=credentials,
        public_keys=[bls.public_key(SECRET)],
        networks=(*NETWORKS, LOCAL),
    )
    assert findings == []


@pytest.mark.parametrize(
    ("credentials", "amount_gwei", "code"),
    [
        (b"\x00" + bytes(31), ACTIVATION_GWEI, "deposit_credentials_bls"),
        (b"\x03" + SKIMMING[1:], ACTIVATION_GWEI, "deposit_credentials_malformed"),
        (b"\x01\x01" + SKIMMING[2:], ACTIVATION_GWEI, "deposit_credentials_malformed"),
        (SKIMMING + b"\x00", ACTIVATION_GWEI, "deposit_credentials_malformed"),
        (SKIMMING[:-1], ACTIVATION_GWEI, "deposit_credentials_malformed"),
        (b"", ACTIVATION_GWEI, "deposit_credentials_malformed"),
        (SKIMMING, ACTIVATION_GWEI - 1, "deposit_amount"),
        (SKIMMING, ACTIVATION_GWEI + 1, "deposit_amount_excess"),
        (COMPOUNDING, ACTIVATION_GWEI - 1, "deposit_amount"),
        (COMPOUNDING, COMPOUNDING_MAX_GWEI + 1, "deposit_amount"),
    ],
)
def test_bad_terms_are_neither_made_nor_accepted(
    credentials: bytes, amount_gwei: int, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        make_deposit(SECRET, credentials=credentials, amount_gwei=Gwei(amount_gwei), network=HOODI)
    assert caught.value.code == code
    if len(credentials) == 32:
        deposit = signed_again(DEPOSIT, credentials=credentials, amount_gwei=amount_gwei)
        assert codes(deposit) == [code]


def test_too_much_on_0x01_is_a_warning_because_it_is_paid_out_again() -> None:
    deposit = signed_again(DEPOSIT, amount_gwei=COMPOUNDING_MAX_GWEI)
    assert [finding.severity for finding in verify_deposit(deposit)] == ["warning"]


def test_the_signature_covers_key_credentials_amount_and_network() -> None:
    other_key = bls.public_key(SecretKey(2))
    for changed in (
        replace(DEPOSIT, public_key=other_key),
        replace(DEPOSIT, withdrawal_credentials=COMPOUNDING),
        replace(DEPOSIT, withdrawal_credentials=COMPOUNDING, amount_gwei=Gwei(2**36)),
    ):
        assert codes(changed) == [
            "deposit_signature_invalid",
            "deposit_message_root_mismatch",
            "deposit_data_root_mismatch",
        ]
    moved = replace(DEPOSIT, fork_version=HOLESKY.genesis_fork_version, network_name="holesky")
    assert codes(moved) == ["deposit_signature_invalid"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("public_key", PublicKey(bytes(48)), "deposit_pubkey_invalid"),
        ("public_key", PublicKey(b"\xc0" + bytes(47)), "deposit_pubkey_invalid"),
        ("signature", Signature(bytes(96)), "deposit_signature_invalid"),
        ("deposit_message_root", bytes(32), "deposit_message_root_mismatch"),
        ("deposit_data_root", bytes(32), "deposit_data_root_mismatch"),
        ("fork_version", bytes(4), "deposit_fork_version_mismatch"),
        ("fork_version", b"\x01\x02\x03\x04", "deposit_fork_version_unknown"),
        ("network_name", "local", "deposit_fork_version_mismatch"),
        ("deposit_cli_version", "2.6.9", "deposit_cli_version"),
        ("deposit_cli_version", "", "deposit_cli_version"),
        ("deposit_cli_version", "2.7", "deposit_cli_version"),
    ],
)
def test_each_damaged_field_is_named(field: str, value: bytes | str, code: str) -> None:
    assert code in codes(replace(DEPOSIT, **{field: value}))  # type: ignore[arg-type] # one field of the table


def test_a_damaged_root_or_network_is_the_only_finding() -> None:
    assert codes(replace(DEPOSIT, deposit_data_root=bytes(32))) == ["deposit_data_root_mismatch"]
    assert codes(replace(DEPOSIT, fork_version=bytes(4))) == ["deposit_fork_version_mismatch"]


@pytest.mark.parametrize("version", ["2.7.0", "2.10.0", "10.0.0", "v2.8.1"])
def test_newer_tool_versions_are_accepted_by_number(version: str) -> None:
    assert codes(replace(DEPOSIT, deposit_cli_version=version)) == []


def test_what_the_user_expects_is_compared() -> None:
    assert codes(DEPOSIT, credentials=COMPOUNDING) == ["deposit_credentials_mismatch"]
    assert codes(DEPOSIT, network=MAINNET) == [
        "deposit_signature_invalid",
        "deposit_network_mismatch",
    ]


def test_keys_must_be_those_expected_and_each_once() -> None:
    other = make_deposit(
        SecretKey(2), credentials=SKIMMING, amount_gwei=ACTIVATION_GWEI, network=HOODI
    )
    third = bls.public_key(SecretKey(3))
    findings = verify_deposits([DEPOSIT, other, other], public_keys=[bls.public_key(SECRET), third])
    assert [finding.code for finding in findings] == [
        "deposit_duplicate",
        "deposit_missing",
        "deposit_unexpected",
    ]
    assert other.public_key.hex() in findings[0].message
    assert third.hex() in findings[1].message
    assert other.public_key.hex() in findings[2].message


def test_findings_name_the_entry() -> None:
    damaged = replace(DEPOSIT, deposit_data_root=bytes(32))
    other = make_deposit(
        SecretKey(2), credentials=SKIMMING, amount_gwei=ACTIVATION_GWEI, network=HOODI
    )
    assert [finding.where for finding in verify_deposits([other, damaged])] == ["[1]"]


def test_an_empty_file_is_a_finding() -> None:
    assert [finding.code for finding in verify_deposits([])] == ["deposit_empty"]


def test_the_file_has_exactly_the_fields_of_the_deposit_tools() -> None:
    (entry,) = json.loads(render_deposits([DEPOSIT]))
    assert entry == {
        "pubkey": DEPOSIT.public_key.hex(),
        "withdrawal_credentials": SKIMMING.hex(),
        "amount": 32_000_000_000,
        "signature": DEPOSIT.signature.hex(),
        "deposit_message_root": DEPOSIT.deposit_message_root.hex(),
        "deposit_data_root": DEPOSIT.deposit_data_root.hex(),
        "fork_version": "10000910",
        "network_name": "hoodi",
        "deposit_cli_version": "2.7.0",
    }


def test_what_is_written_is_read_back() -> None:
    assert parse_deposits(render_deposits([DEPOSIT, DEPOSIT])) == [DEPOSIT, DEPOSIT]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pubkey", "00" * 47),
        ("pubkey", 5),
        ("signature", "zz" * 96),
        ("withdrawal_credentials", None),
        ("amount", "32000000000"),
        ("amount", -1),
        ("amount", 2**64),
        ("fork_version", "000000"),
        ("deposit_cli_version", None),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object) -> None:
    entry = json.loads(render_deposits([DEPOSIT]))[0] | {field: value}
    with pytest.raises(InputError, match=field) as caught:
        parse_deposits(json.dumps([entry]).encode(), source="deposit.json")
    assert caught.value.code == "deposit_malformed"
    assert caught.value.message.startswith("deposit.json: [0]")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"null", b"[{}]", b"[[", b"[" * 100_000, b"\xff", b" " * DEPOSIT_FILE_MAX_BYTES],
)
def test_what_is_no_deposit_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_deposits(data)
    assert caught.value.code == "deposit_malformed"
