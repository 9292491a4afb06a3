"""What validators sign and we build, as values with their encodings.

Pure; every value has `encode`, its SSZ. Bits are held as SSZ holds them (`bit_list`, `bit_vector`),
and what is only passed on stays encoded: attestation data in an attestation, an aggregate or a
contribution under its proof, a proof under its signature. Roots for signing are in `signing`,
descriptors in `operations`.

Source: consensus-specs, phase0/beacon-chain.md, phase0/validator.md, altair/validator.md,
electra/beacon-chain.md; builder-specs, specs/bellatrix/builder.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sdk.errors import UsageError

_OFFSET_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 96
_DATA_BYTES: Final = 128
"""Of AttestationData."""
_BITS_PER_BYTE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationData:
    """What attesters sign; roots are 32 bytes, `index` is 0 from Electra on."""

    slot: int
    index: int
    beacon_block_root: bytes
    source_epoch: int
    source_root: bytes
    target_epoch: int
    target_root: bytes

    def encode(self) -> bytes:
        """128 bytes."""
        return b"".join(
            (
                _uint64(self.slot),
                _uint64(self.index),
                self.beacon_block_root,
                _uint64(self.source_epoch),
                self.source_root,
                _uint64(self.target_epoch),
                self.target_root,
            )
        )


@dataclass(frozen=True, slots=True)
class Attestation:
    """Before Electra.

    Attributes:
        aggregation_bits: bit list of the committee's length.
        data: encoded attestation data.
    """

    aggregation_bits: bytes
    data: bytes
    signature: bytes

    def encode(self) -> bytes:
        """The bits lie behind an offset."""
        start = _OFFSET_BYTES + _DATA_BYTES + _SIGNATURE_BYTES
        return _offset(start) + self.data + self.signature + self.aggregation_bits


@dataclass(frozen=True, slots=True)
class AttestationElectra:
    """From Electra on.

    Attributes:
        aggregation_bits: bit list over the members of the committees named, one after the other.
        data: encoded attestation data.
        committee_bits: bit vector over the slot's committees, 8 bytes in the mainnet preset.
    """

    aggregation_bits: bytes
    data: bytes
    signature: bytes
    committee_bits: bytes

    def encode(self) -> bytes:
        """The aggregation bits lie behind an offset."""
        start = _OFFSET_BYTES + _DATA_BYTES + _SIGNATURE_BYTES + len(self.committee_bits)
        fixed = self.data + self.signature + self.committee_bits
        return _offset(start) + fixed + self.aggregation_bits


@dataclass(frozen=True, slots=True)
class SingleAttestation:
    """One validator's attestation as it is published from Electra on; `data` is encoded.

    Hundreds of validators attest to the same data, which is encoded and hashed once.
    """

    committee_index: int
    attester_index: int
    data: bytes
    signature: bytes

    def encode(self) -> bytes:
        """240 bytes."""
        indexes = _uint64(self.committee_index) + _uint64(self.attester_index)
        return indexes + self.data + self.signature


@dataclass(frozen=True, slots=True)
class AggregateAndProof:
    """`aggregate` is an encoded attestation of the fork in force."""

    aggregator_index: int
    aggregate: bytes
    selection_proof: bytes

    def encode(self) -> bytes:
        """The aggregate lies behind an offset."""
        start = 8 + _OFFSET_BYTES + _SIGNATURE_BYTES
        head = _uint64(self.aggregator_index) + _offset(start) + self.selection_proof
        return head + self.aggregate


@dataclass(frozen=True, slots=True)
class SignedAggregateAndProof:
    """`message` is an encoded AggregateAndProof."""

    message: bytes
    signature: bytes

    def encode(self) -> bytes:
        """The message lies behind an offset."""
        return sign_variable(self.message, self.signature)


@dataclass(frozen=True, slots=True)
class SyncCommitteeMessage:
    """One member's vote for a head."""

    slot: int
    beacon_block_root: bytes
    validator_index: int
    signature: bytes

    def encode(self) -> bytes:
        """144 bytes."""
        head = _uint64(self.slot) + self.beacon_block_root
        return head + _uint64(self.validator_index) + self.signature


