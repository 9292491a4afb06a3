"""Ceremony output of ssv-dkg, with the operators' keys; layout in docs/vectors.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sdk import committee
from sdk.crypto import bls, threshold
from sdk.crypto.operator_keys import OperatorPrivateKey, OperatorPublicKey, parse_public_key
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.secret import Password
from sdk.deposit_checks import verify_deposits
from sdk.deposits import parse_deposits
from sdk.dkg.ceremony import verify_ceremony
from sdk.dkg.proofs import check_proofs, is_signed_by, read_proofs
from sdk.errors import InputError
from sdk.findings import Finding
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_reader import load_keyshares, read_keyshares
from sdk.shares.proofs import open_shares
from sdk.shares.verify import verify_keyshares
from sdk.types import OperatorId
from tests.vectors.case import Case, attempt, expect

EXPECTED_CODES = {
    "depositdata--invalid-fork": "deposit_fork_version_unknown",
    "depositdata--invalid-pubkey": "deposit_pubkey_invalid",
    "depositdata--invalid-signature": "deposit_signature_invalid",
    "keyshares--duplicate-data-operator": "operator_ids_not_unique",
    "keyshares--duplicate-payload-operator": "operator_ids_not_unique",
    "results--incorrect-pubkey": "validator_mismatch",
    "results--invalid-deposit-data-signature": "deposit_signature_invalid",
    "results--missing-aggregations": "file_missing",
}
"""The finding a known negative case must give; other negative cases must give some error."""


def run(folder: Path) -> Iterator[Case]:
    """Every ceremony, every list of proofs, every valid and invalid file of the output checker."""
    public, private = _operators(folder)
    for path in sorted(folder.glob("ceremony-*")):
        yield attempt(path.name, partial(_ceremony, path, public, private))
        for bad in sorted(path.glob("*/*invalid_proofs.json")):
            yield attempt(f"{path.name}/{bad.name}", partial(_bad_proofs, bad))
    for path in sorted(folder.glob("proofs-*.json")):
        yield attempt(path.name, partial(_proof_file, path, public))
    for path in sorted((folder / "validator-testdata").glob("*--*")):
        yield attempt(path.stem, partial(_checked_output, path))


def _operators(
    folder: Path,
) -> tuple[dict[OperatorId, OperatorPublicKey], dict[OperatorId, OperatorPrivateKey]]:
    info = folder / "operators_info.json"
    entries = json.loads(info.read_bytes()) if info.is_file() else []
    public = {OperatorId(entry["id"]): parse_public_key(entry["public_key"]) for entry in entries}
    ids = {key: operator for operator, key in public.items()}
    private = {}
    for path in sorted((folder / "operators").glob("*/encrypted_private_key.json")):
        password = Password((path.parent / "password").read_bytes())
        key = decrypt_operator_key(parse_operator_keystore(path.read_bytes()), password)
        if key.public_key in ids:
            private[ids[key.public_key]] = key
    return public, private


def _ceremony(
    folder: Path,
    public: dict[OperatorId, OperatorPublicKey],
    private: dict[OperatorId, OperatorPrivateKey],
) -> None:
    findings = verify_ceremony(folder, Expected(operators=public, private_keys=private))
    expect(_errors(findings), [], "findings")
    for path in folder.rglob("keyshares.json"):
        for share in load_keyshares(path.read_bytes()).shares:
            count = len(share.operator_ids)
            opened = open_shares(share, private)
            expect(len(opened), count, "shares that decrypt")
            needed = committee.threshold_of(count)
            for chosen in (share.operator_ids[:needed], share.operator_ids[-needed:]):
                secret = threshold.recover_secret({each: opened[each] for each in chosen})
                expect(bls.public_key(secret), share.public_key, f"key out of shares {chosen}")


def _bad_proofs(path: Path) -> None:
    share = load_keyshares((path.parent / "keyshares.json").read_bytes()).shares[0]
    try:
        (proofs,) = read_proofs(path.read_bytes())
    except InputError:
        return
    expect(bool(_errors(list(check_proofs(proofs, share)))), True, "the proofs are refused")


def _proof_file(path: Path, public: dict[OperatorId, OperatorPublicKey]) -> None:
    try:
        groups = read_proofs(path.read_bytes())
        signed = all(
            any(is_signed_by(proof, key) for key in public.values())
            for proofs in groups
            for proof in proofs
        )
    except InputError:
        signed = False
    expect(signed, path.stem.endswith("-valid"), "the proofs are well-formed and signed")


def _checked_output(path: Path) -> None:
    kind, _, title = path.stem.partition("--")
    try:
        findings = _judge(kind, path)
    except InputError as problem:
        findings = [Finding(problem.code, problem.message)]
    errors = _errors(findings)
    if title.startswith("valid"):
        expect(errors, [], "findings")
        return
    expect(bool(errors), True, "the output is refused")
    wanted = EXPECTED_CODES.get(path.stem)
    if wanted is not None:
        expect(wanted in errors, True, f"{wanted} is among {errors}")


def _judge(kind: str, path: Path) -> list[Finding]:
    if kind == "depositdata":
        return verify_deposits(parse_deposits(path.read_bytes()))
    if kind == "keyshares":
        return verify_keyshares(read_keyshares(path.read_bytes()))
    if kind == "results":
        return verify_ceremony(path)
    raise AssertionError(f"unknown kind of output: {kind}")


def _errors(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.severity == "error"]
