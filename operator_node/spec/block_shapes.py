"""Descriptors of beacon blocks from phase0 to fulu: full, blinded, and with their blobs.

Pure tables. Each fork adds fields to the one before; what shrank in Electra is said there.
`version` is the number of a fork, see `versions`; an unknown one raises `UnknownVersion`.

Source: consensus-specs, beacon-chain.md of phase0 to electra, presets/; builder-specs,
specs/bellatrix/builder.md to specs/electra/builder.md (blinded blocks); Ethereum Beacon APIs,
types/deneb and types/fulu/block_contents.yaml.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from operator_node.spec.operations import (
    ADDRESS,
    BEACON_BLOCK_HEADER,
    PUBLIC_KEY,
    ROOT,
    SIGNATURE,
    SIGNED_VOLUNTARY_EXIT,
    UINT64,
    attestation_shape,
    container,
    indexed_attestation_shape,
    signed,
)
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import (
    Bitvector,
    ByteList,
    ByteVector,
    Container,
    List,
    Shape,
    Uint,
    Vector,
)
from operator_node.spec.versions import (
    ALTAIR,
    BELLATRIX,
    CAPELLA,
    DENEB,
    ELECTRA,
    FULU,
    UnknownVersion,
    require_known,
)

# The same in both presets: consensus-specs, presets/*/phase0.yaml to fulu.yaml.
_MAX_PROPOSER_SLASHINGS: Final = 16
_MAX_ATTESTER_SLASHINGS: Final = 2
_MAX_ATTESTER_SLASHINGS_ELECTRA: Final = 1
_MAX_ATTESTATIONS: Final = 128
_MAX_ATTESTATIONS_ELECTRA: Final = 8
_MAX_DEPOSITS: Final = 16
_MAX_VOLUNTARY_EXITS: Final = 16
_DEPOSIT_PROOF_LENGTH: Final = 33  # DEPOSIT_CONTRACT_TREE_DEPTH + 1
_BYTES_PER_LOGS_BLOOM: Final = 256
_MAX_EXTRA_DATA_BYTES: Final = 32
_MAX_BYTES_PER_TRANSACTION: Final = 2**30
_MAX_TRANSACTIONS_PER_PAYLOAD: Final = 2**20
_MAX_BLS_TO_EXECUTION_CHANGES: Final = 16
_MAX_BLOB_COMMITMENTS_PER_BLOCK: Final = 4096
_MAX_DEPOSIT_REQUESTS_PER_PAYLOAD: Final = 8192
_MAX_WITHDRAWAL_REQUESTS_PER_PAYLOAD: Final = 16
_MAX_CONSOLIDATION_REQUESTS_PER_PAYLOAD: Final = 2
_BYTES_PER_BLOB: Final = 32 * 4096
_FIELD_ELEMENTS_PER_EXT_BLOB: Final = 8192
"""The Beacon APIs bound cell proofs by field elements, of which there are 64 times as many."""

_KZG: Final = ByteVector(48)
TRANSACTIONS: Final = List(ByteList(_MAX_BYTES_PER_TRANSACTION), _MAX_TRANSACTIONS_PER_PAYLOAD)

_ETH1_DATA = container("Eth1Data", deposit_root=ROOT, deposit_count=UINT64, block_hash=ROOT)
_SIGNED_HEADER = signed(BEACON_BLOCK_HEADER)
_PROPOSER_SLASHING = container(
    "ProposerSlashing", signed_header_1=_SIGNED_HEADER, signed_header_2=_SIGNED_HEADER
)
_DEPOSIT_DATA = container(
    "DepositData",
    pubkey=PUBLIC_KEY,
    withdrawal_credentials=ROOT,
    amount=UINT64,
    signature=SIGNATURE,
)
_DEPOSIT = container("Deposit", proof=Vector(ROOT, _DEPOSIT_PROOF_LENGTH), data=_DEPOSIT_DATA)
_WITHDRAWAL = container(
    "Withdrawal", index=UINT64, validator_index=UINT64, address=ADDRESS, amount=UINT64
)
_BLS_TO_EXECUTION_CHANGE = container(
    "BLSToExecutionChange",
    validator_index=UINT64,
    from_bls_pubkey=PUBLIC_KEY,
    to_execution_address=ADDRESS,
)
_DEPOSIT_REQUEST = container(
    "DepositRequest",
    pubkey=PUBLIC_KEY,
    withdrawal_credentials=ROOT,
    amount=UINT64,
    signature=SIGNATURE,
    index=UINT64,
)
_WITHDRAWAL_REQUEST = container(
    "WithdrawalRequest", source_address=ADDRESS, validator_pubkey=PUBLIC_KEY, amount=UINT64
)
_CONSOLIDATION_REQUEST = container(
    "ConsolidationRequest",
    source_address=ADDRESS,
    source_pubkey=PUBLIC_KEY,
    target_pubkey=PUBLIC_KEY,
)
_EXECUTION_REQUESTS = container(
    "ExecutionRequests",
    deposits=List(_DEPOSIT_REQUEST, _MAX_DEPOSIT_REQUESTS_PER_PAYLOAD),
    withdrawals=List(_WITHDRAWAL_REQUEST, _MAX_WITHDRAWAL_REQUESTS_PER_PAYLOAD),
    consolidations=List(_CONSOLIDATION_REQUEST, _MAX_CONSOLIDATION_REQUESTS_PER_PAYLOAD),
)


@cache
def block_shape(version: int, preset: Preset) -> Container:
    """`BeaconBlock` of the fork."""
    return _block("BeaconBlock", _body(version, preset, is_blinded=False))


@cache
def blinded_block_shape(version: int, preset: Preset) -> Container:
    """`BlindedBeaconBlock` of the fork: the payload's header stands for the payload.

    Raises:
        UnknownVersion: there are no blinded blocks before Bellatrix.
    """
    if version < BELLATRIX:
        raise UnknownVersion(f"there are no blinded blocks in version {version}")
    return _block("BlindedBeaconBlock", _body(version, preset, is_blinded=True))


@cache
def block_contents_shape(version: int, preset: Preset) -> Container:
    """`BlockContents` of the fork: a block with the blobs it commits to.

    Raises:
        UnknownVersion: there are no blobs before Deneb.
    """
    return _contents("BlockContents", version, block=block_shape(version, preset))


@cache
def signed_block_contents_shape(version: int, preset: Preset) -> Container:
    """`SignedBlockContents` of the fork."""
    return _contents(
        "SignedBlockContents", version, signed_block=signed(block_shape(version, preset))
    )


@cache
def withdrawals_shape(preset: Preset) -> List:
    """The withdrawals of a payload."""
    return List(_WITHDRAWAL, preset.sizes.max_withdrawals_per_payload)


def _block(name: str, body: Container) -> Container:
    return container(
        name,
        slot=UINT64,
        proposer_index=UINT64,
        parent_root=ROOT,
        state_root=ROOT,
        body=body,
    )


def _contents(name: str, version: int, **block: Container) -> Container:
    if version < DENEB:
        raise UnknownVersion(f"there are no blobs in version {version}")
    proofs = _FIELD_ELEMENTS_PER_EXT_BLOB if version >= FULU else 1  # per blob; cells since Fulu
    return container(
        name,
        **block,
        kzg_proofs=List(_KZG, proofs * _MAX_BLOB_COMMITMENTS_PER_BLOCK),
        blobs=List(ByteVector(_BYTES_PER_BLOB), _MAX_BLOB_COMMITMENTS_PER_BLOCK),
    )


def _body(version: int, preset: Preset, *, is_blinded: bool) -> Container:
    require_known(version)
    fields = _operations(version, preset)
    if version >= ALTAIR:
        fields["sync_aggregate"] = container(
            "SyncAggregate",
            sync_committee_bits=Bitvector(preset.sizes.sync_committee_size),
            sync_committee_signature=SIGNATURE,
        )
    if version >= BELLATRIX:
        key = "execution_payload_header" if is_blinded else "execution_payload"
        fields[key] = _payload(version, preset, is_header=is_blinded)
    if version >= CAPELLA:
        fields["bls_to_execution_changes"] = List(
            signed(_BLS_TO_EXECUTION_CHANGE), _MAX_BLS_TO_EXECUTION_CHANGES
        )
    if version >= DENEB:
        fields["blob_kzg_commitments"] = List(_KZG, _MAX_BLOB_COMMITMENTS_PER_BLOCK)
    if version >= ELECTRA:
        fields["execution_requests"] = _EXECUTION_REQUESTS
    return container("BlindedBeaconBlockBody" if is_blinded else "BeaconBlockBody", **fields)


def _operations(version: int, preset: Preset) -> dict[str, Shape]:
    """The fields of a body that are as old as phase0."""
    is_wide = version >= ELECTRA  # attestations span committees, so fewer fit (EIP-7549)
    attester_slashing = container(
        "AttesterSlashing",
        attestation_1=indexed_attestation_shape(version, preset),
        attestation_2=indexed_attestation_shape(version, preset),
    )
    return {
        "randao_reveal": SIGNATURE,
        "eth1_data": _ETH1_DATA,
        "graffiti": ROOT,
        "proposer_slashings": List(_PROPOSER_SLASHING, _MAX_PROPOSER_SLASHINGS),
        "attester_slashings": List(
            attester_slashing,
            _MAX_ATTESTER_SLASHINGS_ELECTRA if is_wide else _MAX_ATTESTER_SLASHINGS,
        ),
        "attestations": List(
            attestation_shape(version, preset),
            _MAX_ATTESTATIONS_ELECTRA if is_wide else _MAX_ATTESTATIONS,
        ),
        "deposits": List(_DEPOSIT, _MAX_DEPOSITS),
        "voluntary_exits": List(SIGNED_VOLUNTARY_EXIT, _MAX_VOLUNTARY_EXITS),
    }


def _payload(version: int, preset: Preset, *, is_header: bool) -> Container:
    """`ExecutionPayload`, or its header, which has roots in place of the lists."""
    fields: dict[str, Shape] = {
        "parent_hash": ROOT,
        "fee_recipient": ADDRESS,
        "state_root": ROOT,
        "receipts_root": ROOT,
        "logs_bloom": ByteVector(_BYTES_PER_LOGS_BLOOM),
        "prev_randao": ROOT,
        "block_number": UINT64,
        "gas_limit": UINT64,
        "gas_used": UINT64,
        "timestamp": UINT64,
        "extra_data": ByteList(_MAX_EXTRA_DATA_BYTES),
        "base_fee_per_gas": Uint(256),
        "block_hash": ROOT,
    }
    lists: dict[str, Shape] = {"transactions": TRANSACTIONS}
    if version >= CAPELLA:
        lists["withdrawals"] = withdrawals_shape(preset)
    fields |= {f"{name}_root": ROOT for name in lists} if is_header else lists
    if version >= DENEB:
        fields |= {"blob_gas_used": UINT64, "excess_blob_gas": UINT64}
    return container("ExecutionPayloadHeader" if is_header else "ExecutionPayload", **fields)
