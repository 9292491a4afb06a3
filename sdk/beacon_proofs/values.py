"""What a proof consists of: the block header, one validator's fields with its branch, the bundle.

Pure. `ValidatorProof` has the fields of the contract's struct of that name
(contracts/interfaces/Types.sol), in its order, so a bundle encodes as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NewType

from sdk import ssz
from sdk.errors import BeaconError
from sdk.types import Epoch, Gwei, PublicKey, Slot

ValidatorIndex = NewType("ValidatorIndex", int)
"""Position in the beacon state's list of validators."""

STATE_ROOT_SIBLINGS: Final = 3
_HEADER_BYTES: Final = 112

AbiProof = tuple[bytes, int, bytes, int, bool, int, int, int, int, list[bytes]]


@dataclass(frozen=True, slots=True)
class BeaconHeader:
    """A beacon block's header; roots are 32 bytes each."""

    slot: Slot
    proposer_index: ValidatorIndex
    parent_root: bytes
    state_root: bytes
    body_root: bytes

    def root(self) -> bytes:
        """The block's root: what the next execution block carries and EIP-4788 keeps."""
        return ssz.root_of_container(
            ssz.root_of_uint64(self.slot),
            ssz.root_of_uint64(self.proposer_index),
            self.parent_root,
            self.state_root,
            self.body_root,
        )

    def state_root_branch(self) -> tuple[bytes, ...]:
        """The three siblings between the state root and the block's root, lowest first."""
        numbers = (ssz.root_of_uint64(self.slot), ssz.root_of_uint64(self.proposer_index))
        empty = bytes(ssz.CHUNK_BYTES)
        return (
            self.parent_root,
            ssz.merkleize(numbers),
            ssz.merkleize((self.body_root, empty, empty, empty)),
        )

    @classmethod
    def from_ssz(cls, data: bytes) -> BeaconHeader:
        """The header in its serialised form.

        Raises:
            BeaconError: not 112 bytes.
        """
        if len(data) != _HEADER_BYTES:
            raise BeaconError(
                f"a block header has {_HEADER_BYTES} bytes, got {len(data)}",
                code="beacon_header_malformed",
                hint="Ask the beacon node again; the answer was cut off.",
            )
        return cls(
            slot=Slot(int.from_bytes(data[:8], "little")),
            proposer_index=ValidatorIndex(int.from_bytes(data[8:16], "little")),
            parent_root=data[16:48],
            state_root=data[48:80],
            body_root=data[80:],
        )


@dataclass(frozen=True, slots=True)
class ValidatorProof:
    """One validator of the beacon state and the 47 siblings up to the state root, lowest first."""

    public_key: PublicKey
    validator_index: ValidatorIndex
    withdrawal_credentials: bytes
    effective_balance_gwei: Gwei
    slashed: bool
    activation_eligibility_epoch: Epoch
    activation_epoch: Epoch
    exit_epoch: Epoch
    withdrawable_epoch: Epoch
    branch: tuple[bytes, ...] = field(repr=False)

    def as_abi(self) -> AbiProof:
        """The struct as `eth_abi` and web3 take it."""
        return (
            self.public_key,
            self.validator_index,
            self.withdrawal_credentials,
            self.effective_balance_gwei,
            self.slashed,
            self.activation_eligibility_epoch,
            self.activation_epoch,
            self.exit_epoch,
            self.withdrawable_epoch,
            list(self.branch),
        )


@dataclass(frozen=True, slots=True)
class BeaconProofs:
    """Everything one call proves, against one beacon block.

    Attributes:
        beacon_root: root of the block, known to the chain under the timestamp of a later block.
        slot: the block's slot, for people; the contract derives its own from the timestamp.
        validators: in the order they were asked for.
    """

    beacon_root: bytes
    slot: Slot
    state_root: bytes
    state_root_branch: tuple[bytes, ...] = field(repr=False)
    validators: Sequence[ValidatorProof]

    def as_abi(self) -> tuple[bytes, list[bytes], list[AbiProof]]:
        """`stateRoot`, `stateRootBranch` and `proofs`, as the contract's calls take them."""
        return (
            self.state_root,
            list(self.state_root_branch),
            [proof.as_abi() for proof in self.validators],
        )
