"""`phalanx keys split`: what is written, what is refused, and what an interrupted run leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.crypto import password_box
from sdk.crypto.password_box import Pbkdf2
from sdk.crypto.secret import Password
from sdk.errors import StorageError
from sdk.files import write_private
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.proofs import open_shares
from sdk.shares.verify import verify_keyshares
from sdk.testing.keys import OWNER, keystore, operator_key, private_keys
from sdk.types import OperatorId
from tests.unit.sdk.cli.running import OWNER_TEXT, PASSWORD_TEXT, Phalanx, Stake


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


def test_one_wrong_password_stops_no_other_and_writes_nothing(
    phalanx: Phalanx, stake: Stake
) -> None:
    (stake.keystores / "keystore-2.json").write_bytes(keystore(2, password=Password(b"other")))
    ran = phalanx(*stake.split("--json"))
    assert ran.code == 6
    assert ran.error()["code"] == "keystores_failed"
    assert ran.error()["data"] == {"keystore-2.json": "keystore_password"}
    assert not stake.out.exists()
    journal = stake.folder / "out.json.journal"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert len(journal.read_bytes().splitlines()) == 3
    assert "keystore-2.json: the password does not open it" in ran.err


def test_corrected_run_does_only_what_is_missing(phalanx: Phalanx, stake: Stake) -> None:
    passwords = stake.folder / "passwords"
    passwords.mkdir()
    for number in (1, 2, 3):
        (passwords / f"keystore-{number}.txt").write_text(PASSWORD_TEXT)
    (passwords / "keystore-2.txt").write_text("wrong")
    words = stake.split()
    words = (*words[: words.index("--password-file")], "--password-dir", passwords, "--json")
    assert phalanx(*words).code == 6
    first = (stake.folder / "out.json.journal").read_bytes()
    (passwords / "keystore-2.txt").write_text(PASSWORD_TEXT)
    ran = phalanx(*words)
    assert ran.code == 0
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert [e["done"] for e in events if e["event"] == "progress"] == [3]
    assert owned_nonces(stake.out) == [0, 1, 2]
    kept = json.loads(first.splitlines()[1])["entry"]
    assert kept in json.loads(stake.out.read_bytes())["shares"]
    assert "out.json.journal" not in stake.names()


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_skipping_moves_the_nonces_of_those_after_it_up(
    phalanx: Phalanx, stake: Stake, bad: int
) -> None:
    (stake.keystores / f"keystore-{bad}.json").write_bytes(
        keystore(bad, password=Password(b"other"))
    )
    ran = phalanx(*stake.split("--skip-invalid", "--json", nonce=10))
    assert ran.code == 6, ran.err
    assert (ran.json()["split"], ran.json()["skipped"]) == (2, 1)
    assert owned_nonces(stake.out) == [10, 11]
    shares = read_keyshares(stake.out.read_bytes()).file.shares
    kept = [json.loads(keystore(number))["pubkey"] for number in (1, 2, 3) if number != bad]
    assert [share.public_key.hex() for share in shares] == kept


def test_skipping_counts_files_that_cannot_even_be_read(phalanx: Phalanx, stake: Stake) -> None:
    (stake.keystores / "keystore-1.json").write_text("{")
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "keystore_malformed")
    assert "keystore-1.json" in ran.error()["message"]
    ran = phalanx(*stake.split("--skip-invalid", "--json"))
    assert (ran.code, ran.json()["split"], ran.json()["skipped"]) == (6, 2, 1)
    assert owned_nonces(stake.out) == [0, 1]


def test_nothing_left_after_skipping_is_an_error_without_leftovers(
    phalanx: Phalanx, stake: Stake
) -> None:
    before = stake.names()
    stake.password.write_text("wrong")
    ran = phalanx(*stake.split("--skip-invalid", "--json"))
    assert (ran.code, ran.error()["code"]) == (3, "keystore_password")
    assert "none of 3 keystores could be split" in ran.error()["message"]
    assert stake.names() == before


def test_journal_of_another_run_is_refused(phalanx: Phalanx, stake: Stake) -> None:
    (stake.keystores / "keystore-2.json").write_bytes(keystore(2, password=Password(b"other")))
    assert phalanx(*stake.split()).code == 6
    ran = phalanx(*stake.split("--json", "--owner", "0x" + "11" * 20))
    assert (ran.code, ran.error()["code"]) == (2, "journal_of_another_run")
    assert "out.json.journal" in ran.error()["message"]


def test_run_in_which_nothing_succeeded_leaves_nothing_behind(
    phalanx: Phalanx, stake: Stake
) -> None:
    before = stake.names()
    stake.password.write_text("wrong")
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (3, "keystore_password")
    assert stake.names() == before


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


def test_file_that_appears_meanwhile_is_kept_and_the_work_too(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(path: Path, data: bytes, *, overwrite: bool) -> None:
        path.write_text("of somebody else")
        write_private(path, data, overwrite=overwrite)

    monkeypatch.setattr("sdk.cli.keys_split.write_private", late)
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (2, "file_exists")
    assert stake.out.read_text() == "of somebody else"
    assert "out.json.journal" in stake.names()


def test_disk_failure_keeps_the_journal_and_leaves_no_file(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stake.names()
    link = os.link

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    ran = phalanx(*stake.split("--json"))
    assert (ran.code, ran.error()["code"]) == (StorageError.exit_code, "storage")
    assert stake.names() == before | {"out.json.journal"}
    monkeypatch.setattr(os, "link", link)
    ran = phalanx(*stake.split("--json"))
    assert ran.code == 0
    assert "progress" not in ran.err


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


@pytest.mark.slow
def test_interrupt_leaves_a_journal_and_the_same_command_goes_on(stake: Stake) -> None:
    for number in range(1, 9):
        data = keystore(number, kdf=Pbkdf2(c=300_000))
        (stake.keystores / f"keystore-{number}.json").write_bytes(data)
    words = [str(word) for word in stake.split("--json", "--workers", 1)]
    command = [sys.executable, "-m", "sdk.cli.main", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        done = 0
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "progress" and event["done"] == 2:
                process.send_signal(signal.SIGINT)
            done = event.get("done", done)
        assert process.wait(timeout=30) == 6
    assert event["code"] == "interrupted"
    assert 2 <= done < 8
    assert not stake.out.exists()
    again = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(again.stdout)["split"] == 8
    events = [json.loads(line) for line in again.stderr.splitlines()]
    assert len([e for e in events if e["event"] == "progress"]) == 8 - done
    assert owned_nonces(stake.out) == list(range(8))
    assert "out.json.journal" not in stake.names()
