"""The output of a ceremony: a valid one of our own making, then each part broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdk.dkg.ceremony import verify_ceremony
from sdk.errors import InputError
from sdk.shares.consistency import Expected
from sdk.shares.verify import is_sound
from sdk.testing.keys import OWNER, key_share, keyshares, operators, private_keys
from sdk.types import Address
from tests.unit.sdk.dkg.ceremony_files import (
    FIRST_NONCE,
    deposit_json,
    edit,
    folder_name,
    proofs_json,
    write_ceremony,
)

ALL_KNOWN = Expected(
    owner=OWNER,
    nonce=FIRST_NONCE,
    operators={operator.id: operator.public_key for operator in operators()},
    private_keys=private_keys(),
)


def codes(folder: Path, expected: Expected | None = None) -> set[str]:
    findings = verify_ceremony(folder, expected)
    assert is_sound(findings) == (findings == [])
    return {finding.code for finding in findings}


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """The ceremony's folder; one validator."""
    write_ceremony(tmp_path, validators=1)
    return tmp_path


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """The folders of two validators; their parent holds the aggregated files."""
    return write_ceremony(tmp_path, validators=2)


@pytest.mark.parametrize("validators", [1, 2, 3])
def test_good_output_has_no_findings_whatever_is_known(tmp_path: Path, validators: int) -> None:
    folders = write_ceremony(tmp_path, validators=validators)
    assert verify_ceremony(tmp_path) == []
    assert verify_ceremony(tmp_path, ALL_KNOWN) == []
    assert verify_ceremony(folders[0], ALL_KNOWN) == []


def test_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read") as caught:
        verify_ceremony(tmp_path / "nowhere")
    assert caught.value.code == "file_unreadable"


def test_empty_folder_lacks_all_three_files(tmp_path: Path) -> None:
    findings = verify_ceremony(tmp_path)
    assert [finding.code for finding in findings] == ["file_missing"] * 3
    assert [finding.where for finding in findings] == [
        "deposit_data.json",
        "keyshares.json",
        "proofs.json",
    ]


@pytest.mark.parametrize("name", ["deposit_data.json", "keyshares.json", "proofs.json"])
def test_each_file_is_needed(two: list[Path], name: str) -> None:
    (two[0].parent / name).unlink()
    assert codes(two[0].parent) == {"file_missing"}
    write_ceremony(two[0].parent, validators=2)
    (two[1] / name).unlink()
    findings = verify_ceremony(two[0].parent)
    assert findings[0].where == f"{two[1].name}: {name}"
    assert {finding.code for finding in findings} == {"file_missing", "aggregation_mismatch"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("deposit_data.json", "deposit_malformed"),
        ("keyshares.json", "keyshares_malformed"),
        ("proofs.json", "proofs_malformed"),
    ],
)
def test_file_that_is_no_json_is_a_finding(one: Path, name: str, wanted: str) -> None:
    (path,) = one.glob(f"*/{name}")
    path.write_text("{")
    assert codes(one) == {wanted}


def test_folder_names_the_nonce_and_the_validator(one: Path) -> None:
    (folder,) = one.iterdir()
    _, key = folder.name.split("-")
    for name, wanted in (
        (f"000004-{key}", "nonce_mismatch"),
        (f"000003-0x{key_share(2).public_key.hex()}", "validator_mismatch"),
        (f"3-{key}", "folder_name"),
        (f"000003-{key}-copy", "folder_name"),
        ("validator", "folder_name"),
    ):
        folder = folder.rename(one / name)
        assert codes(one) == {wanted}, name


