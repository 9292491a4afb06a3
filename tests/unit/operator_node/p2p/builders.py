"""Address records of throwaway operators."""

from __future__ import annotations

from hashlib import sha256

from operator_node.p2p.identity import Identity
from operator_node.p2p.records import LIFETIME_MS, AddressRecord, SignedRecord, sign_record
from operator_node.p2p.scoring import PeerId
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.testing.keys import operator_key
from sdk.types import OperatorId

NOW_MS = 1_800_000_000_000
DOMAIN = bytes.fromhex("00000502")
REGISTERED = range(1, 5)


def peer_of(operator: int) -> PeerId:
    return Identity.of(sha256(b"%d" % operator).digest()).peer


def key_of(operator: OperatorId) -> OperatorPublicKey | None:
    return operator_key(operator).public_key if operator in REGISTERED else None


def record(
    operator: int = 1,
    *,
    sequence: int = NOW_MS,
    expires_ms: int = NOW_MS + LIFETIME_MS,
    domain: bytes = DOMAIN,
    addresses: tuple[str, ...] = ("/ip4/192.0.2.1/tcp/13001",),
    signer: int | None = None,
) -> SignedRecord:
    """A record, signed by its operator unless another signer is named."""
    plain = AddressRecord(
        OperatorId(operator), peer_of(operator), addresses, sequence, expires_ms, domain
    )
    return sign_record(plain, operator_key(operator if signer is None else signer).sign)
