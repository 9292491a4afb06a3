"""EIP-712: the digest is the standard's, and every member of the struct changes it."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from indexer.api.metadata import CLUSTER_STRUCT, OPERATOR_STRUCT
from indexer.api.typed_data import digest, encoded, signer_of, typed_data
from sdk.testing import builders
from sdk.types import keccak256, parse_address

OWNER = Account.from_key(b"\x07" * 32)
CONTRACT = builders.address(9)
MESSAGE: dict[str, Any] = {
    "cluster_id": "0x" + "ab" * 32,
    "name": "Savings",
    "description": "Ours",
    "nonce": 3,
    "expires_at": 1_800_000_000,
}


def data(**changes: Any) -> dict[str, Any]:
    return typed_data(CLUSTER_STRUCT, MESSAGE | changes, chain_id=31337, contract=CONTRACT)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_digest_is_that_of_the_standard() -> None:
    """Written out from EIP-712 by hand."""
    domain_type = b"EIP712Domain(string name,string version,uint256 chainId,"
    domain_type += b"address verifyingContract)"
    domain = keccak256(
        keccak256(domain_type)
        + keccak256(b"Phalanx registry metadata")
        + keccak256(b"1")
        + word(31337)
        + bytes(12)
        + CONTRACT
    )
    struct_type = b"ClusterMetadata(bytes32 cluster_id,string name,string description,"
    struct_type += b"uint64 nonce,uint64 expires_at)"
    struct = keccak256(
        keccak256(struct_type)
        + b"\xab" * 32
        + keccak256(b"Savings")
        + keccak256(b"Ours")
        + word(3)
        + word(1_800_000_000)
    )
    assert digest(encoded(data())) == keccak256(b"\x19\x01" + domain + struct)


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster_id": "0x" + "ac" * 32},
        {"name": "savings"},
        {"description": ""},
        {"nonce": 4},
        {"expires_at": 1_800_000_001},
    ],
)
def test_a_signature_is_for_every_member(changes: dict[str, Any]) -> None:
    message = encoded(data())
    signature = bytes(Account.sign_message(message, OWNER.key).signature)
    assert signer_of(message, signature) == parse_address(OWNER.address)
    assert signer_of(encoded(data(**changes)), signature) != parse_address(OWNER.address)


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(65), b"\xff" * 65, bytes(200)])
def test_what_is_no_signature_of_an_account_is_nobodys(signature: bytes) -> None:
    assert signer_of(encoded(data()), signature) is None


def test_chain_and_registry_are_signed_too() -> None:
    message = MESSAGE
    here = digest(encoded(data()))
    for other in (
        typed_data(CLUSTER_STRUCT, message, chain_id=1, contract=CONTRACT),
        typed_data(CLUSTER_STRUCT, message, chain_id=31337, contract=builders.address(8)),
    ):
        assert digest(encoded(other)) != here


def test_the_struct_of_an_operator_has_all_its_texts() -> None:
    made = typed_data(OPERATOR_STRUCT, {}, chain_id=1, contract=CONTRACT)
    members = [each["name"] for each in made["types"]["OperatorMetadata"]]
    assert members[0] == "operator_id"
    assert members[-2:] == ["nonce", "expires_at"]
    assert {"name", "description", "dkg_address", "website_url"} < set(members)
