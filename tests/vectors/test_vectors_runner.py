"""The runner of published vectors, over a folder of our own making."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest

from sdk.crypto.operator_keystore import encrypt_operator_key
from sdk.crypto.secret import Password
from sdk.shares.layout import pack, unpack
from sdk.testing.keys import (
    CHEAP_KDF,
    KEYSTORE_PASSWORD,
    key_share,
    keyshares,
    keystore,
    operator_key,
    validator_secret,
)
from tests.vectors.__main__ import SETS, main

DUTY_CASE: dict[str, object] = {"Name": "attester", "BeaconRole": 0, "RunnerRole": 0}
OWNER_TEXT = "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494"


def write_set(folder: Path) -> Path:
    """A `keyshares` set with four operators, one case and two negative files."""
    operators = folder / "keyshares" / "operators"
    operators.mkdir(parents=True)
    entries = []
    for number in range(1, 5):
        key = operator_key(number)
        password = Password(b"operator password")
        data = encrypt_operator_key(key, password, kdf=CHEAP_KDF)
        (operators / f"{number}.encrypted_private_key.json").write_bytes(data)
        (operators / f"{number}.password").write_bytes(password.reveal())
        (operators / f"{number}.private.pem").write_bytes(key.reveal_pem())
        entries.append(
            {
                "id": number,
                "operatorKey": key.public_key.text,
                "private_key_base64": key.reveal_base64(),
            }
        )
    (operators / "operators.json").write_text(json.dumps(entries))
    _write_case(folder / "keyshares" / "case")
    _write_negative(folder / "keyshares" / "negative")
    return folder


def _write_case(case: Path) -> None:
    case.mkdir()
    share = key_share(1, nonce=7)
    (case / "expected-keyshares.json").write_bytes(keyshares(share))
    (case / "keystore-1.json").write_bytes(keystore(1))
    (case / "password.txt").write_bytes(KEYSTORE_PASSWORD.reveal())
    (case / "case.json").write_text(
        json.dumps(
            {
                "name": "case",
                "owner": OWNER_TEXT,
                "first_nonce": 7,
                "operator_ids": [1, 2, 3, 4],
                "operator_ids_as_given": [4, 2, 1, 3],
                "threshold": 3,
                "validators": [
                    {
                        "file": "keystore-1.json",
                        "pubkey": f"0x{share.public_key.hex()}",
                        "secret": validator_secret(1).to_bytes().hex(),
                        "nonce": 7,
                    }
                ],
            }
        )
    )


def _write_negative(negative: Path) -> None:
    negative.mkdir()
    (negative / "cut.json").write_bytes(keyshares(key_share(1))[:-9])
    (negative / "fine.json").write_bytes(keyshares(key_share(1)))
    entries = [
        {"file": "cut.json", "expect": "keyshares_malformed"},
        {"file": "fine.json", "expect": "ok"},
    ]
    (negative / "index.json").write_text(json.dumps(entries))


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_good_set_passes_and_absent_sets_are_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write_set(tmp_path))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"==> vectors in {tmp_path}"
    assert lines[1].startswith("keyshares: 7 passed, 0 failed, 0 not run (")
    assert lines[2:-1] == [f"{name}: absent" for name in SETS if name != "keyshares"]
    assert lines[-1] == "vectors: 7 passed, 0 failed, 0 not run"


def test_bad_expected_file_fails_its_case_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_set(tmp_path) / "keyshares" / "case" / "expected-keyshares.json"
    share = key_share(1, nonce=7)
    parts = unpack(share.shares_data, operators=4)
    exchanged = pack(type(parts)(parts.signature, parts.share_public_keys[::-1], ()))
    text = share.shares_data.hex()
    path.write_text(path.read_text().replace(text[: len(exchanged) * 2], exchanged.hex()))
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out.count("FAILED") == 1
    assert "  FAILED keyshares/case: AssertionError: findings: " in out
    assert "share_pubkeys_do_not_recombine" in out
    assert out.splitlines()[-1] == "vectors: 6 passed, 1 failed, 0 not run"


@pytest.mark.parametrize(
    ("place", "content", "failed"),
    [
        ("operators/2.password", "wrong", "operators/2"),
        ("operators/2.private.pem", "rubbish", "operators/2"),
        ("case/password.txt", "wrong", "case"),
        ("case/expected-keyshares.json", "{", "case"),
        ("negative/cut.json", keyshares(key_share(1)).decode(), "negative/cut.json"),
        ("negative/fine.json", "{", "negative/fine.json"),
    ],
)
def test_whatever_differs_is_a_named_failure(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    content: str,
    failed: str,
) -> None:
    (write_set(tmp_path) / "keyshares" / place).write_text(content)
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert f"  FAILED keyshares/{failed}: " in out
    assert out.splitlines()[-1] == "vectors: 6 passed, 1 failed, 0 not run"


def write_families(folder: Path, **families: dict[str, object]) -> Path:
    """A specification set with one file per family, in part `types`."""
    part = folder / "ssv-spec" / "types"
    part.mkdir(parents=True)
    for family, data in families.items():
        line = json.dumps({"file": f"{family}.json", "data": data}).encode()
        name = f"{family.replace('_', '.')}.tests.jsonl.xz"
        (part / name).write_bytes(lzma.compress(line + b"\n"))
    return folder


def test_families_of_a_specification_set_run_by_sub_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_families(tmp_path, duty_DutySpecTest=DUTY_CASE)
    assert main([str(folder)]) == 0
    assert last_line(capsys) == "vectors: 1 passed, 0 failed, 0 not run"


def test_wrong_expectation_fails_its_sub_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_families(tmp_path, duty_DutySpecTest=DUTY_CASE | {"RunnerRole": 2})
    assert main([str(folder)]) == 1
    out = capsys.readouterr().out
    assert "  FAILED ssv-spec/duty.DutySpecTest/duty_DutySpecTest.json[0]" in out


def test_family_that_nothing_here_runs_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_families(tmp_path, novel_NovelTest={}, duty_DutySpecTest=DUTY_CASE)
    assert main([str(folder)]) == 1
    out = capsys.readouterr().out
    assert "FAILED ssv-spec/types/novel.NovelTest: no code here runs this family" in out
    assert out.splitlines()[-1] == "vectors: 1 passed, 1 failed, 0 not run"


@pytest.mark.parametrize("name", ["event-vectors.json", "accounting-vectors.json"])
def test_unreadable_registry_vectors_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_text("{")
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "  FAILED registry/" in out
    assert "JSONDecodeError" in out
    assert re.fullmatch(r"vectors: 0 passed, [1-9] failed, 0 not run", out.splitlines()[-1])


def test_named_folder_that_is_missing_is_a_failure_that_names_the_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    out = capsys.readouterr().out
    assert f"no vectors at {tmp_path / 'nowhere'}" in out
    for name, (_, source) in SETS.items():
        assert f"  {name}: {source}" in out


def test_default_folder_that_is_missing_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.vectors.__main__.DEFAULT", tmp_path / "nowhere")
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "no vectors at" in out
    assert out.splitlines()[-1] == "vectors: 0 passed, 0 failed, 0 not run"
