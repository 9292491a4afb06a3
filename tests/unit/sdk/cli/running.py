"""Runs the console command as its process would, and looks for secrets in all it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sdk.cli.main import main
from sdk.crypto.operator_keystore import encrypt_operator_key
from sdk.crypto.secret import Password
from sdk.shares.proofs import open_shares
from sdk.testing.keys import (
    CHEAP_KDF,
    KEYSTORE_PASSWORD,
    key_share,
    keyshares,
    keystore,
    operator_key,
    private_keys,
    validator_secret,
)

OWNER_TEXT = "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494"
PASSWORD_TEXT = KEYSTORE_PASSWORD.reveal().decode()
OPERATOR_PASSWORD = "operator's throwaway"
NEW_PASSWORD = "brand-new throwaway"
SHARE_SECRETS = [
    secret.to_bytes().hex() for secret in open_shares(key_share(1), private_keys()).values()
]
"""Of `key_share(1)`: the builders draw the same polynomial each time."""
SECRETS = [
    PASSWORD_TEXT,
    OPERATOR_PASSWORD,
    NEW_PASSWORD,
    *(validator_secret(number).to_bytes().hex() for number in range(1, 5)),
    *SHARE_SECRETS,
    *(operator_key(number).reveal_base64()[100:200] for number in range(1, 5)),
    *(operator_key(number).reveal_pem().decode().splitlines()[5] for number in range(1, 5)),
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What the process would have left."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    def error(self) -> dict[str, Any]:
        """The last JSON line on stderr, which is the error of a failed `--json` run."""
        lines = [json.loads(line) for line in self.err.splitlines()]
        assert lines[-1]["event"] == "error"
        last: dict[str, Any] = lines[-1]
        return last


class Phalanx:
    """Callable: runs `phalanx` with these words in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> Ran:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = self._capsys.readouterr()
        for secret in SECRETS:
            assert secret not in said.out
            assert secret not in said.err
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, said.out, said.err)


@dataclass(frozen=True, slots=True)
class Stake:
    """A folder with what a staker and four operators have."""

    folder: Path

    @property
    def keystores(self) -> Path:
        return self.folder / "keystores"

    @property
    def operators(self) -> Path:
        return self.folder / "operators.json"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def keyshares(self) -> Path:
        """Validator 1 for operators 1 to 4 at nonce 0, and validator 2 at nonce 1."""
        return self.folder / "made.json"

    @property
    def out(self) -> Path:
        return self.folder / "out.json"

    def operator_key(self, number: int) -> Path:
        """An operator's keystore; its password is in `operator-password`."""
        return self.folder / f"operator-{number}.json"

    def plain_operator_key(self, number: int) -> Path:
        """The same key as base64, unprotected."""
        return self.folder / f"operator-{number}.txt"

    def split(self, *more: object, nonce: int = 0) -> tuple[object, ...]:
        """The words of a complete `keys split`, password included."""
        return (
            *("keys", "split", self.keystores, "--owner", OWNER_TEXT, "--nonce", nonce),
            *("--operators", self.operators, "--out", self.out),
            *("--password-file", self.password, *more),
        )

    def names(self) -> set[str]:
        """Every file below the folder."""
        return {
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        }


def make_stake(folder: Path, *, validators: int = 3) -> Stake:
    """Writes the files of a `Stake`."""
    stake = Stake(folder)
    stake.keystores.mkdir()
    for number in range(1, validators + 1):
        (stake.keystores / f"keystore-{number}.json").write_bytes(keystore(number))
    stake.password.write_text(PASSWORD_TEXT + "\n")
    (folder / "operator-password").write_text(OPERATOR_PASSWORD + "\n")
    (folder / "new-password").write_text(NEW_PASSWORD)
    password = Password.from_text(OPERATOR_PASSWORD)
    entries = []
    for number in range(1, 5):
        key = operator_key(number)
        entries.append({"id": number, "operatorKey": key.public_key.text})
        data = encrypt_operator_key(key, password, kdf=CHEAP_KDF)
        stake.operator_key(number).write_bytes(data)
        stake.plain_operator_key(number).write_text(key.reveal_base64())
    stake.operators.write_text(json.dumps(entries))
    stake.keyshares.write_bytes(keyshares(key_share(1), key_share(2, nonce=1)))
    return stake
