"""What users hand to commands, turned into checked values: addresses, operators, key files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from sdk.cli.passwords import PasswordSource
from sdk.crypto.operator_keys import OperatorPrivateKey, OperatorPublicKey, parse_public_key
from sdk.crypto.operator_keystore import (
    OPERATOR_KEYSTORE_MAX_BYTES,
    decrypt_operator_key,
    parse_operator_keystore,
)
from sdk.errors import InputError, UsageError
from sdk.files import read_bounded
from sdk.json_documents import read_json
from sdk.shares.keyshares_file import KeysharesFile
from sdk.shares.keyshares_reader import (
    FILE_MAX_BYTES,
    Reading,
    load_keyshares,
    read_keyshares,
)
from sdk.shares.split import Operator
from sdk.types import MAX_OPERATOR_ID, Address, OperatorId, keccak256, parse_address

OPERATORS_MAX_BYTES: Final = 4 * 1024 * 1024
"""About 5,000 operators of 0.7 kB."""
_KEY_FIELDS: Final = ("operatorKey", "operator_key", "public_key", "publicKey")

_DIGITS: Final = re.compile(r"[0-9]{1,20}")

path_type = click.Path(path_type=Path)


class AddressType(click.ParamType[Address]):
    """An account address; mixed case must be its EIP-55 form."""

    name = "address"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Address:
        if isinstance(value, bytes):
            return Address(value)
        option = parameter.opts[0] if parameter is not None else "address"
        return parse_address(value, what=option)


def read_operators(path: Path) -> dict[OperatorId, OperatorPublicKey]:
    """Operators from a JSON list of objects with `id` and a public key.

    Accepts the names key tools and ceremonies use for the key: operatorKey, public_key, publicKey.

    Raises:
        InputError: `operators_malformed`, `operator_ids_not_unique`, `operator_key_malformed`.
    """
    entries = read_json(
        read_bounded(path, limit_bytes=OPERATORS_MAX_BYTES),
        list[dict[str, Any]],
        source=str(path),
        limit_bytes=OPERATORS_MAX_BYTES,
        code="operators_malformed",
    )
    operators: dict[OperatorId, OperatorPublicKey] = {}
    for index, entry in enumerate(entries):
        where = f"{path}: [{index}]"
        key = next((entry[name] for name in _KEY_FIELDS if name in entry), None)
        if not isinstance(key, str):
            raise InputError(
                f"{where} has no public key",
                code="operators_malformed",
                hint='Each entry is {"id": 1, "operatorKey": "LS0t..."}.',
            )
        _add(operators, _operator_id(entry.get("id"), where), key, where)
    return operators


def operators_document(keys: Mapping[int, str]) -> bytes:
    """The operators' public keys by id, as `read_operators` reads them."""
    entries = [{"id": operator, "operatorKey": key} for operator, key in keys.items()]
    return json.dumps(entries, indent=2).encode() + b"\n"


def operators_from_lists(ids: str, keys: str) -> dict[OperatorId, OperatorPublicKey]:
    """Operators from `1,2,3,4` and as many comma-separated public keys.

    Raises:
        UsageError: the two lists differ in length.
        InputError: as `read_operators`.
    """
    numbers, texts = ids.split(","), keys.split(",")
    if len(numbers) != len(texts):
        raise UsageError(f"{len(numbers)} operator ids but {len(texts)} operator keys")
    operators: dict[OperatorId, OperatorPublicKey] = {}
    for number, text in zip(numbers, texts, strict=True):
        where = f"operator {number.strip()[:24]}"
        _add(operators, _operator_id(whole_number(number) or number, where), text.strip(), where)
    return operators


def choose_operators(
    known: Mapping[OperatorId, OperatorPublicKey], ids: str | None
) -> list[Operator]:
    """All known operators, or those whose ids are listed as `1,2,3,4`.

    Raises:
        InputError: `operator_unknown`.
    """
    if ids is None:
        return [Operator(operator, key) for operator, key in known.items()]
    chosen = [_operator_id(whole_number(text) or text, "ids") for text in ids.split(",")]
    for operator in chosen:
        if operator not in known:
            raise InputError(
                f"operator {operator} is not among the given ones "
                f"({', '.join(map(str, sorted(known)))})",
                code="operator_unknown",
            )
    return [Operator(operator, known[operator]) for operator in chosen]


def operators_digest(operators: Sequence[Operator]) -> str:
    """Short hash of a set of operators, to compare an offline machine with an online one."""
    rows = [[o.id, o.public_key.text] for o in sorted(operators, key=lambda each: each.id)]
    return keccak256(json.dumps(rows, separators=(",", ":")).encode()).hex()[:16]


def read_keyshares_file(path: Path) -> Reading:
    """The keyshares in a file, with findings about its form."""
    return read_keyshares(read_bounded(path, limit_bytes=FILE_MAX_BYTES), source=str(path))


def load_keyshares_file(path: Path) -> KeysharesFile:
    """The keyshares in a file whose form must be right; see `load_keyshares`."""
    return load_keyshares(read_bounded(path, limit_bytes=FILE_MAX_BYTES), source=str(path))


def load_operator_key(path: Path, password: PasswordSource) -> OperatorPrivateKey:
    """An operator's private key from an encrypted keystore, a PEM file or base64 of a PEM.

    A password is asked for only if the file is a keystore.
    """
    data = read_bounded(path, limit_bytes=OPERATOR_KEYSTORE_MAX_BYTES)
    if not data.lstrip().startswith(b"{"):
        try:
            return OperatorPrivateKey.from_text(data)
        except InputError as problem:
            raise InputError(
                f"{path}: {problem.message}", code=problem.code, hint=problem.hint
            ) from None
    keystore = parse_operator_keystore(data, source=str(path))
    return decrypt_operator_key(keystore, password.read(f"operator key {path.name}"))


def whole_number(text: str) -> int | None:
    """The number that up to 20 decimal digits say (2**64 has 20), None for any other text."""
    return int(text) if _DIGITS.fullmatch(text.strip()) else None


def _operator_id(value: object, where: str) -> OperatorId:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_OPERATOR_ID:
        return OperatorId(value)
    found = repr(value[:24]) if isinstance(value, str) else f"a {type(value).__name__}"
    if isinstance(value, int):
        found = str(value)[:24]
    raise InputError(
        f"{where}: {found} is no operator id",
        code="operator_id_range",
        hint=f"Operator ids are whole numbers from 1 to {MAX_OPERATOR_ID}.",
    )


def _add(
    operators: dict[OperatorId, OperatorPublicKey], operator: OperatorId, key: str, where: str
) -> None:
    if operator in operators:
        raise InputError(f"{where}: operator {operator} twice", code="operator_ids_not_unique")
    try:
        operators[operator] = parse_public_key(key)
    except InputError as problem:
        raise InputError(
            f"{where}: {problem.message}", code=problem.code, hint=problem.hint
        ) from None
