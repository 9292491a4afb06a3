"""Files made by ssv-keys, with the keys to open them; layout in docs/vectors.md.

Shares and ciphertexts are random, so they are compared by meaning: they decrypt, match their
public keys and recombine. The nonce signature is deterministic and compared byte for byte.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sdk import committee
from sdk.crypto import threshold
from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import load_keystore
from sdk.crypto.operator_keys import (
    OperatorPrivateKey,
    OperatorPublicKey,
    parse_public_key,
)
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.password_box import PasswordForm
from sdk.crypto.secret import Password, SecretKey
from sdk.errors import KeysharesError
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare, write_keyshares
from sdk.shares.keyshares_reader import load_keyshares, read_keyshares
from sdk.shares.proofs import open_shares
from sdk.shares.split import Operator, split_key
from sdk.shares.verify import is_sound, verify_keyshares
from sdk.types import OperatorId, parse_address
from tests.vectors.case import Case, attempt, expect


@dataclass(frozen=True, slots=True)
class Keys:
    """All operators of the set."""

    public: dict[OperatorId, OperatorPublicKey]
    private: dict[OperatorId, OperatorPrivateKey]


def run(folder: Path) -> Iterator[Case]:
    """Every operator keystore, every case, every negative file."""
    entries = json.loads((folder / "operators" / "operators.json").read_bytes())
    keys = Keys(
        {OperatorId(entry["id"]): parse_public_key(entry["operatorKey"]) for entry in entries},
        {
            OperatorId(entry["id"]): OperatorPrivateKey.from_text(entry["private_key_base64"])
            for entry in entries
        },
    )
    for operator, key in keys.private.items():
        check = partial(_operator_keystore, folder / "operators", operator, key)
        yield attempt(f"operators/{operator}", check)
    for path in sorted(folder.glob("*/case.json")):
        yield attempt(path.parent.name, partial(_case, path.parent, keys))
    negative = folder / "negative"
    if negative.is_dir():
        for entry in json.loads((negative / "index.json").read_bytes()):
            check = partial(_negative, negative / entry["file"], entry["expect"], keys)
            yield attempt(f"negative/{entry['file']}", check)


def _operator_keystore(folder: Path, operator: OperatorId, key: OperatorPrivateKey) -> None:
    data = (folder / f"{operator}.encrypted_private_key.json").read_bytes()
    password = Password((folder / f"{operator}.password").read_bytes())
    opened = decrypt_operator_key(parse_operator_keystore(data), password)
    expect(opened.public_key, key.public_key, "public key of the keystore")
    pem = (folder / f"{operator}.private.pem").read_bytes()
    expect(OperatorPrivateKey.from_text(pem).public_key, key.public_key, "public key of the PEM")


def _case(folder: Path, keys: Keys) -> None:
    case = json.loads((folder / "case.json").read_bytes())
    data = (folder / "expected-keyshares.json").read_bytes()
    reading = read_keyshares(data)
    expected = Expected(
        owner=parse_address(case["owner"], strict=False),
        nonce=case["first_nonce"],
        operators=keys.public,
        private_keys=keys.private,
    )
    findings = verify_keyshares(reading, expected)
    expect([f for f in findings if f.severity == "error"], [], "findings")
    file = load_keyshares(data)
    expect(len(file.shares), len(case["validators"]), "validators")
    expect(load_keyshares(write_keyshares(file)), file, "the file written and read again")
    password = Password((folder / "password.txt").read_bytes())
    for validator, share in zip(case["validators"], file.shares, strict=True):
        secret = _keystore(folder, validator, password)
        expect(list(share.operator_ids), case["operator_ids"], "operators")
        expect(share.nonce, validator["nonce"], "nonce")
        _shares(share, secret, case["threshold"], keys)
        _own_split(share, secret, case, keys)


def _keystore(folder: Path, validator: dict[str, Any], password: Password) -> SecretKey:
    decrypted = decrypt(load_keystore(folder / validator["file"]), password)
    expect(f"0x{decrypted.public_key.hex()}", validator["pubkey"], "public key")
    secret = SecretKey(int(validator["secret"], 16))
    expect(decrypted.secret == secret, True, "the keystore's secret is right")
    expect(decrypted.form, PasswordForm.STANDARD, "form of the password")
    return secret


def _shares(share: KeyShare, secret: SecretKey, needed: int, keys: Keys) -> None:
    expect(committee.threshold_of(len(share.operator_ids)), needed, "threshold")
    opened = open_shares(share, keys.private)
    for chosen in (share.operator_ids[:needed], share.operator_ids[-needed:]):
        some = {operator: opened[operator] for operator in chosen}
        expect(threshold.recover_secret(some) == secret, True, f"shares {chosen} recover the key")
        some.popitem()
        expect(threshold.recover_secret(some) == secret, False, "t - 1 shares recover the key")


def _own_split(share: KeyShare, secret: SecretKey, case: dict[str, Any], keys: Keys) -> None:
    """Our own split of the same key has the same signature, and is sound."""
    rng = random.Random(case["name"])
    made = split_key(
        secret,
        [
            Operator(OperatorId(i), keys.public[OperatorId(i)])
            for i in case["operator_ids_as_given"]
        ],
        owner=parse_address(case["owner"], strict=False),
        nonce=share.nonce or 0,
        random_below=rng.randrange,
    )
    expect(made.shares_data[:96], share.shares_data[:96], "nonce signature")
    expect(made.operator_ids, share.operator_ids, "operators of our own split")
    _shares(made, secret, case["threshold"], keys)


def _negative(path: Path, wanted: str, keys: Keys) -> None:
    expected = Expected(operators=keys.public, private_keys=keys.private)
    try:
        findings = verify_keyshares(read_keyshares(path.read_bytes()), expected)
    except KeysharesError as problem:
        expect(problem.code, wanted, "code")
        return
    codes = {finding.code for finding in findings if finding.severity == "error"}
    if wanted == "ok":
        expect(codes, set(), "findings")
    else:
        expect(wanted in codes and not is_sound(findings), True, f"{wanted} is among {codes}")
