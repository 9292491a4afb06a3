"""`phalanx keys verify`, `inspect` and `decrypt-share`."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import load_keystore
from sdk.crypto.secret import Password
from sdk.shares.layout import unpack
from sdk.shares.proofs import open_shares
from sdk.testing.keys import key_share, keyshares, operator_key, private_keys
from sdk.types import OperatorId
from tests.unit.sdk.cli.running import NEW_PASSWORD, OWNER_TEXT, Phalanx, Stake


def change(path: Path, *place: str | int, to: object) -> None:
    document = json.loads(path.read_bytes())
    inner: Any = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = to
    path.write_text(json.dumps(document))


def test_sound_file_with_everything_known_leaves_nothing_unchecked(
    phalanx: Phalanx, stake: Stake
) -> None:
    keys = [
        word for n in (1, 2, 3, 4) for word in ("--operator-key", f"{n}={stake.operator_key(n)}")
    ]
    ran = phalanx(
        *("keys", "verify", stake.keyshares, "--owner", OWNER_TEXT, "--nonce", 0, *keys),
        *("--operators", stake.operators, "--json"),
        *("--password-file", stake.folder / "operator-password"),
    )
    assert ran.code == 0, ran.err
    assert ran.json() == {
        "sound": True,
        "complete": True,
        "validators": 2,
        "findings": [],
        "not_checked": [],
    }


def test_what_was_not_checked_is_said(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx("keys", "verify", stake.keyshares)
    assert ran.code == 0
    assert "is sound. 2 validators." in ran.out
    unchecked = [line for line in ran.out.splitlines() if line.startswith("not checked: ")]
    assert [line.split("(")[-1] for line in unchecked] == [
        "--owner)",
        "--nonce)",
        "--operators)",
        "only they can tell)",
    ]
    assert "operators 1, 2, 3, 4" in unchecked[3]


def test_unsound_file_exits_with_3_and_names_every_finding(phalanx: Phalanx, stake: Stake) -> None:
    change(stake.keyshares, "shares", 1, "data", "ownerNonce", to=2)
    ran = phalanx("keys", "verify", stake.keyshares, "--nonce", 5)
    assert ran.code == 3
    assert "NOT sound: do not register it" in ran.out
    assert ran.out.count("error nonce_mismatch  shares[") == 2
    assert "error nonce_signature_invalid  shares[1].payload.sharesData" in ran.out
    assert "warning nonces_not_consecutive" in ran.out
    asked = phalanx("keys", "verify", stake.keyshares, "--json")
    assert asked.code == 3
    assert asked.json()["sound"] is False
    assert {f["code"]: f["severity"] for f in asked.json()["findings"]} == {
        "nonces_not_consecutive": "warning",
        "nonce_signature_invalid": "error",
    }


def test_missing_owner_or_nonce_means_the_signature_was_not_checked(
    phalanx: Phalanx, stake: Stake
) -> None:
    change(stake.keyshares, "shares", 0, "data", to=None)
    words = ("keys", "verify", stake.keyshares, "--json")
    for more in ((), ("--owner", OWNER_TEXT), ("--nonce", 0)):
        result = phalanx(*words, *more).json()
        assert (result["sound"], result["complete"]) == (True, False)
        assert [f["code"] for f in result["findings"]] == ["payload_only"]
        assert result["not_checked"][0].startswith("the nonce signature of 1 validator,")
    known = phalanx(*words, "--owner", OWNER_TEXT, "--nonce", 0).json()
    assert not any("nonce signature" in item for item in known["not_checked"])


def test_wrong_operator_key_is_a_finding(phalanx: Phalanx, stake: Stake) -> None:
    given = f"2={stake.plain_operator_key(3)}"
    ran = phalanx("keys", "verify", stake.keyshares, "--operator-key", given, "--json")
    assert ran.code == 3
    assert [f["code"] for f in ran.json()["findings"]] == ["share_undecryptable"] * 2


@pytest.mark.parametrize(
    ("given", "code", "word", "text"),
    [
        (["1"], 2, "usage", "'1' is not ID=FILE"),
        (["one=file"], 2, "usage", "ID=FILE"),
        (["1="], 2, "usage", "ID=FILE"),
        (["9" * 5000 + "=x"], 2, "usage", "ID=FILE"),
        (["1=nowhere"], 3, "file_unreadable", "nowhere"),
        (["1={operators}"], 3, "operator_key_malformed", "operators.json"),
        (["42=nowhere"], 3, "operator_unknown", "operator 42 is not in"),
        (["1={key}", "1={key}"], 2, "usage", "operator 1 twice"),
    ],
)
def test_operator_key_that_cannot_be_used_is_refused(
    phalanx: Phalanx, stake: Stake, given: list[str], code: int, word: str, text: str
) -> None:
    words = ["keys", "verify", str(stake.keyshares), "--json"]
    for item in given:
        words += ["--operator-key", item.replace("{key}", str(stake.plain_operator_key(1)))]
    words = [word.replace("{operators}", str(stake.operators)) for word in words]
    ran = phalanx(*words)
    assert (ran.code, ran.error()["code"]) == (code, word)
    assert text in ran.error()["message"]


def test_one_descriptor_cannot_serve_two_operator_keys(phalanx: Phalanx, stake: Stake) -> None:
    keys = [word for n in (1, 2) for word in ("--operator-key", f"{n}={stake.operator_key(n)}")]
    ran = phalanx("keys", "verify", stake.keyshares, *keys, "--password-fd", 0, "--json")
    assert (ran.code, ran.error()["code"]) == (2, "password_source")


def test_file_that_is_no_json_is_one_error_with_its_name(phalanx: Phalanx, stake: Stake) -> None:
    stake.keyshares.write_bytes(stake.keyshares.read_bytes()[:-50])
    for command in ("verify", "inspect"):
        ran = phalanx("keys", command, stake.keyshares, "--json")
        assert (ran.code, ran.out) == (3, "")
        assert ran.error()["code"] == "keyshares_malformed"
        assert str(stake.keyshares) in ran.error()["message"]


def test_inspect_shows_what_the_file_holds(phalanx: Phalanx, stake: Stake) -> None:
    share = key_share(1)
    result = phalanx("keys", "inspect", stake.keyshares, "--json").json()
    assert (result["version"], len(result["validators"]), result["findings"]) == ("v1.2.0", 2, [])
    first = result["validators"][0]
    assert first["public_key"] == f"0x{share.public_key.hex()}"
    assert (first["owner"], first["nonce"]) == (OWNER_TEXT, 0)
    assert first["operator_ids"] == [1, 2, 3, 4]
    fingerprint = operator_key(2).public_key.fingerprint
    assert first["operator_keys"]["2"] == fingerprint
    assert first["shares_data_bytes"] == 1312
    text = phalanx("keys", "inspect", stake.keyshares).out
    assert f"operator 2 key {fingerprint}" in text
    assert "owner 0x8159" in text


def test_inspect_shows_a_payload_alone_and_malformed_keys(phalanx: Phalanx, stake: Stake) -> None:
    change(stake.keyshares, "shares", 0, "data", to=None)
    change(stake.keyshares, "shares", 1, "data", "operators", 0, "operatorKey", to="x")
    ran = phalanx("keys", "inspect", stake.keyshares)
    assert ran.code == 0
    assert "owner (not named), nonce (not named)" in ran.out
    assert "operator 1 key (malformed)" in ran.out
    assert "warning payload_only" in ran.out


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_text_of_the_file_cannot_steer_the_terminal(
    phalanx: Phalanx, stake: Stake, command: str
) -> None:
    hostile = "\x1b[2J\nv\u202e\x9b"
    change(stake.keyshares, "createdAt", to=hostile)
    change(stake.keyshares, "version", to=f"v1.{hostile}")
    change(stake.keyshares, "shares", 0, "payload", "publicKey", to=hostile)
    change(stake.keyshares, "shares", 0, "data", "ownerAddress", to=hostile)
    ran = phalanx("keys", command, stake.keyshares)
    said = (ran.out + ran.err).replace("\n", "")
    assert said.isprintable()
    assert not any(line.startswith("v\\u202e") for line in ran.out.splitlines())


def test_share_is_proved_and_never_shown(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    ran = phalanx(
        *("keys", "decrypt-share", stake.keyshares, "--operator-id", 2, "--json"),
        *("--operator-key", stake.plain_operator_key(2)),
        *("--validator", f"0x{key_share(1).public_key.hex().upper()}"),
    )
    share = key_share(1)
    assert ran.code == 0, ran.err
    assert ran.json() == {
        "validator": f"0x{share.public_key.hex()}",
        "operator_id": 2,
        "share_public_key": "0x"
        + unpack(share.shares_data, operators=4).share_public_keys[1].hex(),
        "written": None,
    }
    assert stake.names() == before


def test_share_is_kept_under_a_new_password(phalanx: Phalanx, stake: Stake) -> None:
    stake.keyshares.write_bytes(keyshares(key_share(1)))
    words = (
        *("keys", "decrypt-share", stake.keyshares, "--operator-id", 2),
        *("--operator-key", stake.operator_key(2), "--out", stake.out, "--json"),
        *("--password-file", stake.folder / "operator-password"),
        *("--new-password-file", stake.folder / "new-password"),
    )
    ran = phalanx(*words, "--dry-run")
    assert (ran.code, ran.json()["written"], stake.out.exists()) == (0, None, False)
    ran = phalanx(*words)
    assert (ran.code, ran.json()["written"]) == (0, str(stake.out))
    assert stat.S_IMODE(stake.out.stat().st_mode) == 0o600
    kept = decrypt(load_keystore(stake.out), Password.from_text(NEW_PASSWORD))
    assert kept.secret == open_shares(key_share(1), private_keys())[OperatorId(2)]
    assert phalanx(*words).code == 2
    assert phalanx(*words, "--overwrite", "--dry-run").code == 0


@pytest.mark.parametrize(
    ("more", "word", "text"),
    [
        (("--operator-id", 2), "validator_unknown", "2 entries match"),
        (("--operator-id", 2, "--validator", "0x00"), "validator_unknown", "0 entries match"),
        (("--operator-id", 9, "--validator", "{1}"), "operator_unknown", "has 1, 2, 3, 4"),
        (("--operator-id", 3, "--validator", "{1}"), "share_undecryptable", "does not decrypt"),
    ],
)
def test_share_that_cannot_be_proved_is_an_input_error(
    phalanx: Phalanx, stake: Stake, more: tuple[object, ...], word: str, text: str
) -> None:
    key = key_share(1).public_key.hex()
    ran = phalanx(
        *("keys", "decrypt-share", stake.keyshares, "--operator-key", stake.plain_operator_key(2)),
        *(str(item).replace("{1}", key) for item in more),
        "--json",
    )
    assert (ran.code, ran.error()["code"]) == (3, word)
    assert text in ran.error()["message"]


def test_cut_share_is_an_input_error(phalanx: Phalanx, stake: Stake) -> None:
    share = key_share(1)
    stake.keyshares.write_bytes(keyshares(replace(share, shares_data=share.shares_data[:-1])))
    ran = phalanx(
        *("keys", "decrypt-share", stake.keyshares, "--operator-id", 1, "--json"),
        *("--operator-key", stake.plain_operator_key(1)),
    )
    assert (ran.code, ran.error()["code"]) == (3, "shares_length")
