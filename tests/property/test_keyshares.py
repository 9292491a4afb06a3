"""Keyshares under any input: round trips, sound splits, and hostile files."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk import committee
from sdk.crypto import threshold
from sdk.errors import KeysharesError
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import (
    MAX_NONCE,
    WRITTEN_VERSIONS,
    KeyShare,
    KeysharesFile,
    OperatorEntry,
    write_keyshares,
)
from sdk.shares.keyshares_reader import load_keyshares, read_keyshares
from sdk.shares.layout import SharesData, pack, unpack
from sdk.shares.proofs import open_shares
from sdk.shares.verify import verify_keyshares
from sdk.testing.keys import (
    OWNER,
    key_share,
    keyshares,
    operators,
    private_keys,
    validator_secret,
)
from sdk.types import MAX_OPERATOR_ID, Address, OperatorId, PublicKey, Signature

sizes = st.sampled_from(sorted(committee.THRESHOLDS))
operator_ids = st.integers(1, 60) | st.integers(1, MAX_OPERATOR_ID)
committees = sizes.flatmap(
    lambda size: st.lists(operator_ids, min_size=size, max_size=size, unique=True)
)
owners = st.binary(min_size=20, max_size=20).map(Address)
nonces = st.integers(0, 70_000) | st.integers(0, MAX_NONCE)


@st.composite
def any_share(draw: st.DrawFn) -> KeyShare:
    """An entry of the right form; its points and ciphertexts are random bytes."""
    ids = tuple(OperatorId(each) for each in draw(committees))
    public_key = PublicKey(draw(st.binary(min_size=48, max_size=48)))
    return KeyShare(
        public_key=public_key,
        operator_ids=ids,
        shares_data=draw(st.binary(max_size=400)),
        owner=draw(owners),
        nonce=draw(nonces),
        data_public_key=public_key,
        operators=tuple(OperatorEntry(each, draw(st.text(max_size=20))) for each in ids),
    )


@given(st.lists(any_share(), min_size=1, max_size=3), st.text(), st.sampled_from(WRITTEN_VERSIONS))
def test_what_is_written_is_read(shares: list[KeyShare], created_at: str, version: str) -> None:
    file = KeysharesFile(tuple(shares), created_at=created_at, version=version)
    reading = read_keyshares(write_keyshares(file))
    assert reading.findings == ()
    assert reading.file == file
    assert [share.position for share in reading.file.shares] == list(range(len(shares)))


@given(sizes, st.data())
def test_what_is_packed_is_unpacked(size: int, data: st.DataObject) -> None:
    def pieces(length: int) -> list[bytes]:
        piece = st.binary(min_size=length, max_size=length)
        return data.draw(st.lists(piece, min_size=size, max_size=size))

    parts = SharesData(
        Signature(data.draw(st.binary(min_size=96, max_size=96))),
        tuple(PublicKey(piece) for piece in pieces(48)),
        tuple(pieces(256)),
    )
    assert unpack(pack(parts), operators=size) == parts


@settings(max_examples=25)
@given(st.integers(1, 2**32), committees, owners, nonces, st.randoms(use_true_random=False))
def test_every_split_is_sound_and_exactly_t_shares_recover(
    number: int, ids: Sequence[int], owner: Address, nonce: int, rng: Any
) -> None:
    keys = private_keys(ids)
    data = keyshares(key_share(number, ids=ids, owner=owner, nonce=nonce))
    registered = {operator.id: operator.public_key for operator in operators(ids)}
    expected = Expected(owner=owner, nonce=nonce, operators=registered, private_keys=keys)
    findings = verify_keyshares(read_keyshares(data), expected)
    assert {finding.code for finding in findings} <= {"nonce_wraps"}

    (share,) = load_keyshares(data).shares
    assert list(share.operator_ids) == sorted(ids)
    opened = open_shares(share, keys)
    chosen = rng.sample(sorted(ids), committee.threshold_of(len(ids)))
    some = {operator: opened[operator] for operator in chosen}
    assert threshold.recover_secret(some) == validator_secret(number)
    some.popitem()
    assert threshold.recover_secret(some) != validator_secret(number)


KEYS = private_keys()
REGISTERED = {operator.id: operator.public_key for operator in operators()}
GOOD: dict[str, Any] = json.loads(keyshares(key_share(1), key_share(2, nonce=1)))
CODES = {
    *("version", "empty", "malformed", "malformed_hex", "pubkey_length", "address_malformed"),
    *("nonce_range", "payload_only", "operator_count", "operator_ids_not_sorted"),
    *("operator_ids_not_unique", "operator_ids_mismatch", "operator_id_range"),
    *("operator_key_malformed", "operator_key_mismatch", "operator_keys_not_unique"),
    *("operator_unknown", "shares_length", "pubkey_mismatch", "pubkey_invalid"),
    *("nonce_signature_invalid", "share_pubkey_invalid", "share_pubkeys_do_not_recombine"),
    *("share_undecryptable", "duplicate_validator", "nonce_not_unique", "owner_mismatch"),
    *("nonce_mismatch", "nonce_wraps", "nonces_not_consecutive", "owners_differ"),
}
"""Every finding the documentation promises, and no other."""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 5, -1, 2**64, 10**400, 65_536])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["0x", "0x00", "0x" + "c0" + "00" * 47, "v1.2.0", "\x1b[2J", "0x" + "0" * 40]
    ),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("version", "shares", "data", "payload", "publicKey", "operatorIds"),
                    *("sharesData", "operators", "id", "operatorKey", "ownerNonce", "x"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
expectations = st.sampled_from(
    [None, Expected(owner=OWNER, nonce=0, operators=REGISTERED, private_keys=KEYS)]
)


def judge(data: bytes, expected: Expected | None) -> set[str]:
    """Codes of all findings; anything but a KeysharesError fails the test."""
    try:
        reading = read_keyshares(data)
    except KeysharesError as problem:
        return {problem.code}
    return {finding.code for finding in verify_keyshares(reading, expected)}


@given(json_values, expectations)
def test_any_json_gives_documented_findings(value: object, expected: Expected | None) -> None:
    codes = judge(json.dumps(value).encode(), expected)
    assert codes <= CODES | {"keyshares_malformed"}
    assert codes, "no arbitrary document is a sound file"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_keyshares_error_or_findings(data: bytes) -> None:
    assert judge(data, None) <= CODES | {"keyshares_malformed"}


def places(value: object, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every field and element of a document, at every depth."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [
        path for key, inner in items for path in [(*prefix, key), *places(inner, (*prefix, key))]
    ]


def flipped(text: str, at: int) -> str:
    """The text with one character changed to another hex digit."""
    at %= len(text)
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


@settings(max_examples=150)
@given(st.sampled_from(places(GOOD)), json_values, st.integers(0, 5000), st.data())
def test_good_file_with_one_change_gives_documented_findings(
    place: tuple[Any, ...], value: object, at: int, data: st.DataObject
) -> None:
    document = copy.deepcopy(GOOD)
    parent: Any = document
    for step in place[:-1]:
        parent = parent[step]
    old = parent[place[-1]]
    change = data.draw(st.sampled_from(["replace", "remove", "flip", "double"]))
    if change == "remove":
        del parent[place[-1]]
    elif change == "flip" and isinstance(old, str):
        parent[place[-1]] = flipped(old, at)
    elif change == "double" and isinstance(parent, list):
        parent.append(copy.deepcopy(old))
    else:
        parent[place[-1]] = value
    expected = Expected(owner=OWNER, nonce=0, operators=REGISTERED, private_keys=KEYS)
    codes = judge(json.dumps(document).encode(), expected)
    assert codes <= CODES
    is_shorter_file = change == "remove" and place == ("shares", 1)
    if document != GOOD and place[0] != "createdAt" and not is_shorter_file:
        assert codes or change == "flip", (place, change)


@settings(max_examples=60)
@given(st.integers(0, 2 * (96 + 304 * 4) - 1))
def test_no_byte_of_shares_data_can_change_unseen(at: int) -> None:
    document = copy.deepcopy(GOOD)
    payload = document["shares"][0]["payload"]
    payload["sharesData"] = "0x" + flipped(payload["sharesData"][2:], at)
    codes = judge(json.dumps(document).encode(), Expected(private_keys=KEYS))
    assert codes & {
        "nonce_signature_invalid",
        "share_pubkey_invalid",
        "share_pubkeys_do_not_recombine",
        "share_undecryptable",
    }


@given(st.integers(0, 200_000))
def test_file_cut_anywhere_is_a_keyshares_error(at: int) -> None:
    whole = keyshares(key_share(1))
    data = whole[: at % (len(whole) - 2)]
    assert judge(data, None) == {"keyshares_malformed"}