@dataclass(frozen=True, slots=True)
class SyncCommitteeContribution:
    """`aggregation_bits` is a bit vector over the subcommittee, 16 bytes in the mainnet preset."""

    slot: int
    beacon_block_root: bytes
    subcommittee_index: int
    aggregation_bits: bytes
    signature: bytes

    def encode(self) -> bytes:
        """160 bytes in the mainnet preset."""
        head = _uint64(self.slot) + self.beacon_block_root + _uint64(self.subcommittee_index)
        return head + self.aggregation_bits + self.signature


@dataclass(frozen=True, slots=True)
class ContributionAndProof:
    """`contribution` is an encoded SyncCommitteeContribution."""

    aggregator_index: int
    contribution: bytes
    selection_proof: bytes

    def encode(self) -> bytes:
        """264 bytes in the mainnet preset."""
        return _uint64(self.aggregator_index) + self.contribution + self.selection_proof


@dataclass(frozen=True, slots=True)
class SignedContributionAndProof:
    """`message` is an encoded ContributionAndProof."""

    message: bytes
    signature: bytes

    def encode(self) -> bytes:
        """360 bytes in the mainnet preset."""
        return self.message + self.signature


@dataclass(frozen=True, slots=True)
class SyncAggregatorSelectionData:
    """What a sync committee member signs to learn whether it aggregates."""

    slot: int
    subcommittee_index: int

    def encode(self) -> bytes:
        """16 bytes."""
        return _uint64(self.slot) + _uint64(self.subcommittee_index)


@dataclass(frozen=True, slots=True)
class ValidatorRegistration:
    """ValidatorRegistrationV1: what a validator tells block builders.

    Attributes:
        fee_recipient: 20 bytes.
        gas_limit: what builders are asked to aim at.
        timestamp: unix seconds.
        public_key: of the validator, 48 bytes.
    """

    fee_recipient: bytes
    gas_limit: int
    timestamp: int
    public_key: bytes

    def encode(self) -> bytes:
        """84 bytes."""
        numbers = _uint64(self.gas_limit) + _uint64(self.timestamp)
        return self.fee_recipient + numbers + self.public_key


@dataclass(frozen=True, slots=True)
class SignedValidatorRegistration:
    """SignedValidatorRegistrationV1."""

    message: ValidatorRegistration
    signature: bytes

    def encode(self) -> bytes:
        """180 bytes."""
        return self.message.encode() + self.signature


@dataclass(frozen=True, slots=True)
class VoluntaryExit:
    """Valid from `epoch` on."""

    epoch: int
    validator_index: int

    def encode(self) -> bytes:
        """16 bytes."""
        return _uint64(self.epoch) + _uint64(self.validator_index)


@dataclass(frozen=True, slots=True)
class SignedVoluntaryExit:
    """What the chain takes."""

    message: VoluntaryExit
    signature: bytes

    def encode(self) -> bytes:
        """112 bytes."""
        return self.message.encode() + self.signature


def bit_list(length: int, set_bits: Collection[int] = ()) -> bytes:
    """SSZ of a bit list, for example of the one attester at a committee position.

    Args:
        length: how many bits.
        set_bits: positions of those that are set, each below `length`.
    """
    return (_bits(length, set_bits) | 1 << length).to_bytes(length // _BITS_PER_BYTE + 1, "little")


def bit_vector(length: int, set_bits: Collection[int] = ()) -> bytes:
    """SSZ of a bit vector; arguments as of `bit_list`."""
    return _bits(length, set_bits).to_bytes(-(-length // _BITS_PER_BYTE), "little")


def sign_variable(message: bytes | memoryview, signature: bytes) -> bytes:
    """SSZ of a container (message, signature) whose message varies in size, blocks too."""
    return b"".join((_offset(_OFFSET_BYTES + _SIGNATURE_BYTES), signature, message))


def _bits(length: int, set_bits: Collection[int]) -> int:
    """The bits as a number, the first one lowest."""
    if not all(0 <= place < length for place in set_bits):
        raise UsageError(f"bits {sorted(set_bits)[:8]} are not all among {length}")
    bits = 0
    for place in set_bits:
        bits |= 1 << place
    return bits


def _uint64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _offset(value: int) -> bytes:
    return value.to_bytes(_OFFSET_BYTES, "little")
