"""Everything that can be checked about a keyshares file without the chain, as a list of findings.

Pure. The registry checks none of this, and nodes check only the nonce signature and the length, so
a file that fails here can be registered, charged for, and never sign. What a file alone cannot
show is whether the encrypted shares decrypt: that needs each operator's private key
(`Expected.private_keys`).

Source: docs/keyshares.md, "What is checked".
"""

from __future__ import annotations

from collections.abc import Sequence

from sdk.findings import Finding
from sdk.shares.consistency import Expected, across_entries, committee, expectations
from sdk.shares.keyshares_reader import Reading
from sdk.shares.proofs import decryption, nonce_signatures, share_keys, unpack_entry, validator_key


def verify_keyshares(reading: Reading, expected: Expected | None = None) -> list[Finding]:
    """All findings about a file, those of its reading first; the file is sound if none is an error.

    Codes beside those of `read_keyshares`: `operator_count`, `operator_ids_not_sorted`,
    `operator_ids_not_unique`, `operator_ids_mismatch`, `operator_id_range`,
    `operator_key_malformed`, `operator_key_mismatch`, `operator_keys_not_unique`,
    `operator_unknown`, `shares_length`, `pubkey_mismatch`, `pubkey_invalid`,
    `nonce_signature_invalid`, `share_pubkey_invalid`, `share_pubkeys_do_not_recombine`,
    `share_undecryptable`, `duplicate_validator`, `nonce_not_unique`, `owner_mismatch`,
    `nonce_mismatch`; warnings `nonce_wraps`, `nonces_not_consecutive`, `owners_differ`.

    Args:
        reading: what `read_keyshares` made of the file.
        expected: what the caller knows from elsewhere.
    """
    expected = expected or Expected()
    shares = reading.file.shares
    findings = [*reading.findings, *across_entries(shares), *expectations(shares, expected)]
    readable = []
    for share in shares:
        findings += committee(share, expected)
        findings += validator_key(share)
        parts = unpack_entry(share)
        if isinstance(parts, Finding):
            findings.append(parts)
        elif parts is not None:
            readable.append((share, parts))
    findings += nonce_signatures(readable, expected)
    for share, parts in readable:
        findings += share_keys(share, parts)
        findings += decryption(share, parts, expected)
    return findings


def is_sound(findings: Sequence[Finding]) -> bool:
    """Whether no finding is an error."""
    return not any(finding.severity == "error" for finding in findings)
