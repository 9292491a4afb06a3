"""`phalanx operator-keys`: both formats, every command, nothing revealed."""

from __future__ import annotations

import json
import stat

import pytest

from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.secret import Password
from sdk.testing.keys import operator_key
from tests.unit.sdk.cli.running import NEW_PASSWORD, Phalanx, Stake

PUBLIC = operator_key(1).public_key


def test_generated_keystore_opens_to_the_key_that_was_shown(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx(
        *("operator-keys", "generate", "--out", stake.out, "--json"),
        *("--password-file", stake.folder / "new-password"),
    )
    assert ran.code == 0, ran.err
    assert stat.S_IMODE(stake.out.stat().st_mode) == 0o600
    key = decrypt_operator_key(
        parse_operator_keystore(stake.out.read_bytes()), Password.from_text(NEW_PASSWORD)
    )
    assert ran.json() == {
        "public_key": key.public_key.text,
        "fingerprint": key.public_key.fingerprint,
        "written": str(stake.out),
    }
    assert not {key.reveal_base64(), key.reveal_pem().decode()} & {ran.out, ran.err}
    again = phalanx("operator-keys", "generate", "--out", stake.out, "--json")
    assert (again.code, again.error()["code"]) == (2, "file_exists")


def test_generated_base64_needs_no_password_and_is_private(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx("operator-keys", "generate", "--out", stake.out, "--format", "base64")
    assert ran.code == 0, ran.err
    assert stat.S_IMODE(stake.out.stat().st_mode) == 0o600
    key = OperatorPrivateKey.from_text(stake.out.read_bytes())
    assert key.public_key.text in ran.out
    assert stake.out.read_text().strip() not in ran.out + ran.err
    assert "verify-backup" in ran.out


@pytest.mark.parametrize("kind", ["keystore", "base64"])
def test_dry_run_generates_nothing(phalanx: Phalanx, stake: Stake, kind: str) -> None:
    before = stake.names()
    words = ("operator-keys", "generate", "--out", stake.out, "--format", kind, "--dry-run")
    assert phalanx(*words, "--json").json()["written"] is None
    assert "dry run" in phalanx(*words).out
    assert stake.names() == before


def test_public_key_is_shown_from_every_kind_of_file_without_a_password(
    phalanx: Phalanx, stake: Stake
) -> None:
    public = stake.folder / "public.txt"
    public.write_text(PUBLIC.text)
    for path in (stake.operator_key(1), stake.plain_operator_key(1), public):
        ran = phalanx("operator-keys", "show", path, "--json")
        assert ran.code == 0, ran.err
        shown = ran.json()
        assert shown["public_key"] == PUBLIC.text
        assert shown["fingerprint"] == PUBLIC.fingerprint
        assert PUBLIC.text in phalanx("operator-keys", "show", path).out


def test_keystore_that_does_not_name_its_key_says_how_to_get_one_that_does(
    phalanx: Phalanx, stake: Stake
) -> None:
    document = json.loads(stake.operator_key(1).read_bytes())
    del document["pubkey"]
    stake.operator_key(1).write_text(json.dumps(document))
    ran = phalanx("operator-keys", "show", stake.operator_key(1), "--json")
    assert (ran.code, ran.error()["code"]) == (3, "public_key_missing")
    assert "operator-keys convert" in ran.error()["hint"]


@pytest.mark.parametrize("content", [b"", b"rubbish", b"{", b"\xff" * 100, b"x" * 100_000])
def test_file_that_holds_no_key_is_named(phalanx: Phalanx, stake: Stake, content: bytes) -> None:
    stake.operator_key(1).write_bytes(content)
    ran = phalanx("operator-keys", "show", stake.operator_key(1), "--json")
    assert ran.code == 3
    assert str(stake.operator_key(1)) in ran.error()["message"]


def test_keystore_becomes_base64_and_back_under_a_new_password(
    phalanx: Phalanx, stake: Stake
) -> None:
    plain, boxed = stake.folder / "plain", stake.folder / "boxed"
    ran = phalanx(
        *("operator-keys", "convert", stake.operator_key(1), "--out", plain),
        *("--format", "base64", "--password-file", stake.folder / "operator-password"),
    )
    assert ran.code == 0, ran.err
    assert plain.read_text() == operator_key(1).reveal_base64() + "\n"
    ran = phalanx(
        *("operator-keys", "convert", plain, "--out", boxed, "--json"),
        *("--new-password-file", stake.folder / "new-password"),
    )
    assert ran.json()["public_key"] == PUBLIC.text
    keystore = parse_operator_keystore(boxed.read_bytes())
    opened = decrypt_operator_key(keystore, Password.from_text(NEW_PASSWORD))
    assert opened.public_key == PUBLIC
    assert {stat.S_IMODE(path.stat().st_mode) for path in (plain, boxed)} == {0o600}


def test_dry_run_converts_nothing_but_opens_the_key(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    words = ("operator-keys", "convert", stake.operator_key(1), "--out", stake.out, "--dry-run")
    right = phalanx(*words, "--password-file", stake.folder / "operator-password", "--json")
    assert right.json()["written"] is None
    wrong = phalanx(*words, "--password-file", stake.password, "--json")
    assert (wrong.code, wrong.error()["code"]) == (3, "keystore_password")
    assert stake.names() == before


@pytest.mark.parametrize("as_file", [True, False])
def test_good_backup_proves_itself_and_decrypts_every_share(
    phalanx: Phalanx, stake: Stake, as_file: bool
) -> None:
    public = stake.folder / "public.txt"
    public.write_text(PUBLIC.text)
    ran = phalanx(
        *("operator-keys", "verify-backup", stake.operator_key(1), "--json"),
        *("--public-key", public if as_file else PUBLIC.text),
        *("--keyshares", stake.keyshares, "--operator-id", 1),
        *("--password-file", stake.folder / "operator-password"),
    )
    assert ran.code == 0, ran.err
    assert ran.json() == {
        "proved": True,
        "fingerprint": PUBLIC.fingerprint,
        "shares_decrypted": 2,
    }


def test_base64_backup_proves_itself_without_a_password(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx(
        "operator-keys", "verify-backup", stake.plain_operator_key(1), "--public-key", PUBLIC.text
    )
    assert ran.code == 0
    assert f"is a good backup of key {PUBLIC.fingerprint}" in ran.out


@pytest.mark.parametrize(
    ("number", "more", "code", "word"),
    [
        (2, (), 3, "operator_key_mismatch"),
        (1, ("--operator-id", 1), 2, "usage"),
        (1, ("--keyshares", "{file}"), 2, "usage"),
        (1, ("--keyshares", "{file}", "--operator-id", 9), 3, "operator_unknown"),
        (1, ("--keyshares", "{file}", "--operator-id", 2), 3, "share_undecryptable"),
        (1, ("--keyshares", "nowhere", "--operator-id", 1), 3, "file_unreadable"),
        (1, ("--public-key", "rubbish"), 3, "operator_key_malformed"),
    ],
)
def test_backup_that_proves_nothing_is_refused(
    phalanx: Phalanx, stake: Stake, number: int, more: tuple[object, ...], code: int, word: str
) -> None:
    ran = phalanx(
        *("operator-keys", "verify-backup", stake.plain_operator_key(number)),
        *("--public-key", PUBLIC.text, "--json"),
        *(str(item).replace("{file}", str(stake.keyshares)) for item in more),
    )
    assert (ran.code, ran.out) == (code, "")
    assert ran.error()["code"] == word
    if word == "share_undecryptable":
        assert f"{stake.keyshares}: validator 0x" in ran.error()["message"]
