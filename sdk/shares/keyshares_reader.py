"""Reading keyshares files of every version in use.

Pure: bytes in, values and findings out. Reading is tolerant and tells everything that is wrong
with the form in one pass; `sdk.shares.verify` then checks what the bytes mean. Unknown fields are
ignored, hex case does not matter, and addresses are taken as typed (existing tools write them so).

Source: docs/keyshares.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from sdk.errors import InputError, KeysharesError
from sdk.findings import Finding
from sdk.json_documents import read_json
from sdk.shares.keyshares_file import MAX_NONCE, KeyShare, KeysharesFile, OperatorEntry
from sdk.types import (
    MAX_OPERATOR_ID,
    PUBLIC_KEY_BYTES,
    Address,
    OperatorId,
    PublicKey,
    parse_address,
    parse_hex,
)

FILE_MAX_BYTES: Final = 512 * 1024 * 1024
"""About 28,000 validators with 13 operators; a larger file is a mistake."""
MAX_FINDINGS: Final = 1000
"""Nobody reads more, and a hostile file could fill the memory with them."""
_READ_VERSIONS: Final = ("1.1", "1.2")


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, and everything that could not."""

    file: KeysharesFile
    findings: tuple[Finding, ...]


def read_keyshares(data: bytes, *, source: str = "keyshares") -> Reading:
    """The entries of a keyshares file and what is wrong with its form.

    Findings: `version`, `empty`, `malformed`, `malformed_hex`, `pubkey_length`,
    `operator_id_range`, `address_malformed`, `nonce_range`, `too_many_findings`; warning
    `payload_only`.

    Raises:
        KeysharesError: `keyshares_malformed`, the bytes are no JSON object or too large.
    """
    document: dict[str, Any] = read_json(
        data,
        dict[str, Any],
        source=source,
        limit_bytes=FILE_MAX_BYTES,
        error=KeysharesError,
        code="keyshares_malformed",
    )
    findings = list(_check_version(document.get("version")))
    entries = document.get("shares")
    if entries is None or entries == []:
        findings.append(Finding("empty", "the file holds no shares", where="shares"))
        entries = []
    elif not isinstance(entries, list):
        findings.append(_malformed("shares", "a list", entries))
        entries = []
    shares = []
    for position, entry in enumerate(entries):
        if len(findings) >= MAX_FINDINGS:
            message = f"{MAX_FINDINGS} findings before shares[{position}]; the rest was not read"
            findings.append(Finding("too_many_findings", message, where="shares"))
            break
        share = _Entry(f"shares[{position}]", findings).read(entry, position)
        if share is not None:
            shares.append(share)
    created_at, version = document.get("createdAt"), document.get("version")
    return Reading(
        KeysharesFile(
            shares=tuple(shares),
            created_at=created_at if isinstance(created_at, str) else "",
            version=version if isinstance(version, str) else "",
        ),
        tuple(findings),
    )


def load_keyshares(data: bytes, *, source: str = "keyshares") -> KeysharesFile:
    """The file, if its form is right; use `sdk.shares.verify` to learn whether it is sound.

    Raises:
        KeysharesError: the first error finding of `read_keyshares`, with its code.
    """
    reading = read_keyshares(data, source=source)
    for finding in reading.findings:
        if finding.severity == "error":
            raise KeysharesError(
                f"{source}: {finding.where}: {finding.message}",
                code=finding.code,
                hint=finding.hint,
            )
    return reading.file


def _check_version(version: object) -> Iterable[Finding]:
    hint = "Make the file again with a current key tool."
    if not isinstance(version, str):
        found = "no version" if version is None else f"a {type(version).__name__} as version"
        yield Finding("version", f"{found}, expected v1.1.x or v1.2.x", where="version", hint=hint)
        return
    major_minor = ".".join(version.removeprefix("v").split(".")[:2])
    if major_minor in _READ_VERSIONS:
        return
    if major_minor.startswith("1."):
        yield Finding(
            "version",
            f"version {version[:24]!r} is not known; read as v1.2.0",
            where="version",
            hint="Check the result with the tool that made the file.",
            severity="warning",
        )
        return
    yield Finding(
        "version", f"version {version[:24]!r} is not supported", where="version", hint=hint
    )


