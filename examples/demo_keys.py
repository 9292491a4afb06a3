"""The demo's steps without a chain: keys, split, proof, signing together, a damaged file.

Everything is in one folder, made with the commands a staker uses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from examples.demo_show import check, phalanx, say, title
from sdk.crypto import bls, threshold
from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import load_keystore
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.secret import Password
from sdk.shares.keyshares_file import KeyShare, KeysharesFile
from sdk.shares.keyshares_reader import load_keyshares
from sdk.shares.layout import unpack
from sdk.shares.proofs import open_shares
from sdk.types import OperatorId

SIGNING_ROOT = bytes.fromhex("5a" * 32)
OPERATORS = 4
VALIDATORS = 2


def make_keys(folder: Path) -> list[str]:
    """Two validator keystores and four operator keys; public keys of the operators as texts."""
    (folder / "password").write_text("correct horse battery staple\n")
    title(f"A staker makes {VALIDATORS} validator keys")
    new_validator_keys(folder, "validators", count=VALIDATORS)
    title("Four operators make their keys; only the public halves leave them")
    texts = []
    for number in range(1, OPERATORS + 1):
        out = str(keystore_path(folder, OperatorId(number)))
        phalanx("operator-keys", "generate", "--out", out, *password_file(folder), quiet=True)
        shown = json.loads(phalanx("operator-keys", "show", out, "--json", quiet=True))
        say(f"key {number}: {shown['fingerprint']}")
        texts.append(shown["public_key"])
    return texts


def new_validator_keys(folder: Path, name: str, *, count: int, quiet: bool = False) -> None:
    """Keystores in a folder of that name."""
    out = ("--out", str(folder / name), "--count", str(count))
    phalanx("validator-keys", "new", *out, *password_file(folder), quiet=quiet)


def write_operators(folder: Path, keys: dict[OperatorId, str]) -> None:
    """The list of operators as `phalanx` reads it."""
    entries = [{"id": operator, "operatorKey": text} for operator, text in keys.items()]
    (folder / "operators.json").write_text(json.dumps(entries))


def split_and_verify(folder: Path, name: str, *, owner: str, nonce: int) -> KeysharesFile:
    """The keyshares file, and every check of it, with all four operators looking."""
    title("The staker splits the keys: any 3 of the 4 will be able to sign")
    file = split(folder, name, owner=owner, nonce=nonce)
    title("Everyone checks the file before a wei is spent")
    operator_keys = [
        word
        for operator in file.shares[0].operator_ids
        for word in ("--operator-key", f"{operator}={keystore_path(folder, operator)}")
    ]
    expected = expectation(folder, owner=owner, nonce=nonce)
    out = str(keyshares_path(folder, name))
    phalanx("keys", "verify", out, *expected, *operator_keys, *password_file(folder))
    return file


def split(folder: Path, name: str, *, owner: str, nonce: int, quiet: bool = False) -> KeysharesFile:
    """The keyshares file of the keystores in a folder."""
    expected = expectation(folder, owner=owner, nonce=nonce)
    out = keyshares_path(folder, name)
    words = ("--out", str(out), *password_file(folder))
    phalanx("keys", "split", str(folder / name), *expected, *words, quiet=quiet)
    return load_keyshares(out.read_bytes())


def sign_together(folder: Path, name: str, on_chain: KeyShare) -> None:
    """Every group of three signs as the validator; no group of two does.

    Args:
        folder: of the demo.
        name: folder of the validator's keystore.
        on_chain: the validator's entry, with the share data that the registry logged.
    """
    operators = on_chain.operator_ids
    parts = unpack(on_chain.shares_data, operators=len(operators))
    title("Each operator decrypts its own share out of the log and signs alone")
    partials = {}
    for operator in operators:
        opened = open_shares(on_chain, {operator: operator_key(folder, operator)})
        partials[operator] = bls.sign(opened[operator], SIGNING_ROOT)
        say(f"operator {operator}: partial signature 0x{partials[operator][:8].hex()}…")
    whole = validator_signature(folder, name, on_chain.public_key)

    title("Any three partial signatures are the validator's signature")
    for chosen in combinations(operators, 3):
        signature = threshold.recover_signature({each: partials[each] for each in chosen})
        check(signature == whole, f"operators {chosen} did not recover the signature")
        say(f"operators {chosen}: 0x{signature[:8].hex()}… the validator's own, byte for byte")

    title("Two operators together (t - 1) cannot sign")
    for pair in combinations(operators, 2):
        forged = threshold.recover_signature({each: partials[each] for each in pair})
        is_valid = bls.verify(on_chain.public_key, SIGNING_ROOT, forged)
        check(not is_valid, f"{pair} forged a signature")
        say(f"operators {pair}: 0x{forged[:8].hex()}… does not verify")

    title("An operator that sends a bad partial signature is named, and the rest sign")
    liar = operators[1]
    plain = open_shares(on_chain, {liar: operator_key(folder, liar)})[liar]
    combined = threshold.combine(
        partials | {liar: bls.sign(plain, b"another message")},
        dict(zip(operators, parts.share_public_keys, strict=True)),
        validator_key=on_chain.public_key,
        message=SIGNING_ROOT,
        threshold=3,
    )
    check(combined.signature == whole, "the honest three did not sign")
    check(combined.culprits == {liar}, f"the culprit is {liar}, named were {combined.culprits}")
    say(f"culprit: operator {liar}; signature made without it")


def refuse_damage(folder: Path, name: str) -> None:
    """The registry takes such a file and charges for it, but its validator could never sign."""
    title("A damaged file is refused: the share keys of two operators are exchanged")
    document = json.loads(keyshares_path(folder, name).read_bytes())
    data = document["shares"][0]["payload"]["sharesData"]
    first, second = data[2 + 192 : 2 + 288], data[2 + 288 : 2 + 384]
    document["shares"][0]["payload"]["sharesData"] = data.replace(first + second, second + first)
    damaged = folder / "damaged.json"
    damaged.write_text(json.dumps(document))
    phalanx("keys", "verify", str(damaged), wanted=3)


def operator_key(folder: Path, operator: OperatorId) -> OperatorPrivateKey:
    """The operator's private key out of its keystore."""
    keystore = parse_operator_keystore(keystore_path(folder, operator).read_bytes())
    return decrypt_operator_key(keystore, password(folder))


def validator_signature(folder: Path, name: str, public_key: bytes) -> bytes:
    """What the whole key signs; on a live network nobody ever computes this."""
    for path in (folder / name).glob("keystore-*.json"):
        opened = decrypt(load_keystore(path), password(folder))
        if bls.public_key(opened.secret) == public_key:
            return bls.sign(opened.secret, SIGNING_ROOT)
    raise FileNotFoundError(f"no keystore of 0x{public_key.hex()}")


def expectation(folder: Path, *, owner: str, nonce: int) -> Sequence[str]:
    """For whom a file is, as options."""
    operators = str(folder / "operators.json")
    return ("--operators", operators, "--owner", owner, "--nonce", str(nonce))


def keystore_path(folder: Path, operator: OperatorId) -> Path:
    """Where an operator's key is."""
    return folder / f"operator-{operator}.json"


def keyshares_path(folder: Path, name: str) -> Path:
    """Where the keyshares of a folder of keystores are."""
    return folder / f"{name}-keyshares.json"


def password_file(folder: Path) -> Sequence[str]:
    """The demo's only password, as options."""
    return ("--password-file", str(folder / "password"))


def password(folder: Path) -> Password:
    """The demo's only password."""
    return Password((folder / "password").read_bytes().strip())