DAMAGE: dict[str, tuple[str, Callable[[Any], object], set[str]]] = {
    "deposit signature": (
        "deposit_data.json",
        lambda d: d[0].update(signature="c0" + "00" * 95),
        {"deposit_signature_invalid", "deposit_data_root_mismatch"},
    ),
    "no deposit": ("deposit_data.json", lambda d: d.clear(), {
        "deposit_empty", "deposit_missing", "entry_count"
    }),
    "deposit twice": (
        "deposit_data.json",
        lambda d: d.append(d[0]),
        {"deposit_duplicate", "entry_count"},
    ),
    "no keyshares": (
        "keyshares.json",
        lambda d: d.update(shares=None),
        {"empty", "deposit_unexpected", "proof_validator_mismatch", "entry_count"},
    ),
    "keyshares twice": (
        "keyshares.json",
        lambda d: d["shares"].append(d["shares"][0]),
        {"duplicate_validator", "nonce_not_unique", "nonces_not_consecutive", "entry_count"},
    ),
    "nonce": (
        "keyshares.json",
        lambda d: d["shares"][0]["data"].update(ownerNonce=4),
        {"nonce_signature_invalid", "nonce_mismatch"},
    ),
    "owner": (
        "keyshares.json",
        lambda d: d["shares"][0]["data"].update(ownerAddress="0x" + "11" * 20),
        {"nonce_signature_invalid", "proof_owner_mismatch"},
    ),
    "data left out": ("keyshares.json", lambda d: d["shares"][0].pop("data"), {
        "payload_only", "nonce_mismatch"
    }),
    "operator keys left out": (
        "keyshares.json",
        lambda d: d["shares"][0]["data"].update(operators=[]),
        {"payload_only"},
    ),
    "other operator key": (
        "keyshares.json",
        lambda d: d["shares"][0]["data"]["operators"][0].update(
            operatorKey=operators(range(1, 14))[8].public_key.text
        ),
        {"proof_signature_invalid"},
    ),
    "no proofs": ("proofs.json", lambda d: d.clear(), {"proof_validator_mismatch", "proof_count"}),
    "a proof missing": ("proofs.json", lambda d: d.pop(), {"proof_count"}),
    "proof signature": (
        "proofs.json",
        lambda d: d[1].update(signature=d[0]["signature"]),
        {"proof_signature_invalid"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_part_has_exactly_these_findings(one: Path, name: str) -> None:
    file, change, wanted = DAMAGE[name]
    (path,) = one.glob(f"*/{file}")
    edit(path, change)
    findings = verify_ceremony(one)
    assert {finding.code for finding in findings} == wanted
    assert not is_sound(findings)


def test_parts_of_two_validators_mixed_up_are_noticed(two: list[Path]) -> None:
    for name, wanted in (
        ("deposit_data.json", {"deposit_missing", "deposit_unexpected"}),
        ("proofs.json", {"proof_validator_mismatch", "proof_count"}),
        (
            "keyshares.json",
            {
                *("deposit_missing", "deposit_unexpected", "proof_validator_mismatch"),
                *("proof_count", "nonce_mismatch", "validator_mismatch"),
            },
        ),
    ):
        kept = (two[0] / name).read_bytes()
        shutil.copy(two[1] / name, two[0] / name)
        assert codes(two[0]) == wanted
        assert "aggregation_mismatch" in codes(two[0].parent)
        (two[0] / name).write_bytes(kept)


@pytest.mark.parametrize("name", ["deposit_data.json", "keyshares.json", "proofs.json"])
def test_aggregated_file_holds_what_the_folders_hold(two: list[Path], name: str) -> None:
    shutil.copy(two[0] / name, two[0].parent / name)
    assert "aggregation_mismatch" in codes(two[0].parent)


def test_order_in_aggregated_deposits_does_not_matter(two: list[Path]) -> None:
    edit(two[0].parent / "deposit_data.json", lambda d: d.reverse())
    edit(two[0].parent / "proofs.json", lambda d: d.reverse())
    assert codes(two[0].parent) == set()


def test_aggregated_files_of_one_validator_are_checked_if_there(one: Path) -> None:
    (folder,) = one.iterdir()
    for path in folder.iterdir():
        shutil.copy(path, one / path.name)
    assert codes(one) == set()
    (one / "deposit_data.json").write_bytes(deposit_json(2))
    assert "aggregation_mismatch" in codes(one)
    (one / "proofs.json").unlink()
    assert codes(one) == {"file_missing"}


def test_validators_of_one_ceremony_have_the_same_operators(two: list[Path]) -> None:
    other = key_share(2, ids=(1, 2, 3, 5), nonce=FIRST_NONCE + 1)
    shares = [key_share(1, nonce=FIRST_NONCE), other]
    for folder in two:
        shutil.rmtree(folder)
    proofs = [proofs_json(share) for share in shares]
    for number, share, own in zip((1, 2), shares, proofs, strict=True):
        folder = two[0].parent / folder_name(share)
        folder.mkdir()
        (folder / "deposit_data.json").write_bytes(deposit_json(number))
        (folder / "keyshares.json").write_bytes(keyshares(share))
        (folder / "proofs.json").write_text(json.dumps(own))
    (two[0].parent / "keyshares.json").write_bytes(keyshares(*shares))
    (two[0].parent / "proofs.json").write_text(json.dumps(proofs))
    assert codes(two[0].parent) == {"operators_differ"}


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        (Expected(nonce=FIRST_NONCE + 1), {"nonce_mismatch"}),
        (Expected(owner=Address(b"\x11" * 20)), {"owner_mismatch"}),
        (Expected(operators={}), {"operator_unknown"}),
        (Expected(private_keys=private_keys((4, 3, 2, 1))), {"share_undecryptable"}),
    ],
)
def test_what_is_known_is_compared(two: list[Path], expected: Expected, wanted: set[str]) -> None:
    assert codes(two[0].parent, expected) == wanted


def test_finding_names_the_validator_s_folder_and_file(two: list[Path]) -> None:
    edit(two[1] / "proofs.json", lambda d: d[3].update(signature="00" * 256))
    findings = verify_ceremony(two[0].parent)
    assert findings[0].where == f"{two[1].name}: proofs.json[3] (operator 4)"
