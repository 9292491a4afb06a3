"""What is wrong with deposit data, before money moves.

Pure. A deposit cannot be taken back, so this looks at all that a file can show: point, signature,
roots, network, credentials, amount, and that it holds the keys the user expects. Whether a key
was deposited before only the chain can tell.

Source: consensus-specs, phase0/beacon-chain.md (process_deposit); docs/keyshares.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from sdk.crypto import bls
from sdk.deposits import (
    CLI_VERSION,
    DepositData,
    check_terms,
    deposit_data_root,
    deposit_message_root,
    deposit_signing_root,
)
from sdk.errors import InvalidPoint
from sdk.findings import Finding
from sdk.networks import NETWORKS, Network, find_by_fork_version, find_by_name
from sdk.types import PublicKey

_VERSION: Final = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})")
_SHOWN_CHARACTERS: Final = 40


def verify_deposits(
    deposits: Sequence[DepositData],
    *,
    network: Network | None = None,
    credentials: bytes | None = None,
    public_keys: Collection[bytes] | None = None,
    networks: Sequence[Network] = NETWORKS,
) -> list[Finding]:
    """All that is wrong with a deposit file; see `verify_deposit` for the single entries.

    Args:
        deposits: the entries of one file.
        network: the network the user deposits on, if known.
        credentials: the 32 bytes the user expects in every entry, if known.
        public_keys: the keys that must be in the file, no more and no fewer, if known.
        networks: networks whose fork versions are known.
    """
    findings = []
    if not deposits:
        findings.append(Finding("deposit_empty", "the file holds no deposits"))
    for at, deposit in enumerate(deposits):
        findings += verify_deposit(
            deposit, network=network, credentials=credentials, networks=networks, where=f"[{at}]"
        )
    count = Counter(deposit.public_key for deposit in deposits)
    findings += [
        Finding(
            "deposit_duplicate",
            f"0x{key.hex()} is in the file {times} times",
            hint="Every further deposit only tops the first one up; remove it.",
        )
        for key, times in count.items()
        if times > 1
    ]
    if public_keys is not None:
        findings += _check_keys(set(count), {PublicKey(bytes(key)) for key in public_keys})
    return findings


def verify_deposit(
    deposit: DepositData,
    *,
    network: Network | None = None,
    credentials: bytes | None = None,
    networks: Sequence[Network] = NETWORKS,
    where: str = "",
) -> list[Finding]:
    """All that is wrong with one deposit; an empty list means it may be sent.

    Args:
        deposit: the entry.
        network: the network the user deposits on, if known.
        credentials: the 32 bytes the user expects, if known.
        networks: networks whose fork versions are known.
        where: place of the entry, copied into the findings.
    """
    findings = [
        *_check_signature(deposit, network, networks),
        *_check_roots(deposit),
        *_check_network(deposit, network, networks),
        *_check_expected(deposit.withdrawal_credentials, credentials),
        *check_terms(deposit.withdrawal_credentials, deposit.amount_gwei),
        *_check_cli_version(deposit.deposit_cli_version),
    ]
    return [replace(each, where=where) for each in findings]


def _check_signature(
    deposit: DepositData, network: Network | None, networks: Sequence[Network]
) -> list[Finding]:
    """Judged on the network the deposit is meant for, so a wrong fork version in the file does
    not also show up as a wrong signature.
    """
    try:
        key = bls.parse_public_key(deposit.public_key)
    except InvalidPoint:
        return [
            Finding(
                "deposit_pubkey_invalid",
                f"pubkey 0x{deposit.public_key.hex()} is no valid BLS public key",
                hint="The file is damaged; make the deposit data again.",
            )
        ]
    meant = network or find_by_name(deposit.network_name, networks=networks)
    version = meant.genesis_fork_version if meant else deposit.fork_version
    message_root = deposit_message_root(
        deposit.public_key, deposit.withdrawal_credentials, deposit.amount_gwei
    )
    if bls.verify(key, deposit_signing_root(message_root, version), deposit.signature):
        return []
    return [
        Finding(
            "deposit_signature_invalid",
            f"the signature is not valid for pubkey 0x{deposit.public_key.hex()} and these terms "
            f"on fork version {version.hex()}",
            hint="A deposit with an invalid signature is lost; make the deposit data again.",
        )
    ]


def _check_roots(deposit: DepositData) -> list[Finding]:
    terms = (deposit.public_key, deposit.withdrawal_credentials, deposit.amount_gwei)
    roots = {
        "deposit_message_root": (deposit.deposit_message_root, deposit_message_root(*terms)),
        "deposit_data_root": (
            deposit.deposit_data_root,
            deposit_data_root(*terms, deposit.signature),
        ),
    }
    return [
        Finding(
            f"{name}_mismatch",
            f"{name} is {found.hex()}, the fields give {computed.hex()}",
            hint="A field was changed after signing; make the deposit data again.",
        )
        for name, (found, computed) in roots.items()
        if found != computed
    ]


def _check_network(
    deposit: DepositData, network: Network | None, networks: Sequence[Network]
) -> list[Finding]:
    version = deposit.fork_version
    name = deposit.network_name[:_SHOWN_CHARACTERS]
    hint = "Make the deposit data again for the right network."
    known = find_by_fork_version(version, networks=networks)
    if known is None:
        return [
            Finding(
                "deposit_fork_version_unknown",
                f"fork version {version.hex()} belongs to no known network",
                hint=hint,
            )
        ]
    if known.name != deposit.network_name:
        return [
            Finding(
                "deposit_fork_version_mismatch",
                f"fork version {version.hex()} belongs to {known.name}, network_name is {name!r}",
                hint=hint,
            )
        ]
    if network is not None and network != known:
        return [
            Finding(
                "deposit_network_mismatch",
                f"the deposit is for {known.name}, expected is {network.name}",
                hint=hint,
            )
        ]
    return []


def _check_expected(credentials: bytes, expected: bytes | None) -> list[Finding]:
    if expected is None or credentials == expected:
        return []
    return [
        Finding(
            "deposit_credentials_mismatch",
            f"withdrawal credentials are 0x{credentials.hex()}, expected 0x{expected.hex()}",
            hint="Withdrawals would go to another account; do not send this deposit.",
        )
    ]


def _check_cli_version(version: str) -> list[Finding]:
    found = _VERSION.fullmatch(version)
    oldest = tuple(int(part) for part in CLI_VERSION.split("."))
    if found is not None and tuple(int(part) for part in found.groups()) >= oldest:
        return []
    return [
        Finding(
            "deposit_cli_version",
            f"deposit_cli_version is {version[:_SHOWN_CHARACTERS]!r}, expected {CLI_VERSION} or "
            "newer",
            hint="Make the deposit data again with a current tool.",
        )
    ]


def _check_keys(found: set[PublicKey], expected: set[PublicKey]) -> list[Finding]:
    missing = [
        Finding(
            "deposit_missing",
            f"no deposit for 0x{key.hex()}",
            hint="Check that deposit data and keyshares were made from the same keys.",
        )
        for key in sorted(expected - found)
    ]
    unexpected = [
        Finding(
            "deposit_unexpected",
            f"the deposit for 0x{key.hex()} is for none of the expected keys",
            hint="Check that deposit data and keyshares were made from the same keys.",
        )
        for key in sorted(found - expected)
    ]
    return missing + unexpected
