"""The output of a key ceremony, checked as a whole: deposit data, keyshares and proofs agree.

A ceremony's folder holds one folder per validator, `<nonce, 6 digits>-0x<public key>`, with
`deposit_data.json`, `keyshares.json` and `proofs.json`; with several validators the same three
files stand beside them with everything aggregated. A validator's folder can be given alone.

Source: docs/keyshares.md, "Key ceremonies".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sdk.deposit_checks import verify_deposits
from sdk.deposits import DEPOSIT_FILE_MAX_BYTES, DepositData, parse_deposits
from sdk.dkg.proofs import PROOFS_MAX_BYTES, SignedProof, check_proofs, read_proofs
from sdk.errors import InputError
from sdk.files import read_bounded, unreadable
from sdk.findings import Finding
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.keyshares_reader import FILE_MAX_BYTES, Reading, read_keyshares
from sdk.shares.verify import verify_keyshares

DEPOSIT_FILE: Final = "deposit_data.json"
KEYSHARES_FILE: Final = "keyshares.json"
PROOFS_FILE: Final = "proofs.json"
_FILES: Final = (DEPOSIT_FILE, KEYSHARES_FILE, PROOFS_FILE)
_FOLDER_NAME: Final = re.compile(r"(\d{6,20})-0x([0-9a-f]{96})")


@dataclass(frozen=True, slots=True)
class Results:
    """The three files of one folder, read."""

    deposits: Sequence[DepositData]
    keyshares: Reading
    proofs: Sequence[tuple[SignedProof, ...]]


def verify_ceremony(folder: Path, expected: Expected | None = None) -> list[Finding]:
    """All findings about a ceremony's output; it is sound if none is an error.

    A ceremony always writes complete keyshares, so `payload_only` is an error here: without owner
    and operator keys the proofs would go unchecked.

    Codes beside those of keyshares, deposits and proofs: `file_missing`, `folder_name`,
    `validator_mismatch`, `nonce_mismatch`, `entry_count`, `aggregation_mismatch`,
    `operators_differ`, `empty`.

    Args:
        folder: the ceremony's folder, or one validator's folder.
        expected: what the caller knows from elsewhere; its nonce is that of the first validator.

    Raises:
        InputError: `file_unreadable`, the folder itself.
    """
    expected = expected or Expected()
    try:
        validators = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as problem:
        raise unreadable(folder, problem) from problem
    if not validators:
        return list(_validator_folder(folder, expected))
    findings: list[Finding] = []
    each: list[Results] = []
    for index, path in enumerate(validators):
        nonce = None if expected.nonce is None else expected.nonce + index
        findings += _in(path.name, _validator_folder(path, replace(expected, nonce=nonce)))
        results = _read(path)
        if isinstance(results, Results):
            each.append(results)
    committees = {share.operator_ids for results in each for share in results.keyshares.file.shares}
    if len(committees) > 1:
        message = f"one ceremony has one operator set, found {len(committees)}"
        findings.append(Finding("operators_differ", message))
    is_aggregated = any((folder / name).exists() for name in _FILES)
    if len(validators) > 1 or is_aggregated:
        findings += _aggregate(folder, each, expected)
    return findings


def _validator_folder(folder: Path, expected: Expected) -> Iterator[Finding]:
    results = _read(folder)
    if not isinstance(results, Results):
        yield from results
        return
    yield from _contents(results, expected)
    shares = results.keyshares.file.shares
    counts = (len(results.deposits), len(shares), len(results.proofs))
    if counts != (1, 1, 1):
        message = f"expected one deposit, one entry and one list of proofs, found {counts}"
        yield Finding("entry_count", message)
        return
    match = _FOLDER_NAME.fullmatch(folder.name)
    if match is None:
        message = f"{folder.name} is not <nonce>-0x<validator key>"
        yield Finding("folder_name", message)
        return
    if int(match[1]) != shares[0].nonce:
        message = f"the folder names nonce {int(match[1])}, the keyshares {shares[0].nonce}"
        yield Finding("nonce_mismatch", message)
    if match[2] != shares[0].public_key.hex():
        message = f"the folder names 0x{match[2]}, the keyshares 0x{shares[0].public_key.hex()}"
        yield Finding("validator_mismatch", message)


def _contents(results: Results, expected: Expected) -> Iterator[Finding]:
    """What holds for one validator's files and for the aggregated ones alike."""
    shares = results.keyshares.file.shares
    findings = verify_keyshares(results.keyshares, expected)
    yield from _in(KEYSHARES_FILE, [_strict(finding) for finding in findings])
    keys = [share.public_key for share in shares]
    yield from _in(DEPOSIT_FILE, verify_deposits(results.deposits, public_keys=keys))
    by_key: dict[bytes, KeyShare] = {share.public_key: share for share in shares}
    for index, proofs in enumerate(results.proofs):
        where = f"{PROOFS_FILE}[{index}]" if len(results.proofs) > 1 else PROOFS_FILE
        share = by_key.pop(proofs[0].validator, None) if proofs else None
        if share is None:
            message = "these proofs belong to no validator of the keyshares"
            yield Finding("proof_validator_mismatch", message, where=where)
            continue
        yield from check_proofs(proofs, share, where=where)
    for key in by_key:
        yield Finding("proof_count", f"no proofs for validator 0x{key.hex()}", where=PROOFS_FILE)


def _aggregate(folder: Path, each: Sequence[Results], expected: Expected) -> Iterator[Finding]:
    results = _read(folder)
    if not isinstance(results, Results):
        yield from results
        return
    yield from _contents(results, expected)
    parts: tuple[tuple[str, Sequence[Hashable], Sequence[Hashable]], ...] = (
        (DEPOSIT_FILE, results.deposits, [d for one in each for d in one.deposits]),
        (
            KEYSHARES_FILE,
            results.keyshares.file.shares,
            [share for one in each for share in one.keyshares.file.shares],
        ),
        (PROOFS_FILE, results.proofs, [proofs for one in each for proofs in one.proofs]),
    )
    for name, together, separate in parts:
        if Counter(together) != Counter(separate):
            message = f"{name} does not hold the same as the validators' folders"
            yield Finding("aggregation_mismatch", message, where=name)


def _read(folder: Path) -> Results | list[Finding]:
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        hint = "Take the whole output of the ceremony; each file is needed."
        return [
            Finding("file_missing", f"{name} is missing", where=name, hint=hint) for name in missing
        ]
    try:
        return Results(
            deposits=parse_deposits(_bytes(folder, DEPOSIT_FILE, DEPOSIT_FILE_MAX_BYTES)),
            keyshares=read_keyshares(_bytes(folder, KEYSHARES_FILE, FILE_MAX_BYTES)),
            proofs=[
                tuple(group) for group in read_proofs(_bytes(folder, PROOFS_FILE, PROOFS_MAX_BYTES))
            ],
        )
    except InputError as problem:
        return [Finding(problem.code, problem.message, hint=problem.hint)]


def _bytes(folder: Path, name: str, limit_bytes: int) -> bytes:
    return read_bounded(folder / name, limit_bytes=limit_bytes)


def _strict(finding: Finding) -> Finding:
    return replace(finding, severity="error") if finding.code == "payload_only" else finding


def _in(place: str, findings: Iterator[Finding] | Sequence[Finding]) -> Iterator[Finding]:
    for finding in findings:
        where = f"{place}: {finding.where}" if finding.where else place
        yield replace(finding, where=where)
