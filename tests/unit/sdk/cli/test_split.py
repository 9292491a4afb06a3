"""`keys split` from good and from bad input."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from sdk.crypto import password_box
from sdk.crypto.secret import Password
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.proofs import open_shares
from sdk.shares.verify import verify_keyshares
from sdk.testing.keys import OWNER, keystore, operator_key, private_keys
from sdk.types import OperatorId
from tests.unit.sdk.cli.running import OWNER_TEXT, Phalanx, Stake


def owned_nonces(path: Path) -> list[int | None]:
    """The nonces of a file whose every share decrypts."""
    reading = read_keyshares(path.read_bytes())
    assert verify_keyshares(reading, Expected(owner=OWNER, private_keys=private_keys())) == []
    return [share.nonce for share in reading.file.shares]


def test_folder_of_keystores_becomes_one_private_sound_file(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    ran = phalanx(*stake.split(nonce=5))
    assert ran.code == 0, ran.err
    assert owned_nonces(stake.out) == [5, 6, 7]
    assert stat.S_IMODE(stake.out.stat().st_mode) == 0o600
    assert stake.names() == before | {"out.json"}
    assert "3 validators, verified" in ran.out
    assert "3 validators for operators 1, 2, 3, 4" in ran.err


def test_nonces_follow_the_file_names(phalanx: Phalanx, stake: Stake) -> None:
    (stake.keystores / "keystore-0.json").write_bytes(keystore(9))
    (stake.keystores / "deposit_data-1.json").write_text("[]")
    assert phalanx(*stake.split()).code == 0
    shares = read_keyshares(stake.out.read_bytes()).file.shares
    pubkeys = [json.loads(keystore(number))["pubkey"] for number in (9, 1, 2, 3)]
    assert [share.public_key.hex() for share in shares] == pubkeys


def test_result_for_programs_is_one_object_and_steps_are_lines(
    phalanx: Phalanx, stake: Stake
) -> None:
    ran = phalanx(*stake.split("--json", "--file-version", "v1.1.0"))
    result = ran.json()
    assert result.pop("operators_digest")
    keys = [json.loads(keystore(number))["pubkey"] for number in (1, 2, 3)]
    assert result.pop("nonces") == {f"0x{key}": index for index, key in enumerate(keys)}
    assert result == {
        "validators": 3,
        "owner": OWNER_TEXT,
        "first_nonce": 0,
        "operator_ids": [1, 2, 3, 4],
        "file": str(stake.out),
        "written": True,
        "split": 3,
        "skipped": 0,
    }
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert [e["done"] for e in events if e["event"] == "progress"] == [1, 2, 3]
    assert json.loads(stake.out.read_bytes())["version"] == "v1.1.0"


def test_operators_may_be_given_as_lists_as_the_existing_tool_takes_them(
    phalanx: Phalanx, stake: Stake
) -> None:
    keys = ",".join(operator_key(number).public_key.text for number in (1, 2, 3, 4))
    ran = phalanx(
        *("keys", "split", stake.keystores / "keystore-1.json", "--out", stake.out),
        *("--owner-address", OWNER_TEXT, "--owner-nonce", 3, "--password-file", stake.password),
        *("--operator-ids", "9, 7,8,10", "--operator-keys", keys),
    )
    assert ran.code == 0, ran.err
    (share,) = read_keyshares(stake.out.read_bytes()).file.shares
    assert share.operator_ids == (7, 8, 9, 10)
    assert len(open_shares(share, {OperatorId(9): operator_key(1)})) == 1


def test_dry_run_asks_for_no_password_and_writes_nothing(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    words = stake.split()
    ran = phalanx(*words[: words.index("--password-file")], "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json()["written"] is False
    assert stake.names() == before


def test_existing_file_is_refused_before_any_work(phalanx: Phalanx, stake: Stake) -> None:
    stake.out.write_text("precious")
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.error()["code"] == "file_exists"
    assert stake.out.read_text() == "precious"
    assert phalanx(*stake.split("--overwrite")).code == 0
    assert owned_nonces(stake.out) == [0, 1, 2]


def test_people_see_which_validator_has_which_nonce(phalanx: Phalanx, stake: Stake) -> None:
    dry = phalanx(*stake.split("--dry-run", nonce=7))
    assert "nonce 7: keystore-1.json\nnonce 8: keystore-2.json\n" in dry.out
    ran = phalanx(*stake.split(nonce=7))
    keys = [json.loads(keystore(number))["pubkey"] for number in (1, 2, 3)]
    assert [f"nonce {7 + index}: 0x{key}" for index, key in enumerate(keys)] == ran.out.split("\n")[
        :3
    ]


def test_other_json_files_of_a_folder_are_named(phalanx: Phalanx, stake: Stake) -> None:
    (stake.keystores / "deposit_data-1.json").write_text("[]")
    (stake.keystores / "validator2.json").write_text("")
    ran = phalanx(*stake.split())
    assert ran.code == 0
    assert "note: no keystores, left out: deposit_data-1.json, validator2.json" in ran.err


def test_same_validator_twice_is_refused(phalanx: Phalanx, stake: Stake) -> None:
    shutil.copy(stake.keystores / "keystore-1.json", stake.keystores / "keystore-4.json")
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "duplicate_validator")
    # A keystore need not name its key; then the file's own check finds it.
    for number in (1, 4):
        path = stake.keystores / f"keystore-{number}.json"
        document = json.loads(path.read_bytes())
        del document["pubkey"]
        path.write_text(json.dumps(document))
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "duplicate_validator")
    assert not stake.out.exists()


def test_password_that_opens_only_as_raw_bytes_is_noted(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some tools derive from the bytes as typed; so does this file, made without the standard."""
    typed = Password("pässword\t".encode())
    with monkeypatch.context() as unnormalised:
        unnormalised.setattr(password_box, "standard_password", bytes)
        (stake.keystores / "keystore-2.json").write_bytes(keystore(2, password=typed))
    stake.password.write_bytes(typed.reveal())
    ran = phalanx(*stake.split("--skip-invalid", "--json"))
    assert (ran.code, ran.json()["split"]) == (6, 1)
    notes = [json.loads(line) for line in ran.err.splitlines() if '"note"' in line]
    assert len(notes) == 1
    assert "keystore-2.json opens only with the password as raw bytes" in notes[0]["text"]


