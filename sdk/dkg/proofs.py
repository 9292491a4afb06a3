"""Ceremony proofs: each operator's signed statement of the share it holds.

Pure. A proof binds validator, encrypted share, share public key and owner under the operator's RSA
key; it is what later allows signing a new nonce or moving the validator to other operators, so a
ceremony whose proofs do not match its keyshares is worth nothing.

Source: docs/keyshares.md, "Key ceremonies".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sdk import ssz
from sdk.committee import ENCRYPTED_SHARE_BYTES
from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import InputError, KeysharesError
from sdk.findings import Finding
from sdk.json_documents import read_json
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.layout import unpack
from sdk.types import (
    ADDRESS_BYTES,
    PUBLIC_KEY_BYTES,
    Address,
    PublicKey,
    checksum_address,
    parse_hex,
)

PROOFS_MAX_BYTES: Final = 256 * 1024 * 1024
"""About 10,000 validators with 13 operators at 1.6 kB a proof."""
_ENCRYPTED_SHARE_LIMIT: Final = 512
"""List limit of the field in the signed container."""


@dataclass(frozen=True, slots=True)
class SignedProof:
    """One operator's proof with its RSA-PSS signature."""

    validator: PublicKey
    encrypted_share: bytes
    share_public_key: PublicKey
    owner: Address
    signature: bytes


class _Proof(msgspec.Struct):
    validator: str
    encrypted_share: str
    share_pub: str
    owner: str


class _SignedProof(msgspec.Struct):
    proof: _Proof
    signature: str


def read_proofs(data: bytes, *, source: str = "proofs.json") -> list[list[SignedProof]]:
    """The proofs of one validator (a list) or of several (a list of lists), in file order.

    Raises:
        InputError: `proofs_malformed`.
    """
    document = read_json(
        data,
        list[Any],
        source=source,
        limit_bytes=PROOFS_MAX_BYTES,
        error=InputError,
        code="proofs_malformed",
    )
    is_nested = bool(document) and all(isinstance(item, list) for item in document)
    groups = document if is_nested else [document]
    try:
        return [
            [_check(proof) for proof in msgspec.convert(group, list[_SignedProof])]
            for group in groups
        ]
    except (msgspec.ValidationError, InputError) as problem:
        raise InputError(
            f"{source}: {problem}",
            code="proofs_malformed",
            hint="Take the ceremony's output again from its backup.",
        ) from None


def proof_root(proof: SignedProof) -> bytes:
    """The 32-byte SSZ root that the operator signs."""
    return ssz.root_of_container(
        ssz.root_of_bytes_vector(proof.validator),
        ssz.root_of_byte_list(proof.encrypted_share, limit_bytes=_ENCRYPTED_SHARE_LIMIT),
        ssz.root_of_bytes_vector(proof.share_public_key),
        ssz.root_of_bytes_vector(proof.owner),
    )


def is_signed_by(proof: SignedProof, operator: OperatorPublicKey) -> bool:
    """Whether the operator signed the proof (RSA-PSS, SHA-256)."""
    return operator.verify_pss(proof_root(proof), proof.signature)


def check_proofs(
    proofs: Sequence[SignedProof], share: KeyShare, *, where: str = "proofs.json"
) -> Iterator[Finding]:
    """Differences between a validator's proofs and its keyshares entry, and bad signatures.

    Codes: `proof_count`, `proof_validator_mismatch`, `proof_owner_mismatch`,
    `proof_share_mismatch`, `proof_signature_invalid`, `operator_key_malformed`.
    """
    if len(proofs) != len(share.operator_ids):
        message = f"{len(proofs)} proofs for {len(share.operator_ids)} operators"
        yield Finding("proof_count", message, where=where)
        return
    try:
        parts = unpack(share.shares_data, operators=len(share.operator_ids))
    except KeysharesError:
        return  # reported by the check of the keyshares file itself
    keys = {operator.id: operator.operator_key for operator in share.operators}
    for index, proof in enumerate(proofs):
        operator = share.operator_ids[index]
        place = f"{where}[{index}] (operator {operator})"
        if proof.validator != share.public_key:
            yield Finding(
                "proof_validator_mismatch",
                f"proves validator 0x{proof.validator.hex()}, the keyshares are for "
                f"0x{share.public_key.hex()}",
                where=place,
            )
        if share.owner is not None and proof.owner != share.owner:
            yield Finding(
                "proof_owner_mismatch",
                f"names owner {checksum_address(proof.owner)}, the keyshares "
                f"{checksum_address(share.owner)}",
                where=place,
            )
        expected = (parts.share_public_keys[index], parts.encrypted_shares[index])
        if (proof.share_public_key, proof.encrypted_share) != expected:
            message = "the share it proves is not the one in the keyshares"
            yield Finding("proof_share_mismatch", message, where=place)
        yield from _signature(proof, keys.get(operator), place)


def _signature(proof: SignedProof, operator_key: str | None, where: str) -> Iterator[Finding]:
    if operator_key is None:
        return  # reported as operator_ids_mismatch by the check of the keyshares file
    try:
        key = parse_public_key(operator_key)
    except InputError as problem:
        yield Finding("operator_key_malformed", problem.message, where=where)
        return
    if not is_signed_by(proof, key):
        yield Finding(
            "proof_signature_invalid",
            "the operator's key did not sign this proof",
            where=where,
            hint="Signing a new nonce and moving the validator would be refused; run it again.",
        )


def _check(raw: _SignedProof) -> SignedProof:
    proof = raw.proof
    return SignedProof(
        validator=PublicKey(parse_hex(proof.validator, what="validator", length=PUBLIC_KEY_BYTES)),
        encrypted_share=parse_hex(
            proof.encrypted_share, what="encrypted_share", length=ENCRYPTED_SHARE_BYTES
        ),
        share_public_key=PublicKey(
            parse_hex(proof.share_pub, what="share_pub", length=PUBLIC_KEY_BYTES)
        ),
        owner=Address(parse_hex(proof.owner, what="owner", length=ADDRESS_BYTES)),
        signature=parse_hex(raw.signature, what="signature", length=ENCRYPTED_SHARE_BYTES),
    )
