"""Checking the output of a key ceremony. See docs/sdk.md."""

from __future__ import annotations

from sdk.dkg.ceremony import verify_ceremony
from sdk.dkg.proofs import SignedProof, check_proofs, is_signed_by, proof_root, read_proofs

__all__ = [
    "SignedProof",
    "check_proofs",
    "is_signed_by",
    "proof_root",
    "read_proofs",
    "verify_ceremony",
]
