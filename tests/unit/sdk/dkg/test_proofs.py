"""Ceremony proofs: reading them, their signed root, and every way they can be wrong."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remerkleable.byte_arrays import ByteList, ByteVector
from remerkleable.complex import Container

from sdk.dkg.proofs import SignedProof, check_proofs, is_signed_by, proof_root, read_proofs
from sdk.errors import InputError
from sdk.shares.keyshares_file import KeyShare, OperatorEntry
from sdk.testing.keys import OWNER, key_share, operator_key
from sdk.types import Address, OperatorId, PublicKey
from tests.unit.sdk.dkg.ceremony_files import proof_json, proofs_json

SHARE = key_share(1)
GOOD: list[dict[str, Any]] = proofs_json(SHARE)


class Proof(Container):  # type: ignore[misc] # the library carries no types
    """The signed container, written down a second time."""

    validator: ByteVector[48]
    encrypted_share: ByteList[512]
    share_public_key: ByteVector[48]
    owner: ByteVector[20]


def codes(document: list[dict[str, Any]], share: KeyShare = SHARE) -> list[str]:
    (proofs,) = read_proofs(json.dumps(document).encode())
    return [finding.code for finding in check_proofs(proofs, share)]


# Without the postponed annotations of other files: the container reads them as types.
@given(
    st.binary(min_size=48, max_size=48),
    st.binary(max_size=512),
    st.binary(min_size=48, max_size=48),
    st.binary(min_size=20, max_size=20),
)
def test_signed_root_is_that_of_the_container(
    validator: bytes, ciphertext: bytes, share_key: bytes, owner: bytes
) -> None:
    proof = SignedProof(PublicKey(validator), ciphertext, PublicKey(share_key), Address(owner), b"")
    twin = Proof(
        validator=validator,
        encrypted_share=ciphertext,
        share_public_key=share_key,
        owner=owner,
    )
    assert proof_root(proof) == bytes(twin.hash_tree_root())


def test_proofs_of_one_and_of_several_validators_are_read() -> None:
    one = read_proofs(json.dumps(GOOD).encode())
    two = read_proofs(json.dumps([GOOD, GOOD]).encode())
    assert [len(group) for group in one] == [4]
    assert two == [*one, *one]
    assert one[0][0].owner == OWNER
    assert is_signed_by(one[0][0], operator_key(1).public_key)
    assert not is_signed_by(one[0][0], operator_key(2).public_key)


def test_good_proofs_have_no_findings() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b"[null]",
        b"[{}]",
        b'[{"proof": {}, "signature": ""}]',
        b"[" * 100_000,
        b"[[[[]]]]",
        json.dumps(GOOD).encode()[:-9],
    ],
)
def test_other_documents_are_malformed(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_proofs(data)
    assert caught.value.code == "proofs_malformed"


@pytest.mark.parametrize("field", ["validator", "encrypted_share", "share_pub", "owner"])
@pytest.mark.parametrize("value", [None, 5, "", "zz", "00", "00" * 1000])
def test_field_of_another_form_is_malformed(field: str, value: object) -> None:
    document = copy.deepcopy(GOOD)
    document[1]["proof"][field] = value
    with pytest.raises(InputError, match=r"^proofs\.json: ") as caught:
        read_proofs(json.dumps(document).encode())
    assert caught.value.code == "proofs_malformed"


@pytest.mark.parametrize("value", [None, "", "zz", "00" * 255])
def test_signature_of_another_form_is_malformed(value: object) -> None:
    document = copy.deepcopy(GOOD)
    document[0]["signature"] = value
    with pytest.raises(InputError):
        read_proofs(json.dumps(document).encode())


def resigned(document: list[dict[str, Any]], at: int, **changes: Any) -> None:
    """A proof whose content was changed before its operator signed it."""
    proof = document[at]["proof"]
    facts = {
        "validator": bytes.fromhex(proof["validator"]),
        "ciphertext": bytes.fromhex(proof["encrypted_share"]),
        "share_key": bytes.fromhex(proof["share_pub"]),
        "owner": OWNER,
    }
    document[at] = proof_json(operator_key(at + 1), **(facts | changes))


CASES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], list[str]]] = {
    "one missing": (lambda d: d.pop(), ["proof_count"]),
    "none": (lambda d: d.clear(), ["proof_count"]),
    "one too many": (lambda d: d.append(d[0]), ["proof_count"]),
    "signature damaged": (
        lambda d: d[2].update(signature="00" * 256),
        ["proof_signature_invalid"],
    ),
    "signatures exchanged": (
        lambda d: (d[0].update(signature=d[1]["signature"]), None),
        ["proof_signature_invalid"],
    ),
    "other validator": (
        lambda d: resigned(d, 1, validator=b"\x11" * 48),
        ["proof_validator_mismatch"],
    ),
    "other owner": (
        lambda d: resigned(d, 1, owner=Address(b"\x11" * 20)),
        ["proof_owner_mismatch"],
    ),
    "other share key": (lambda d: resigned(d, 1, share_key=b"\x11" * 48), ["proof_share_mismatch"]),
    "other ciphertext": (
        lambda d: resigned(d, 1, ciphertext=b"\x11" * 256),
        ["proof_share_mismatch"],
    ),
    "proofs in another order": (
        lambda d: d.reverse(),
        ["proof_share_mismatch", "proof_signature_invalid"] * 4,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_difference_to_the_keyshares_has_exactly_this_finding(name: str) -> None:
    change, wanted = CASES[name]
    document = copy.deepcopy(GOOD)
    change(document)
    assert codes(document) == wanted


def test_finding_names_the_operator() -> None:
    document = copy.deepcopy(GOOD)
    document[2]["signature"] = "00" * 256
    (proofs,) = read_proofs(json.dumps(document).encode())
    (finding,) = check_proofs(proofs, SHARE)
    assert finding.where == "proofs.json[2] (operator 3)"


def test_malformed_operator_key_is_told_instead_of_a_wrong_signature() -> None:
    operators = (OperatorEntry(OperatorId(1), "x"), *SHARE.operators[1:])
    assert codes(GOOD, replace(SHARE, operators=operators)) == ["operator_key_malformed"]


def test_what_the_check_of_the_keyshares_reports_is_not_reported_again() -> None:
    assert codes(GOOD, replace(SHARE, shares_data=b"")) == []
    assert codes(GOOD, replace(SHARE, operators=SHARE.operators[1:])) == []