@pytest.mark.parametrize(
    ("nonce", "more", "code", "note"),
    [
        (59_997, (), 0, False),
        (59_998, (), 0, True),
        (65_532, (), 0, True),
        (65_533, (), 3, False),
        (65_533, ("--allow-high-nonce",), 0, True),
        (2**64 - 2, ("--allow-high-nonce",), 3, True),
    ],
)
def test_nonce_near_the_nodes_limit(
    phalanx: Phalanx, stake: Stake, nonce: int, more: tuple[str, ...], code: int, note: bool
) -> None:
    ran = phalanx(*stake.split(*more, nonce=nonce))
    # The last case fails for one keystore of three, so it is a partial result.
    assert ran.code == (6 if nonce > 2**63 else code)
    assert ("the last that every node accepts" in ran.err) == note
    assert stake.out.exists() == (ran.code == 0)


@pytest.mark.parametrize(
    ("change", "code", "word", "text"),
    [
        ({"--owner": "0x81592C" + OWNER_TEXT[8:]}, 3, "address_checksum", OWNER_TEXT),
        ({"--owner": "me"}, 3, "address_malformed", "me"),
        ({"--nonce": "-1"}, 2, "usage", "-1"),
        ({"--nonce": "x"}, 2, "usage", "'x'"),
        ({"--operators": "nowhere.json"}, 3, "file_unreadable", "nowhere.json"),
        ({"--password-file": "nowhere"}, 3, "file_unreadable", "nowhere"),
        ({"--out": "nowhere/out.json"}, 2, "folder_missing", "nowhere"),
        ({"--out": "x" * 300}, 5, "storage", "too long"),
        ({"--operator-ids": "1,2,3"}, 3, "operator_count", "got 3"),
        ({"--operator-ids": "1,2,3,5"}, 3, "operator_unknown", "operator 5"),
        ({"--operator-ids": "1,2,3,3"}, 3, "operator_ids_not_unique", "operator 3"),
        ({"--operator-ids": "1,2,3,four"}, 3, "operator_id_range", "'four'"),
        ({"--operator-ids": "1,2,3,"}, 3, "operator_id_range", "''"),
        ({"--operator-ids": "1,2,3,0"}, 3, "operator_id_range", "'0'"),
        ({"--operator-ids": "1,2,3," + "9" * 5000}, 3, "operator_id_range", "999"),
        ({"--operator-keys": "a,b"}, 2, "usage", "--operator-ids"),
        ({"--operators": None}, 2, "usage", "give --operators FILE"),
        ({"--operators": None, "--operator-keys": "a"}, 2, "usage", "needs --operator-ids"),
        (
            {"--operators": None, "--operator-keys": "a", "--operator-ids": "1,2"},
            2,
            "usage",
            "2 operator ids but 1 operator keys",
        ),
        (
            {"--operators": None, "--operator-keys": "a", "--operator-ids": "1"},
            3,
            "operator_key_malformed",
            "operator 1",
        ),
        ({"--file-version": "v4"}, 2, "usage", "v4"),
        ({"--workers": "0"}, 2, "usage", "0"),
        ({"--password-env": "HOME"}, 2, "password_source", "more than one"),
        ({"--password-dir": "."}, 2, "password_source", "more than one"),
    ],
)
def test_bad_input_is_one_message_that_says_what_and_where(
    phalanx: Phalanx, stake: Stake, change: dict[str, str | None], code: int, word: str, text: str
) -> None:
    words = [str(each) for each in stake.split("--json")]
    for option, value in change.items():
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
        if value is not None:
            words += [option, value]
    ran = phalanx(*words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.error()["code"] == word
    assert text in ran.error()["message"]
    assert not stake.out.exists()


@pytest.mark.parametrize(
    ("content", "word", "text"),
    [
        ("", "operators_malformed", "not valid JSON"),
        ("{}", "operators_malformed", "array"),
        ("[1]", "operators_malformed", "object"),
        ('[{"id": 1}]', "operators_malformed", "[0] has no public key"),
        ('[{"id": 1, "operatorKey": 5}]', "operators_malformed", "[0] has no public key"),
        ('[{"id": "1", "operatorKey": "x"}]', "operator_id_range", "[0]"),
        ('[{"id": 0, "operatorKey": "x"}]', "operator_id_range", "[0]: 0 is"),
        ('[{"id": ' + "[" * 20 + "]" * 20 + ', "operatorKey": "x"}]', "operator_id_range", "[0]"),
        ('[{"id": 1, "operatorKey": "x"}]', "operator_key_malformed", "[0]"),
        ("[{" * 100_000, "operators_malformed", "nested deeper"),
    ],
)
def test_malformed_operators_file_is_named_with_the_entry(
    phalanx: Phalanx, stake: Stake, content: str, word: str, text: str
) -> None:
    stake.operators.write_text(content)
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, word)
    assert str(stake.operators) in ran.error()["message"]
    assert text in ran.error()["message"]


def test_operator_listed_twice_in_its_file_is_refused(phalanx: Phalanx, stake: Stake) -> None:
    entries = json.loads(stake.operators.read_bytes())
    stake.operators.write_text(json.dumps([*entries, entries[0]]))
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "operator_ids_not_unique")


@pytest.mark.parametrize("name", ["operator_key", "public_key", "publicKey"])
def test_operator_keys_are_found_under_the_names_in_use(
    phalanx: Phalanx, stake: Stake, name: str
) -> None:
    entries = json.loads(stake.operators.read_bytes())
    renamed = [{"id": entry["id"], name: entry["operatorKey"]} for entry in entries]
    stake.operators.write_text(json.dumps(renamed))
    assert phalanx(*stake.split()).code == 0


def test_empty_folder_is_named(phalanx: Phalanx, stake: Stake) -> None:
    for path in stake.keystores.iterdir():
        path.unlink()
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "empty")
    assert str(stake.keystores) in ran.error()["message"]
