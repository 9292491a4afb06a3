"""Every finding of `verify_keyshares`: a good file, one thing changed, and what must be said."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from sdk.crypto import bls, threshold
from sdk.errors import KeysharesError
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.layout import pack, unpack
from sdk.shares.proofs import open_shares
from sdk.shares.verify import is_sound, verify_keyshares
from sdk.testing.keys import (
    OWNER,
    key_share,
    keyshares,
    operator_key,
    private_keys,
    validator_secret,
)
from sdk.types import Address, OperatorId, PublicKey

Document: TypeAlias = dict[str, Any]
FIRST, SECOND = key_share(1, nonce=7), key_share(2, nonce=8)
GOOD: Document = json.loads(keyshares(FIRST, SECOND))
OTHER_OWNER = Address(b"\x11" * 20)
KEYS = private_keys()
REGISTERED = {operator: key.public_key for operator, key in KEYS.items()}
ALL_KNOWN = Expected(owner=OWNER, nonce=7, operators=REGISTERED, private_keys=KEYS)

SIGNATURE = slice(2, 2 + 192)
NOT_ON_CURVE = "ab" * 48
IDENTITY = "c0" + "00" * 47
OUTSIDE_THE_GROUP = "80" + "00" * 47
"""x = 0, y = 2 or -2: on the curve, of order 3."""


def verdict(document: Document, expected: Expected | None = None) -> tuple[set[str], set[str]]:
    """Codes of errors and of warnings."""
    findings = verify_keyshares(read_keyshares(json.dumps(document).encode()), expected)
    errors = {finding.code for finding in findings if finding.severity == "error"}
    assert is_sound(findings) == (not errors)
    return errors, {finding.code for finding in findings} - errors


def file_of(*shares: KeyShare) -> Document:
    document: Document = json.loads(keyshares(*shares))
    return document


def share_key_at(index: int) -> slice:
    return slice(2 + 192 + 96 * index, 2 + 192 + 96 * (index + 1))


def ciphertext_at(index: int) -> slice:
    return slice(2 + 192 + 4 * 96 + 512 * index, 2 + 192 + 4 * 96 + 512 * (index + 1))


def put(document: Document, place: slice, digits: str, entry: int = 0) -> None:
    payload = document["shares"][entry]["payload"]
    text = payload["sharesData"]
    payload["sharesData"] = text[: place.start] + digits + text[place.stop :]


def piece(place: slice, entry: int = 0) -> str:
    text: str = GOOD["shares"][entry]["payload"]["sharesData"]
    return text[place]


def swap(document: Document, one: slice, two: slice) -> None:
    put(document, one, piece(two))
    put(document, two, piece(one))


def operators_of(document: Document) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = document["shares"][0]["data"]["operators"]
    return listed


def ids_of(document: Document) -> list[Any]:
    ids: list[Any] = document["shares"][0]["payload"]["operatorIds"]
    return ids


def rename_operator(document: Document, index: int, number: int) -> None:
    operators_of(document)[index]["id"] = number
    ids_of(document)[index] = number


def drop_operator(document: Document) -> None:
    operators_of(document).pop()
    ids_of(document).pop()


def set_data(document: Document, **fields: object) -> None:
    document["shares"][0]["data"] |= fields


def set_keys(document: Document, digits: str) -> None:
    document["shares"][0]["data"]["publicKey"] = f"0x{digits}"
    document["shares"][0]["payload"]["publicKey"] = f"0x{digits}"


def exchange_whole_shares(document: Document) -> None:
    """The second validator's share keys and ciphertexts under the first one's signature."""
    text = document["shares"][1]["payload"]["sharesData"]
    put(document, slice(2 + 192, len(text)), text[2 + 192 :])


def test_good_file_has_no_findings_even_with_everything_known() -> None:
    assert verdict(GOOD) == (set(), set())
    assert verdict(GOOD, ALL_KNOWN) == (set(), set())


@pytest.mark.parametrize("size", [4, 7, 10, 13])
def test_every_size_of_committee_with_large_ids_is_sound(size: int) -> None:
    ids = range(2**64 - size, 2**64)
    document = file_of(key_share(1, ids=ids))
    assert verdict(document, Expected(private_keys=private_keys(ids))) == (set(), set())


CASES: Sequence[tuple[str, Callable[[Document], object], set[str]]] = [
    ("three operators", drop_operator, {"operator_count"}),
    ("id zero", lambda d: rename_operator(d, 0, 0), {"operator_id_range"}),
    ("ids descend", lambda d: ids_of(d).reverse(), {"operator_ids_not_sorted"}),
    ("an id twice", lambda d: rename_operator(d, 1, 1), {"operator_ids_not_unique"}),
    (
        "an id twice in data only",
        lambda d: operators_of(d)[3].update(id=3),
        {"operator_ids_not_unique"},
    ),
    ("other id in data", lambda d: operators_of(d)[3].update(id=5), {"operator_ids_mismatch"}),
    ("operator left out of data", lambda d: operators_of(d).pop(), {"operator_ids_mismatch"}),
    (
        "operator key is rubbish",
        lambda d: operators_of(d)[2].update(operatorKey="LS0tAAAA"),
        {"operator_key_malformed"},
    ),
    (
        "same operator key twice",
        lambda d: operators_of(d)[1].update(operatorKey=operators_of(d)[0]["operatorKey"]),
        {"operator_keys_not_unique"},
    ),
    (
        "shares cut",
        lambda d: put(d, slice(2, 4), ""),
        {"shares_length"},
    ),
    ("shares padded", lambda d: put(d, slice(2, 2), "00"), {"shares_length"}),
    ("data names another validator", lambda d: set_data(
        d, publicKey=f"0x{SECOND.public_key.hex()}"
    ), {"pubkey_mismatch"}),
    # The two consequences of a key that is no point are told, too: neither can hold for it.
    *(
        (
            title,
            lambda d, digits=digits: set_keys(d, digits),
            {"pubkey_invalid", "nonce_signature_invalid", "share_pubkeys_do_not_recombine"},
        )
        for title, digits in (
            ("validator key off the curve", NOT_ON_CURVE),
            ("validator key is the identity", IDENTITY),
            ("validator key outside the group", OUTSIDE_THE_GROUP),
        )
    ),
    ("signature of another entry", lambda d: put(d, SIGNATURE, piece(SIGNATURE, 1)), {
        "nonce_signature_invalid"
    }),
    ("signature is no point", lambda d: put(d, SIGNATURE, "00" * 96), {"nonce_signature_invalid"}),
    (
        "signature is the identity",
        lambda d: put(d, SIGNATURE, "c0" + "00" * 95),
        {"nonce_signature_invalid"},
    ),
    *(
        (title, lambda d, digits=digits: put(d, share_key_at(1), digits), {"share_pubkey_invalid"})
        for title, digits in (
            ("share key off the curve", NOT_ON_CURVE),
            ("share key is the identity", IDENTITY),
            ("share key outside the group", OUTSIDE_THE_GROUP),
        )
    ),
    *(
        (
            f"share key {index} of another validator",
            lambda d, at=index: put(d, share_key_at(at), piece(share_key_at(at), 1)),
            {"share_pubkeys_do_not_recombine"},
        )
        for index in range(4)
    ),
    (
        "share keys exchanged",
        lambda d: swap(d, share_key_at(0), share_key_at(1)),
        {"share_pubkeys_do_not_recombine"},
    ),
    ("shares of another validator", exchange_whole_shares, {"share_pubkeys_do_not_recombine"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_damaged_entry_has_exactly_this_finding(
    change: Callable[[Document], object], wanted: set[str]
) -> None:
    document = copy.deepcopy(GOOD)
    change(document)
    assert verdict(document) == (wanted, set())


def test_finding_names_the_entry_it_is_about() -> None:
    document = copy.deepcopy(GOOD)
    put(document, SIGNATURE, piece(SIGNATURE, 0), entry=1)
    findings = verify_keyshares(read_keyshares(json.dumps(document).encode()))
    assert [(f.code, f.where) for f in findings] == [
        ("nonce_signature_invalid", "shares[1].payload.sharesData")
    ]
    assert "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494 with nonce 8" in findings[0].message


@pytest.mark.parametrize("fields", [{"ownerNonce": 6}, {"ownerAddress": "0x" + "11" * 20}])
def test_signature_covers_owner_and_nonce(fields: dict[str, object]) -> None:
    document = copy.deepcopy(GOOD)
    del document["shares"][1]
    set_data(document, **fields)
    assert verdict(document) == ({"nonce_signature_invalid"}, set())


def test_share_keys_that_lie_on_a_higher_polynomial_are_refused() -> None:
    """Signing would work with operators 1 to 3 and with no other three."""
    secret = validator_secret(1)
    coefficients = [validator_secret(number) for number in (11, 12, 13)]
    shares = threshold.split(secret, coefficients, list(FIRST.operator_ids))
    document = copy.deepcopy(GOOD)
    for index, share in enumerate(shares.values()):
        put(document, share_key_at(index), bls.public_key(share).hex())
    assert verdict(document) == ({"share_pubkeys_do_not_recombine"}, set())


def test_decryption_is_checked_for_the_operators_whose_keys_are_given() -> None:
    document = copy.deepcopy(GOOD)
    swap(document, ciphertext_at(1), ciphertext_at(2))
    assert verdict(document) == (set(), set())
    assert verdict(document, Expected(private_keys={OperatorId(1): KEYS[OperatorId(1)]}))[0] == (
        set()
    )
    findings = verify_keyshares(
        read_keyshares(json.dumps(document).encode()), Expected(private_keys=KEYS)
    )
    assert [f.code for f in findings] == ["share_undecryptable"] * 2
    assert ["operator 2" in findings[0].message, "operator 3" in findings[1].message] == [True] * 2


def test_damaged_ciphertext_and_other_operator_key_are_undecryptable() -> None:
    document = copy.deepcopy(GOOD)
    put(document, ciphertext_at(0), "00" * 256)
    assert verdict(document, Expected(private_keys=KEYS))[0] == {"share_undecryptable"}
    others = {OperatorId(1): operator_key(9)}
    assert verdict(GOOD, Expected(private_keys=others))[0] == {"share_undecryptable"}


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_both_plaintext_forms_in_use_decrypt(prefix: str) -> None:
    opened = open_shares(FIRST, KEYS)
    parts = unpack(FIRST.shares_data, operators=4)
    encrypted = tuple(
        KEYS[operator].public_key.encrypt((prefix + secret.to_bytes().hex()).encode())
        for operator, secret in opened.items()
    )
    document = file_of(FIRST)
    repacked = pack(
        type(parts)(parts.signature, parts.share_public_keys, encrypted_shares=encrypted)
    )
    document["shares"][0]["payload"]["sharesData"] = f"0x{repacked.hex()}"
    assert verdict(document, Expected(private_keys=KEYS)) == (set(), set())


def test_open_shares_refuses_a_wrong_length_and_a_wrong_key() -> None:
    with pytest.raises(KeysharesError) as caught:
        open_shares(FIRST, {OperatorId(1): operator_key(2)})
    assert caught.value.code == "share_undecryptable"
    cut = KeyShare(PublicKey(bytes(48)), FIRST.operator_ids, b"", None, None, None, ())
    with pytest.raises(KeysharesError) as caught:
        open_shares(cut, KEYS)
    assert caught.value.code == "shares_length"


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        (Expected(owner=OTHER_OWNER), {"owner_mismatch"}),
        (Expected(nonce=6), {"nonce_mismatch"}),
        (Expected(nonce=8), {"nonce_mismatch"}),
        (Expected(operators={}), {"operator_unknown"}),
        (
            Expected(operators={k: v for k, v in REGISTERED.items() if k != 4}),
            {"operator_unknown"},
        ),
        (
            Expected(operators=REGISTERED | {OperatorId(2): operator_key(9).public_key}),
            {"operator_key_mismatch"},
        ),
    ],
)
def test_difference_to_what_is_known_is_exactly_this_finding(
    expected: Expected, wanted: set[str]
) -> None:
    assert verdict(GOOD, expected) == (wanted, set())


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (file_of(key_share(1), key_share(1, nonce=1)), ({"duplicate_validator"}, set())),
        (
            file_of(key_share(1), key_share(2)),
            ({"nonce_not_unique"}, {"nonces_not_consecutive"}),
        ),
        (file_of(key_share(1), key_share(2, nonce=2)), (set(), {"nonces_not_consecutive"})),
        (file_of(key_share(1, nonce=1), key_share(2)), (set(), {"nonces_not_consecutive"})),
        (
            file_of(key_share(1), key_share(2, nonce=1, owner=OTHER_OWNER)),
            (set(), {"owners_differ"}),
        ),
        (file_of(key_share(1, nonce=59_999)), (set(), set())),
        (file_of(key_share(1, nonce=60_000)), (set(), {"nonce_wraps"})),
        (file_of(key_share(1, nonce=65_536)), (set(), {"nonce_wraps"})),
    ],
)
def test_entries_are_judged_together(document: Document, wanted: tuple[set[str], set[str]]) -> None:
    assert verdict(document) == wanted


def test_duplicate_is_reported_at_the_later_entry() -> None:
    data = keyshares(key_share(1), key_share(1, nonce=1))
    (finding,) = verify_keyshares(read_keyshares(data))
    assert finding.where == "shares[1].payload.publicKey"


def payload_only(*shares: KeyShare) -> Document:
    document = file_of(*shares)
    for entry in document["shares"]:
        del entry["data"]
    return document


def test_payload_alone_is_proved_as_far_as_it_goes() -> None:
    assert verdict(payload_only(FIRST, SECOND)) == (set(), {"payload_only"})
    document = payload_only(FIRST)
    swap(document, share_key_at(0), share_key_at(1))
    assert verdict(document)[0] == {"share_pubkeys_do_not_recombine"}


def test_payload_alone_is_checked_against_the_owner_and_nonce_that_are_given() -> None:
    document = payload_only(FIRST, SECOND)
    assert verdict(document, ALL_KNOWN) == (set(), {"payload_only"})
    for wrong in (Expected(owner=OWNER, nonce=6), Expected(owner=OTHER_OWNER, nonce=7)):
        assert verdict(document, wrong)[0] == {"nonce_signature_invalid"}


def test_unreadable_entry_does_not_shift_the_nonces_of_the_others() -> None:
    document = copy.deepcopy(GOOD)
    document["shares"][0]["payload"] = None
    assert verdict(document, Expected(owner=OWNER, nonce=7)) == ({"malformed"}, set())


def test_findings_of_reading_come_first_and_count() -> None:
    document = copy.deepcopy(GOOD) | {"version": "v4"}
    put(document, slice(2, 4), "")
    findings = verify_keyshares(read_keyshares(json.dumps(document).encode()))
    assert [finding.code for finding in findings] == ["version", "shares_length"]
    assert not is_sound(findings)
