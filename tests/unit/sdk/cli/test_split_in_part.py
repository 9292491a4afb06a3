"""`keys split` that fails in part, is stopped, or cannot write: nothing is lost or half-written."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.crypto.password_box import Pbkdf2
from sdk.crypto.secret import Password
from sdk.errors import StorageError
from sdk.files import write_private
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.verify import verify_keyshares
from sdk.testing.keys import OWNER, keystore, private_keys
from tests.unit.sdk.cli.running import PASSWORD_TEXT, Phalanx, Stake


def owned_nonces(path: Path) -> list[int | None]:
    """The nonces of a file whose every share decrypts."""
    reading = read_keyshares(path.read_bytes())
    assert verify_keyshares(reading, Expected(owner=OWNER, private_keys=private_keys())) == []
    return [share.nonce for share in reading.file.shares]


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


def test_skipping_every_unreadable_file_leaves_nothing_to_write(
    phalanx: Phalanx, stake: Stake
) -> None:
    for path in stake.keystores.iterdir():
        path.write_text("{")
    before = stake.names()
    ran = phalanx(*stake.split("--skip-invalid", "--json"))
    assert (ran.code, ran.error()["code"]) == (3, "empty")
    assert stake.names() == before


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


def _hear_interrupts() -> None:
    """A test run in the background inherits deafness to them, and would pass it on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_interrupt_leaves_a_journal_and_the_same_command_goes_on(stake: Stake) -> None:
    for number in range(1, 9):
        data = keystore(number, kdf=Pbkdf2(c=300_000))
        (stake.keystores / f"keystore-{number}.json").write_bytes(data)
    words = [str(word) for word in stake.split("--json", "--workers", 1)]
    command = [sys.executable, "-m", "sdk.cli.main", *words]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=_hear_interrupts
    ) as process:
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
