"""The verifier contract in Python: what it accepts, refuses and answers, before anything is sent.

Pure. Twin of contracts/proofs/BeaconVerifier.sol; a test asks both the same questions. Written
with `sdk.ssz` rather than with the fast hashing that built the proofs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sdk import ssz
from sdk.beacon_proofs.values import STATE_ROOT_SIBLINGS, BeaconProofs, ValidatorProof
from sdk.types import PUBLIC_KEY_BYTES, Slot

STATE_ROOT_INDEX: Final = 11
FIRST_VALIDATOR_INDEX: Final = 150 << 40
MAXIMUM_VALIDATORS: Final = 1 << 40
VALIDATOR_SIBLINGS: Final = 47


class Refused(StrEnum):
    """Why the verifier reverts; the words are those of the contract's errors."""

    ROOT_UNAVAILABLE = "BeaconRootUnavailable"
    INVALID_PROOF = "InvalidProof"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The immutables of a deployed verifier; times in UNIX seconds.

    Attributes:
        valid_from: first timestamp it answers for.
        valid_until: first timestamp it no longer answers for.
    """

    genesis_time: int
    seconds_per_slot: int
    valid_from: int
    valid_until: int

    def covers(self, timestamp: int) -> bool:
        """Whether the timestamp lies in the window."""
        return self.valid_from <= timestamp < self.valid_until

    def verify(
        self, timestamp: int, proofs: BeaconProofs, *, kept_root: bytes | None
    ) -> Slot | Refused:
        """What the contract answers.

        Args:
            timestamp: of the execution block under which the root was kept.
            proofs: `beacon_root` and `slot` are not looked at; the contract never sees them.
            kept_root: what the chain keeps for the timestamp, None if nothing.
        """
        if not self.covers(timestamp) or kept_root is None or not any(kept_root):
            return Refused.ROOT_UNAVAILABLE
        if not _state_holds(kept_root, proofs) or not all(
            is_validator(proofs.state_root, proof) for proof in proofs.validators
        ):
            return Refused.INVALID_PROOF
        return Slot((timestamp - self.genesis_time) // self.seconds_per_slot)


def proofs_hold(proofs: BeaconProofs) -> bool:
    """Whether every branch leads to the beacon root that the proofs name."""
    return _state_holds(proofs.beacon_root, proofs) and all(
        is_validator(proofs.state_root, proof) for proof in proofs.validators
    )


def is_validator(state_root: bytes, proof: ValidatorProof) -> bool:
    """Whether the state has this validator, field for field, at this index."""
    return (
        len(proof.public_key) == PUBLIC_KEY_BYTES
        and 0 <= proof.validator_index < MAXIMUM_VALIDATORS
        and len(proof.branch) == VALIDATOR_SIBLINGS
        and root_from_branch(
            container_root(proof),
            proof.branch,
            index=FIRST_VALIDATOR_INDEX + proof.validator_index,
        )
        == state_root
    )


def container_root(proof: ValidatorProof) -> bytes:
    """The root of the validator's container, from its eight fields."""
    return ssz.root_of_container(
        ssz.root_of_bytes_vector(proof.public_key),
        proof.withdrawal_credentials,
        ssz.root_of_uint64(proof.effective_balance_gwei),
        ssz.root_of_uint64(int(proof.slashed)),
        ssz.root_of_uint64(proof.activation_eligibility_epoch),
        ssz.root_of_uint64(proof.activation_epoch),
        ssz.root_of_uint64(proof.exit_epoch),
        ssz.root_of_uint64(proof.withdrawable_epoch),
    )


def root_from_branch(leaf: bytes, branch: Sequence[bytes], *, index: int) -> bytes:
    """The root that the siblings lead to from a leaf at a generalized index."""
    node = leaf
    for sibling in branch:
        node = sha256(sibling + node if index % 2 else node + sibling).digest()
        index //= 2
    return node


def _state_holds(root: bytes, proofs: BeaconProofs) -> bool:
    return (
        len(proofs.state_root_branch) == STATE_ROOT_SIBLINGS
        and root_from_branch(proofs.state_root, proofs.state_root_branch, index=STATE_ROOT_INDEX)
        == root
    )
