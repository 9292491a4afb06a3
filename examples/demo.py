"""What the project can do so far, with real parts: `make demo`.

Makes a validator key and four operators, splits the key, proves the file, lets any three operators
sign, and shows that two cannot and that a damaged file is refused. Everything happens in a
temporary folder, with the same commands a staker uses.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

from sdk.crypto import bls, threshold
from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import load_keystore
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.secret import Password, SecretKey
from sdk.shares.keyshares_reader import load_keyshares
from sdk.shares.layout import unpack
from sdk.shares.proofs import open_shares
from sdk.types import OperatorId

OWNER = "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494"
SIGNING_ROOT = bytes.fromhex("5a" * 32)
OPERATORS = [OperatorId(number) for number in (1, 2, 3, 4)]


class DemoFailed(Exception):
    """A step did not do what it should."""


def main() -> int:
    """Runs every step; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="phalanx-demo-") as name, contextlib.chdir(name):
        folder = Path()
        (folder / "password").write_text("correct horse battery staple\n")
        try:
            make_keys(folder)
            split_and_verify(folder)
            sign_together(folder)
            refuse_damage(folder)
        except DemoFailed as problem:
            print(f"\ndemo FAILED: {problem}")
            return 1
    print("\ndemo: all steps did what they should. Nothing was left on disk.")
    print("Not shown yet: registry, nodes, indexer. They come next; see docs/architecture.md.")
    return 0


def make_keys(folder: Path) -> None:
    """A validator keystore and four operator keys."""
    title("A staker makes a validator key")
    password = ("--password-file", str(folder / "password"))
    phalanx("validator-keys", "new", "--out", str(folder / "validator"), *password)
    title("Four operators make their keys; only the public halves leave them")
    entries = []
    for operator in OPERATORS:
        out = folder / f"operator-{operator}.json"
        phalanx("operator-keys", "generate", "--out", str(out), *password, quiet=True)
        shown = json.loads(phalanx("operator-keys", "show", str(out), "--json", quiet=True))
        print(f"  operator {operator}: key {shown['fingerprint']}")
        entries.append({"id": operator, "operatorKey": shown["public_key"]})
    (folder / "operators.json").write_text(json.dumps(entries))


def split_and_verify(folder: Path) -> None:
    """The keyshares file, and every check of it, with all four operators looking."""
    title("The staker splits the key: any 3 of the 4 will be able to sign")
    common = ("--operators", str(folder / "operators.json"), "--owner", OWNER, "--nonce", "0")
    password = ("--password-file", str(folder / "password"))
    out = folder / "keyshares.json"
    phalanx("keys", "split", str(folder / "validator"), *common, *password, "--out", str(out))
    title("Everyone checks the file before a wei is spent")
    operator_keys = [
        word
        for operator in OPERATORS
        for word in ("--operator-key", f"{operator}=operator-{operator}.json")
    ]
    phalanx("keys", "verify", str(out), *common, *operator_keys, *password)


def sign_together(folder: Path) -> None:
    """Every group of three signs as the validator; no group of two does."""
    (share,) = load_keyshares((folder / "keyshares.json").read_bytes()).shares
    parts = unpack(share.shares_data, operators=len(OPERATORS))
    share_keys = dict(zip(OPERATORS, parts.share_public_keys, strict=True))
    title("Each operator decrypts its own share and signs alone")
    partials = {}
    for operator in OPERATORS:
        key = operator_key(folder, operator)
        partials[operator] = bls.sign(open_shares(share, {operator: key})[operator], SIGNING_ROOT)
        print(f"  operator {operator}: partial signature 0x{partials[operator][:8].hex()}…")
    whole = validator_signature(folder)

    title("Any three partial signatures are the validator's signature")
    for chosen in combinations(OPERATORS, 3):
        signature = threshold.recover_signature({each: partials[each] for each in chosen})
        check(signature == whole, f"operators {chosen} did not recover the signature")
        print(f"  operators {chosen}: 0x{signature[:8].hex()}… the validator's own, byte for byte")

    title("Two operators together (t - 1) cannot sign")
    for pair in combinations(OPERATORS, 2):
        forged = threshold.recover_signature({each: partials[each] for each in pair})
        check(not bls.verify(share.public_key, SIGNING_ROOT, forged), f"{pair} forged a signature")
        print(f"  operators {pair}: 0x{forged[:8].hex()}… does not verify")

    title("An operator that sends a bad partial signature is named, and the rest sign")
    liar = OPERATORS[1]
    sent = partials | {liar: bls.sign(plain_share(folder, liar), b"another message")}
    combined = threshold.combine(
        sent, share_keys, validator_key=share.public_key, message=SIGNING_ROOT, threshold=3
    )
    check(combined.signature == whole, "the honest three did not sign")
    check(combined.culprits == {liar}, f"the culprit is {liar}, named were {combined.culprits}")
    print(f"  culprit: operator {liar}; signature made without it")


def refuse_damage(folder: Path) -> None:
    """The registry takes such a file and charges for it, but its validator could never sign."""
    title("A damaged file is refused: the share keys of two operators are exchanged")
    document = json.loads((folder / "keyshares.json").read_bytes())
    data = document["shares"][0]["payload"]["sharesData"]
    first, second = data[2 + 192 : 2 + 288], data[2 + 288 : 2 + 384]
    document["shares"][0]["payload"]["sharesData"] = data.replace(first + second, second + first)
    damaged = folder / "damaged.json"
    damaged.write_text(json.dumps(document))
    phalanx("keys", "verify", str(damaged), wanted=3)


def operator_key(folder: Path, operator: OperatorId) -> OperatorPrivateKey:
    """The operator's private key out of its keystore."""
    data = (folder / f"operator-{operator}.json").read_bytes()
    return decrypt_operator_key(parse_operator_keystore(data), password(folder))


def plain_share(folder: Path, operator: OperatorId) -> SecretKey:
    """The plain share of one operator."""
    (share,) = load_keyshares((folder / "keyshares.json").read_bytes()).shares
    return open_shares(share, {operator: operator_key(folder, operator)})[operator]


def validator_signature(folder: Path) -> bytes:
    """What the whole key signs; on a live network nobody ever computes this."""
    (path,) = (folder / "validator").glob("keystore-*.json")
    return bls.sign(decrypt(load_keystore(path), password(folder)).secret, SIGNING_ROOT)


def password(folder: Path) -> Password:
    """The demo's only password."""
    return Password((folder / "password").read_bytes().strip())


def phalanx(*words: str, quiet: bool = False, wanted: int = 0) -> str:
    """Runs the console command, shows it, and fails the demo on another exit code."""
    if not quiet:
        print(f"  $ phalanx {' '.join(words)}", flush=True)
    answer = subprocess.run(
        [sys.executable, "-m", "sdk.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    said = answer.stderr + answer.stdout
    if not quiet:
        for line in said.splitlines():
            print(f"    {line}")
    check(answer.returncode == wanted, f"exit code {answer.returncode}, wanted {wanted}:\n{said}")
    return answer.stdout


def title(text: str) -> None:
    """Says what comes next."""
    print(f"\n==> {text}", flush=True)


def check(is_right: bool, problem: str) -> None:
    """Fails the demo with `problem` unless `is_right`."""
    if not is_right:
        raise DemoFailed(problem)


if __name__ == "__main__":
    sys.exit(main())
