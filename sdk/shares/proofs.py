"""The cryptographic proofs a keyshares entry carries.

Pure: points, signatures, interpolation, and decryption with private keys the caller holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sdk.committee import THRESHOLDS, nonce_message, threshold_of
from sdk.crypto import bls, threshold
from sdk.crypto.bls import Claim, PublicKeyPoint
from sdk.crypto.operator_keys import OperatorPrivateKey, decrypt_share
from sdk.crypto.secret import SecretKey
from sdk.errors import InputError, InvalidPoint, KeysharesError
from sdk.findings import Finding
from sdk.shares.consistency import Expected, where_in
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.layout import SharesData, unpack
from sdk.types import OperatorId, checksum_address


def unpack_entry(share: KeyShare) -> SharesData | Finding | None:
    """The entry's parts, `shares_length`, or None where its operator ids were reported already.

    Shares are matched to operators by position, so with wrong ids every later check would report
    a consequence of them instead of a cause.
    """
    ids = share.operator_ids
    if len(ids) not in THRESHOLDS or list(ids) != sorted(set(ids) - {0}):
        return None
    try:
        return unpack(share.shares_data, operators=len(ids))
    except KeysharesError as problem:
        where = where_in(share, "payload.sharesData")
        return Finding(problem.code, problem.message, where=where, hint=problem.hint)


def validator_key(share: KeyShare) -> Iterator[Finding]:
    """`pubkey_mismatch`, `pubkey_invalid`."""
    if share.data_public_key is not None and share.data_public_key != share.public_key:
        yield Finding(
            "pubkey_mismatch",
            f"data names validator 0x{share.data_public_key.hex()}, the payload "
            f"0x{share.public_key.hex()}",
            where=where_in(share, "data.publicKey"),
        )
    try:
        bls.parse_public_key(share.public_key)
    except InvalidPoint as problem:
        where = where_in(share, "payload.publicKey")
        yield Finding("pubkey_invalid", problem.message, where=where)


def nonce_signatures(
    readable: Sequence[tuple[KeyShare, SharesData]], expected: Expected
) -> Iterator[Finding]:
    """`nonce_signature_invalid`; entries whose owner or nonce nobody knows are left out."""
    claimed: list[tuple[KeyShare, str]] = []
    claims: list[Claim] = []
    for share, parts in readable:
        owner = share.owner if share.owner is not None else expected.owner
        nonce = share.nonce
        if nonce is None and expected.nonce is not None:
            nonce = expected.nonce + share.position
        if owner is not None and nonce is not None:
            claims.append(Claim(share.public_key, nonce_message(owner, nonce), parts.signature))
            claimed.append((share, f"owner {checksum_address(owner)} with nonce {nonce}"))
    for (share, subject), is_valid in zip(claimed, bls.verify_batch(claims), strict=True):
        if not is_valid:
            yield Finding(
                "nonce_signature_invalid",
                f"the validator key did not sign {subject}",
                where=where_in(share, "payload.sharesData"),
                hint="Nodes will refuse this registration; split again for this owner and nonce.",
            )


def share_keys(share: KeyShare, parts: SharesData) -> Iterator[Finding]:
    """`share_pubkey_invalid`, `share_pubkeys_do_not_recombine`."""
    where = where_in(share, "payload.sharesData")
    points: dict[OperatorId, PublicKeyPoint] = {}
    for operator, key in zip(share.operator_ids, parts.share_public_keys, strict=True):
        try:
            points[operator] = bls.parse_public_key(key)
        except InvalidPoint as problem:
            message = f"share public key of operator {operator}: {problem.message}"
            yield Finding("share_pubkey_invalid", message, where=where)
    if len(points) < len(share.operator_ids):
        return
    if not threshold.carry_key(
        points,
        validator_key=share.public_key,
        threshold=threshold_of(len(points)),
    ):
        yield Finding(
            "share_pubkeys_do_not_recombine",
            "the share public keys do not lie on one polynomial through the validator key",
            where=where,
            hint="The operators could never sign together; make the file again.",
        )


def decryption(share: KeyShare, parts: SharesData, expected: Expected) -> Iterator[Finding]:
    """`share_undecryptable`, for operators whose private key was given."""
    rows = zip(share.operator_ids, parts.share_public_keys, parts.encrypted_shares, strict=True)
    for operator, share_key, ciphertext in rows:
        private_key = expected.private_keys.get(operator)
        if private_key is None:
            continue
        try:
            decrypt_share(private_key, ciphertext, share_key)
        except InputError as problem:
            yield Finding(
                "share_undecryptable",
                f"operator {operator}: {problem.message}",
                where=where_in(share, "payload.sharesData"),
                hint=problem.hint,
            )


def open_shares(
    share: KeyShare, private_keys: Mapping[OperatorId, OperatorPrivateKey]
) -> dict[OperatorId, SecretKey]:
    """The plain shares of the operators whose private keys are given; for drills and tests.

    With t of them anybody is the validator: on a live network no process should ever hold more
    than one.

    Raises:
        KeysharesError: `shares_length`, `share_undecryptable`.
    """
    parts = unpack(share.shares_data, operators=len(share.operator_ids))
    rows = zip(share.operator_ids, parts.share_public_keys, parts.encrypted_shares, strict=True)
    return {
        operator: decrypt_share(private_keys[operator], ciphertext, share_key)
        for operator, share_key, ciphertext in rows
        if operator in private_keys
    }
