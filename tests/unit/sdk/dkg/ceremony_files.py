"""Writes the output of a ceremony of our own making: valid keys, signatures and proofs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.deposits import ACTIVATION_GWEI, make_deposit, render_deposits, withdrawal_credentials
from sdk.dkg.proofs import SignedProof, proof_root
from sdk.networks import HOODI
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.layout import unpack
from sdk.testing.keys import OWNER, key_share, keyshares, private_keys, validator_secret
from sdk.types import Address, PublicKey

FIRST_NONCE = 3


def sign_pss(key: OperatorPrivateKey, message: bytes) -> bytes:
    """As ceremony operators sign: RSA-PSS over SHA-256, salt as long as the digest."""
    loaded = load_pem_private_key(key.reveal_pem(), password=None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    scheme = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
    return loaded.sign(message, scheme, SHA256())


def proof_json(
    key: OperatorPrivateKey,
    *,
    validator: bytes,
    ciphertext: bytes,
    share_key: bytes,
    owner: Address = OWNER,
) -> dict[str, Any]:
    """A proof as the file holds it, signed."""
    proof = SignedProof(PublicKey(validator), ciphertext, PublicKey(share_key), owner, b"")
    return {
        "proof": {
            "validator": validator.hex(),
            "encrypted_share": ciphertext.hex(),
            "share_pub": share_key.hex(),
            "owner": owner.hex(),
        },
        "signature": sign_pss(key, proof_root(proof)).hex(),
    }


def proofs_json(share: KeyShare, *, owner: Address = OWNER) -> list[dict[str, Any]]:
    """The proofs of every operator of an entry."""
    parts = unpack(share.shares_data, operators=len(share.operator_ids))
    rows = zip(
        private_keys(share.operator_ids).values(),
        parts.encrypted_shares,
        parts.share_public_keys,
        strict=True,
    )
    return [
        proof_json(
            key,
            validator=share.public_key,
            ciphertext=ciphertext,
            share_key=share_key,
            owner=owner,
        )
        for key, ciphertext, share_key in rows
    ]


def deposit_json(*numbers: int) -> bytes:
    """Deposits of the validators with these numbers."""
    credentials = withdrawal_credentials(OWNER, compounding=False)
    return render_deposits(
        [
            make_deposit(
                validator_secret(number),
                credentials=credentials,
                amount_gwei=ACTIVATION_GWEI,
                network=HOODI,
            )
            for number in numbers
        ]
    )


def folder_name(share: KeyShare) -> str:
    return f"{share.nonce:06d}-0x{share.public_key.hex()}"


def write_ceremony(folder: Path, *, validators: int) -> list[Path]:
    """The whole output; returns the validators' folders in the order of their nonces."""
    content = _ceremony(validators)
    for name, data in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return sorted({folder / Path(name).parent for name in content if "/" in name})


@cache
def _ceremony(validators: int) -> dict[str, bytes]:
    numbers = range(1, validators + 1)
    shares = [key_share(number, nonce=FIRST_NONCE + number - 1) for number in numbers]
    proofs = [proofs_json(share) for share in shares]
    content: dict[str, bytes] = {}
    for number, share, own in zip(numbers, shares, proofs, strict=True):
        content |= _files(f"{folder_name(share)}/", [number], [share], own)
    if validators > 1:
        content |= _files("", numbers, shares, proofs)
    return content


def _files(
    place: str, numbers: Sequence[int], shares: Sequence[KeyShare], proofs: Sequence[Any]
) -> dict[str, bytes]:
    return {
        f"{place}deposit_data.json": deposit_json(*numbers),
        f"{place}keyshares.json": keyshares(*shares),
        f"{place}proofs.json": json.dumps(proofs).encode(),
    }


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Changes a JSON file in place."""
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