class _Entry:
    """Reads one entry, adding a finding for each field that is wrong."""

    def __init__(self, where: str, findings: list[Finding]) -> None:
        self._where = where
        self._findings = findings

    def read(self, entry: object, position: int) -> KeyShare | None:
        if not isinstance(entry, dict) or not isinstance(entry.get("payload"), dict):
            self._findings.append(_malformed(f"{self._where}.payload", "an object", entry))
            return None
        payload = entry["payload"]
        public_key = self._public_key(payload.get("publicKey"), "payload.publicKey")
        shares_data = self._hex(payload.get("sharesData"), "payload.sharesData")
        operator_ids = self._ids(payload.get("operatorIds"), "payload.operatorIds")
        data = entry.get("data")
        if data is not None and not isinstance(data, dict):
            self._findings.append(_malformed(f"{self._where}.data", "an object", data))
        if not isinstance(data, dict):
            data = {}
        missing = [name for name in _DATA_FIELDS if data.get(name) in (None, [])]
        if missing:
            self._findings.append(
                Finding(
                    "payload_only",
                    f"data lacks {', '.join(missing)}",
                    where=f"{self._where}.data",
                    hint="What rests on these fields cannot be checked; give them to the command.",
                    severity="warning",
                )
            )
        owner = self._owner(data.get("ownerAddress"))
        nonce = self._nonce(data.get("ownerNonce"))
        data_public_key = (
            self._public_key(data["publicKey"], "data.publicKey")
            if data.get("publicKey") is not None
            else None
        )
        operators = self._operators(data.get("operators"))
        if public_key is None or shares_data is None or operator_ids is None:
            return None
        return KeyShare(
            public_key=public_key,
            operator_ids=operator_ids,
            shares_data=shares_data,
            owner=owner,
            nonce=nonce,
            data_public_key=data_public_key,
            operators=operators,
            position=position,
        )

    def _hex(self, value: object, name: str, length: int | None = None) -> bytes | None:
        where = f"{self._where}.{name}"
        if not isinstance(value, str):
            self._findings.append(_malformed(where, "a hex text", value))
            return None
        try:
            return parse_hex(value, what=name, length=length)
        except InputError as problem:
            self._findings.append(
                Finding(problem.code, problem.message, where=where, hint=problem.hint)
            )
            return None

    def _public_key(self, value: object, name: str) -> PublicKey | None:
        raw = self._hex(value, name)
        if raw is not None and len(raw) != PUBLIC_KEY_BYTES:
            message = f"a validator key has {PUBLIC_KEY_BYTES} bytes, this has {len(raw)}"
            self._findings.append(Finding("pubkey_length", message, where=f"{self._where}.{name}"))
            return None
        return None if raw is None else PublicKey(raw)

    def _ids(self, value: object, name: str) -> tuple[OperatorId, ...] | None:
        where = f"{self._where}.{name}"
        if not isinstance(value, list):
            self._findings.append(_malformed(where, "a list of numbers", value))
            return None
        bad = [item for item in value if not _is_number(item, MAX_OPERATOR_ID)]
        if bad:
            message = f"{_show(bad[0])} is no operator id"
            self._findings.append(Finding("operator_id_range", message, where=where))
            return None
        return tuple(OperatorId(item) for item in value)

    def _owner(self, value: object) -> Address | None:
        if value is None:
            return None
        where = f"{self._where}.data.ownerAddress"
        if not isinstance(value, str):
            self._findings.append(_malformed(where, "an address", value))
            return None
        try:
            return parse_address(value, strict=False, what="ownerAddress")
        except InputError as problem:
            self._findings.append(Finding(problem.code, problem.message, where=where))
            return None

    def _nonce(self, value: object) -> int | None:
        if value is None:
            return None
        if _is_number(value, MAX_NONCE):
            return value
        message = f"{_show(value)} is no nonce"
        self._findings.append(
            Finding("nonce_range", message, where=f"{self._where}.data.ownerNonce")
        )
        return None

    def _operators(self, value: object) -> tuple[OperatorEntry, ...]:
        where = f"{self._where}.data.operators"
        if value is None:
            return ()
        if not isinstance(value, list):
            self._findings.append(_malformed(where, "a list", value))
            return ()
        entries = []
        for index, item in enumerate(value):
            number = item.get("id") if isinstance(item, dict) else None
            key = item.get("operatorKey") if isinstance(item, dict) else None
            if _is_number(number, MAX_OPERATOR_ID) and isinstance(key, str):
                entries.append(OperatorEntry(OperatorId(number), key))
            else:
                self._findings.append(_malformed(f"{where}[{index}]", "id and operatorKey", item))
        return tuple(entries)


_DATA_FIELDS: Final = ("ownerNonce", "ownerAddress", "publicKey", "operators")


def _is_number(value: object, limit: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit


def _malformed(where: str, expected: str, found: object) -> Finding:
    return Finding("malformed", f"expected {expected}, found {_show(found)}", where=where)


def _show(value: object, limit: int = 40) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"
