"""Reading and writing keyshares files: versions, spellings, incomplete and hostile files."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from sdk.errors import KeysharesError
from sdk.findings import Finding
from sdk.json_documents import MAX_DEPTH
from sdk.shares.keyshares_file import KeysharesFile, entry_json, write_keyshares
from sdk.shares.keyshares_reader import MAX_FINDINGS, load_keyshares, read_keyshares
from sdk.shares.verify import is_sound, verify_keyshares
from sdk.testing.keys import CREATED_AT, OWNER, key_share, keyshares

SHARE = key_share()
DOCUMENT: dict[str, Any] = json.loads(keyshares(SHARE))


def changed(*path: str | int, to: object) -> bytes:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(document).encode()


def findings(data: bytes) -> list[tuple[str, str, str]]:
    return [(each.code, each.severity, each.where) for each in read_keyshares(data).findings]


def test_written_file_has_the_published_shape() -> None:
    data = DOCUMENT["shares"][0]["data"]
    payload = DOCUMENT["shares"][0]["payload"]
    assert DOCUMENT["version"] == "v1.2.0"
    assert DOCUMENT["createdAt"] == CREATED_AT
    assert data["ownerNonce"] == 0
    assert data["ownerAddress"] == "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494"
    assert data["publicKey"] == payload["publicKey"] == f"0x{SHARE.public_key.hex()}"
    assert [entry["id"] for entry in data["operators"]] == payload["operatorIds"] == [1, 2, 3, 4]
    assert payload["sharesData"] == f"0x{SHARE.shares_data.hex()}"


def test_file_without_entries_is_written_with_null_and_read_as_empty() -> None:
    data = write_keyshares(KeysharesFile((), created_at=CREATED_AT))
    assert json.loads(data)["shares"] is None
    assert findings(data) == [("empty", "error", "shares")]


@pytest.mark.parametrize("version", ["v1.2.0", "v1.1.0"])
def test_both_written_versions_read_back_the_same(version: str) -> None:
    file = KeysharesFile((SHARE,), created_at=CREATED_AT, version=version)
    assert load_keyshares(write_keyshares(file)) == file


@pytest.mark.parametrize("version", ["v1.3.0", "v4", ""])
def test_no_other_version_is_written(version: str) -> None:
    with pytest.raises(KeysharesError) as caught:
        write_keyshares(KeysharesFile((SHARE,), created_at=CREATED_AT, version=version))
    assert caught.value.code == "version"


@pytest.mark.parametrize("share", [replace(SHARE, owner=None), replace(SHARE, nonce=None)])
def test_entry_without_owner_or_nonce_is_not_written(share: Any) -> None:
    with pytest.raises(KeysharesError) as caught:
        entry_json(share)
    assert caught.value.code == "payload_only"


@pytest.mark.parametrize("version", ["v1.1.0", "v1.1.7", "v1.2.0", "v1.2.99", "1.2.0", "v1.2"])
def test_versions_1_1_and_1_2_are_read_without_a_word(version: str) -> None:
    assert findings(changed("version", to=version)) == []


@pytest.mark.parametrize("version", ["v1.3.0", "v1.0.0", "v1.20.0", "v1.2x.0"])
def test_other_versions_1_are_read_with_a_warning(version: str) -> None:
    data = changed("version", to=version)
    assert findings(data) == [("version", "warning", "version")]
    assert is_sound(verify_keyshares(read_keyshares(data)))
    assert load_keyshares(data).shares == (SHARE,)


@pytest.mark.parametrize("version", ["v4", "v3.0.0", "v2.1.0", "v11.2.0", "", "x", None, 1.2, []])
def test_any_other_version_is_refused(version: object) -> None:
    data = changed("version", to=version)
    assert findings(data) == [("version", "error", "version")]
    with pytest.raises(KeysharesError) as caught:
        load_keyshares(data)
    assert caught.value.code == "version"


def test_control_codes_of_a_version_are_not_repeated() -> None:
    (finding,) = read_keyshares(changed("version", to="v1.\x1b[2J")).findings
    assert "\x1b" not in finding.message


def test_hex_case_and_prefix_do_not_matter() -> None:
    document = copy.deepcopy(DOCUMENT)
    payload, data = document["shares"][0]["payload"], document["shares"][0]["data"]
    payload["sharesData"] = payload["sharesData"].upper().replace("0X", "0x")
    payload["publicKey"] = payload["publicKey"].removeprefix("0x")
    data["publicKey"] = data["publicKey"].upper()
    assert load_keyshares(json.dumps(document).encode()).shares == (SHARE,)


@pytest.mark.parametrize(
    "text",
    [
        "0x81592c3de184a3e2c0dcb5a261bc107bfa91f494",
        "0x81592C3DE184A3E2C0DCB5A261BC107BFA91F494",
        "0x81592C3de184a3e2c0dcb5a261bc107bfa91f494",
        "81592c3DE184A3E2c0DCB5a261BC107Bfa91f494",
    ],
)
def test_owner_is_read_as_typed_even_with_a_wrong_checksum(text: str) -> None:
    (share,) = load_keyshares(changed("shares", 0, "data", "ownerAddress", to=text)).shares
    assert share.owner == OWNER


def test_unknown_fields_are_ignored_at_every_level() -> None:
    document = copy.deepcopy(DOCUMENT)
    entry = document["shares"][0]
    for place in (document, entry, entry["data"], entry["payload"], entry["data"]["operators"][0]):
        place["added"] = {"by": ["another", "tool"]}
    assert load_keyshares(json.dumps(document).encode()) == load_keyshares(keyshares(SHARE))


def test_microseconds_in_the_date_and_a_byte_order_mark_are_taken() -> None:
    data = changed("createdAt", to="2026-01-30T16:39:04.028123Z")
    assert load_keyshares(b"\xef\xbb\xbf" + data).created_at == "2026-01-30T16:39:04.028123Z"


@pytest.mark.parametrize("created_at", [None, 7, []])
def test_date_of_another_type_is_taken_as_none(created_at: object) -> None:
    assert load_keyshares(changed("createdAt", to=created_at)).created_at == ""


PAYLOAD = ("shares", 0, "payload")
IDS = (*PAYLOAD, "operatorIds")
DATA = ("shares", 0, "data")
KEY = "0x" + "a1" * 47


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        (("shares",), None, ("empty", "shares")),
        (("shares",), [], ("empty", "shares")),
        (("shares",), {}, ("malformed", "shares")),
        (("shares",), "x", ("malformed", "shares")),
        (("shares", 0), None, ("malformed", "shares[0].payload")),
        (("shares", 0), [], ("malformed", "shares[0].payload")),
        (PAYLOAD, [], ("malformed", "shares[0].payload")),
        ((*PAYLOAD, "publicKey"), None, ("malformed", "shares[0].payload.publicKey")),
        ((*PAYLOAD, "publicKey"), 5, ("malformed", "shares[0].payload.publicKey")),
        ((*PAYLOAD, "publicKey"), KEY, ("pubkey_length", "shares[0].payload.publicKey")),
        ((*PAYLOAD, "publicKey"), "0xzz", ("malformed_hex", "shares[0].payload.publicKey")),
        ((*PAYLOAD, "sharesData"), "0x123", ("malformed_hex", "shares[0].payload.sharesData")),
        ((*PAYLOAD, "sharesData"), "0x 1234", ("malformed_hex", "shares[0].payload.sharesData")),
        ((*PAYLOAD, "sharesData"), "0x٠١", ("malformed_hex", "shares[0].payload.sharesData")),
        ((*PAYLOAD, "sharesData"), [], ("malformed", "shares[0].payload.sharesData")),
        (IDS, "1,2", ("malformed", "shares[0].payload.operatorIds")),
        (IDS, [1, "2"], ("operator_id_range", "shares[0].payload.operatorIds")),
        (IDS, [1, True], ("operator_id_range", "shares[0].payload.operatorIds")),
        (IDS, [1, 2.0], ("operator_id_range", "shares[0].payload.operatorIds")),
        (IDS, [-1], ("operator_id_range", "shares[0].payload.operatorIds")),
        (IDS, [2**64], ("operator_id_range", "shares[0].payload.operatorIds")),
        ((*DATA, "ownerAddress"), "0x12", ("address_malformed", "shares[0].data.ownerAddress")),
        ((*DATA, "ownerAddress"), "me", ("address_malformed", "shares[0].data.ownerAddress")),
        ((*DATA, "ownerAddress"), 7, ("malformed", "shares[0].data.ownerAddress")),
        ((*DATA, "ownerNonce"), -1, ("nonce_range", "shares[0].data.ownerNonce")),
        ((*DATA, "ownerNonce"), 2**64, ("nonce_range", "shares[0].data.ownerNonce")),
        ((*DATA, "ownerNonce"), "0", ("nonce_range", "shares[0].data.ownerNonce")),
        ((*DATA, "ownerNonce"), False, ("nonce_range", "shares[0].data.ownerNonce")),
        ((*DATA, "ownerNonce"), 1.0, ("nonce_range", "shares[0].data.ownerNonce")),
        ((*DATA, "publicKey"), KEY, ("pubkey_length", "shares[0].data.publicKey")),
        ((*DATA, "operators"), {}, ("malformed", "shares[0].data.operators")),
        ((*DATA, "operators", 1), None, ("malformed", "shares[0].data.operators[1]")),
        ((*DATA, "operators", 1, "id"), "2", ("malformed", "shares[0].data.operators[1]")),
        ((*DATA, "operators", 1, "operatorKey"), 3, ("malformed", "shares[0].data.operators[1]")),
    ],
)  # fmt: skip
def test_wrong_field_is_named_with_its_place(
    path: tuple[str | int, ...], value: object, wanted: tuple[str, str]
) -> None:
    data = changed(*path, to=value)
    assert [(code, where) for code, _, where in findings(data)] == [wanted]
    with pytest.raises(KeysharesError, match="keyshares: shares") as caught:
        load_keyshares(data)
    assert caught.value.code == wanted[0]


def test_everything_that_is_wrong_is_told_in_one_pass() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["version"] = "v9"
    document["shares"][0]["payload"] |= {"publicKey": "x", "operatorIds": None}
    document["shares"].append({"payload": 1})
    codes = [code for code, _, _ in findings(json.dumps(document).encode())]
    assert codes == ["version", "malformed_hex", "malformed", "malformed"]


@pytest.mark.parametrize(
    ("field", "gone"),
    [
        ("ownerNonce", None),
        ("ownerAddress", None),
        ("publicKey", None),
        ("operators", None),
        ("operators", []),
    ],
)
def test_each_missing_data_field_is_a_warning_that_names_it(field: str, gone: object) -> None:
    reading = read_keyshares(changed(*DATA, field, to=gone))
    assert [(f.code, f.severity) for f in reading.findings] == [("payload_only", "warning")]
    assert reading.findings[0].message == f"data lacks {field}"


@pytest.mark.parametrize("data", [None, {}])
def test_payload_alone_is_read_with_a_warning(data: object) -> None:
    reading = read_keyshares(changed(*DATA, to=data))
    (share,) = reading.file.shares
    assert [finding.code for finding in reading.findings] == ["payload_only"]
    assert (share.owner, share.nonce, share.data_public_key, share.operators) == (
        None,
        None,
        None,
        (),
    )
    assert share.shares_data == SHARE.shares_data


def test_data_of_another_type_is_an_error_and_leaves_the_payload() -> None:
    reading = read_keyshares(changed(*DATA, to=[1]))
    assert [f.code for f in reading.findings] == ["malformed", "payload_only"]
    assert reading.file.shares[0].public_key == SHARE.public_key


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"v1.2.0"',
        b"\xff\xfe",
        keyshares(SHARE)[:-100],
        b'{"shares": NaN}',
        b'{"shares": Infinity}',
        b'{"shares": ' + b"9" * 5000 + b"}",
        b'{"shares": "\\ud800"}',
        b'{"shares": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"shares": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
)
def test_bytes_that_are_no_json_object_are_one_error(data: bytes) -> None:
    with pytest.raises(
        KeysharesError, match=r"^keyshares: |^keyshares is (not valid JSON|nested)"
    ) as caught:
        read_keyshares(data)
    assert caught.value.code == "keyshares_malformed"
    assert len(str(caught.value)) < 500


def test_nesting_is_a_malformed_field_up_to_a_limit_and_a_malformed_file_beyond() -> None:
    seen: list[Finding] = []
    refused: set[str] = set()
    for depth in (1, 20, MAX_DEPTH - 2, MAX_DEPTH - 1, 900, 100_000):
        data = b'{"version":"v1.2.0","shares":{"a":' + b"[" * depth + b"]" * depth + b"}}"
        try:
            seen += read_keyshares(data).findings
        except KeysharesError as problem:
            refused.add(problem.code)
    assert refused == {"keyshares_malformed"}
    assert {finding.code for finding in seen} == {"malformed"}
    assert all(len(finding.message) < 100 for finding in seen)


def test_message_about_a_huge_value_stays_short() -> None:
    for value in ("z" * 10_000_000, ["a"] * 100_000, {"k" * 1_000_000: 1}, 10**4000):
        for field in ("publicKey", "sharesData", "operatorIds"):
            (finding,) = read_keyshares(changed(*PAYLOAD, field, to=value)).findings
            assert len(finding.message) < 150


def test_message_about_a_huge_committee_stays_short() -> None:
    data = changed(*IDS, to=[*range(100_000), 1])
    found = verify_keyshares(read_keyshares(data))
    assert {finding.code for finding in found} == {
        "operator_count",
        "operator_id_range",
        "operator_ids_not_unique",
        "operator_ids_mismatch",
    }
    assert all(len(finding.message) < 200 for finding in found)


def test_file_beyond_the_limit_is_refused_before_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdk.shares.keyshares_reader.FILE_MAX_BYTES", 100)
    with pytest.raises(KeysharesError, match="the limit is 100") as caught:
        read_keyshares(b" " * 101)
    assert caught.value.code == "keyshares_malformed"


def test_hostile_list_ends_in_a_bounded_number_of_findings() -> None:
    data = b'{"version":"v1.2.0","shares":[' + b"1," * 500_000 + b"1]}"
    findings = read_keyshares(data).findings
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].code == "too_many_findings"
