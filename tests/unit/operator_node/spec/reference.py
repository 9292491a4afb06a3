"""The consensus layer's containers in an independent SSZ library, and random values of any type.

Written from the pages of the specification, fork by fork, and not from our tables.
"""

from __future__ import annotations

from random import Random
from typing import Any, assert_never

from remerkleable.basic import boolean, uint8, uint16, uint32, uint64, uint128, uint256
from remerkleable.bitfields import Bitlist, Bitvector
from remerkleable.byte_arrays import ByteList, ByteVector
from remerkleable.complex import Container, List, Vector

from operator_node.spec import Preset, ssz

UINTS = {8: uint8, 16: uint16, 32: uint32, 64: uint64, 128: uint128, 256: uint256}
VERSIONS = range(1, 8)
PRESETS = tuple(Preset)
FEW_ITEMS = 3
FEW_BYTES = 70

Bytes20, Bytes32, Bytes48, Bytes96 = (ByteVector[size] for size in (20, 32, 48, 96))


def make(name: str, **fields: Any) -> Any:
    """A container class of the library."""
    return type(name, (Container,), {"__annotations__": fields})


def library_type(shape: ssz.Shape) -> Any:
    """The library's type for one of our descriptors."""
    match shape:
        case ssz.Uint(bits):
            return UINTS[bits]
        case ssz.Boolean():
            return boolean
        case ssz.ByteVector(length):
            return ByteVector[length]
        case ssz.ByteList(limit):
            return ByteList[limit]
        case ssz.Bitvector(length):
            return Bitvector[length]
        case ssz.Bitlist(limit):
            return Bitlist[limit]
        case ssz.Vector(item, length):
            return Vector[library_type(item), length]
        case ssz.List(item, limit):
            return List[library_type(item), limit]
        case ssz.Container():
            return make(shape.name, **{name: library_type(inner) for name, inner in shape.fields})
        case _:
            assert_never(shape)


def layout(kind: Any) -> Any:
    """Everything that a type of the library fixes, as plain values that compare."""
    parents = kind.__mro__  # issubclass would ask every class that was ever made here
    if Container in parents:
        return {name: layout(inner) for name, inner in kind.fields().items()}
    if List in parents:
        return ("list", layout(kind.element_cls()), kind.limit())
    if Vector in parents:
        return ("vector", layout(kind.element_cls()), kind.vector_length())
    return kind.type_repr()


def random_value(shape: ssz.Shape, random: Random) -> Any:
    """A value of the type; lists are short."""
    match shape:
        case ssz.Uint(bits):
            return random.getrandbits(bits)
        case ssz.Boolean():
            return bool(random.getrandbits(1))
        case ssz.ByteVector(length):
            return random.randbytes(length)
        case ssz.ByteList(limit):
            return random.randbytes(random.randint(0, min(limit, FEW_BYTES)))
        case ssz.Bitvector(length):
            return _random_bits(length, random)
        case ssz.Bitlist(limit):
            return _random_bits(random.randint(0, min(limit, FEW_BYTES)), random)
        case ssz.Vector(item, length):
            return tuple(random_value(item, random) for _ in range(length))
        case ssz.List(item, limit):
            count = random.randint(0, min(limit, FEW_ITEMS))
            return tuple(random_value(item, random) for _ in range(count))
        case ssz.Container():
            return {name: random_value(inner, random) for name, inner in shape.fields}
        case _:
            assert_never(shape)


def random_bytes(shape: ssz.Shape, seed: int) -> bytes:
    """The encoding of a random value; the same for the same seed."""
    return ssz.encode(shape, random_value(shape, Random(seed)))


def small_types(version: int, preset: Preset) -> dict[str, Any]:
    """Containers outside blocks, by the name that the specification gives them."""
    mainnet = preset is Preset.MAINNET
    committees = 64 if mainnet else 4
    checkpoint = make("Checkpoint", epoch=uint64, root=Bytes32)
    data = make(
        "AttestationData",
        slot=uint64,
        index=uint64,
        beacon_block_root=Bytes32,
        source=checkpoint,
        target=checkpoint,
    )
    bits = Bitlist[2048 * committees if version >= 6 else 2048]
    attestation = {"aggregation_bits": bits, "data": data, "signature": Bytes96}
    if version >= 6:
        attestation["committee_bits"] = Bitvector[committees]
    registration = make(
        "ValidatorRegistrationV1",
        fee_recipient=Bytes20,
        gas_limit=uint64,
        timestamp=uint64,
        pubkey=Bytes48,
    )
    voluntary_exit = make("VoluntaryExit", epoch=uint64, validator_index=uint64)
    contribution = make(
        "SyncCommitteeContribution",
        slot=uint64,
        beacon_block_root=Bytes32,
        subcommittee_index=uint64,
        aggregation_bits=Bitvector[128 if mainnet else 8],
        signature=Bytes96,
    )
    types = {
        "AttestationData": data,
        "Attestation": make("Attestation", **attestation),
        "IndexedAttestation": make(
            "IndexedAttestation",
            attesting_indices=List[uint64, 2048 * committees if version >= 6 else 2048],
            data=data,
            signature=Bytes96,
        ),
        "SingleAttestation": make(
            "SingleAttestation",
            committee_index=uint64,
            attester_index=uint64,
            data=data,
            signature=Bytes96,
        ),
        "SyncCommitteeMessage": make(
            "SyncCommitteeMessage",
            slot=uint64,
            beacon_block_root=Bytes32,
            validator_index=uint64,
            signature=Bytes96,
        ),
        "SyncCommitteeContribution": contribution,
        "SyncAggregatorSelectionData": make(
            "SyncAggregatorSelectionData", slot=uint64, subcommittee_index=uint64
        ),
        "ValidatorRegistrationV1": registration,
        "VoluntaryExit": voluntary_exit,
        "BeaconBlockHeader": make(
            "BeaconBlockHeader",
            slot=uint64,
            proposer_index=uint64,
            parent_root=Bytes32,
            state_root=Bytes32,
            body_root=Bytes32,
        ),
        "ForkData": make(
            "ForkData", current_version=ByteVector[4], genesis_validators_root=Bytes32
        ),
        "SigningData": make("SigningData", object_root=Bytes32, domain=Bytes32),
    }
    for name, field, inner in (
        ("AggregateAndProof", "aggregate", types["Attestation"]),
        ("ContributionAndProof", "contribution", contribution),
    ):
        fields = {"aggregator_index": uint64, field: inner, "selection_proof": Bytes96}
        types[name] = make(name, **fields)
    for name in (
        "AggregateAndProof",
        "ContributionAndProof",
        "ValidatorRegistrationV1",
        "VoluntaryExit",
        "BeaconBlockHeader",
    ):
        types[f"Signed{name}"] = make(f"Signed{name}", message=types[name], signature=Bytes96)
    return types


def block_types(version: int, preset: Preset) -> dict[str, Any]:
    """`BeaconBlock`, and those of its relatives that the fork has."""
    types = {"BeaconBlock": _block(version, preset, is_blinded=False)}
    if version >= 3:
        types["BlindedBeaconBlock"] = _block(version, preset, is_blinded=True)
    if version >= 5:
        proofs = List[Bytes48, 8192 * 4096 if version >= 7 else 4096]
        blobs = List[ByteVector[131_072], 4096]
        block = types["BeaconBlock"]
        signed = make("SignedBeaconBlock", message=block, signature=Bytes96)
        types["BlockContents"] = make("BlockContents", block=block, kzg_proofs=proofs, blobs=blobs)
        types["SignedBlockContents"] = make(
            "SignedBlockContents", signed_block=signed, kzg_proofs=proofs, blobs=blobs
        )
    return types


def _block(version: int, preset: Preset, *, is_blinded: bool) -> Any:
    mainnet = preset is Preset.MAINNET
    small = small_types(version, preset)
    header = small["SignedBeaconBlockHeader"]
    indexed = small["IndexedAttestation"]
    electra = version >= 6
    deposit_data = make(
        "DepositData",
        pubkey=Bytes48,
        withdrawal_credentials=Bytes32,
        amount=uint64,
        signature=Bytes96,
    )
    body = {
        "randao_reveal": Bytes96,
        "eth1_data": make(
            "Eth1Data", deposit_root=Bytes32, deposit_count=uint64, block_hash=Bytes32
        ),
        "graffiti": Bytes32,
        "proposer_slashings": List[
            make("ProposerSlashing", signed_header_1=header, signed_header_2=header), 16
        ],
        "attester_slashings": List[
            make("AttesterSlashing", attestation_1=indexed, attestation_2=indexed),
            1 if electra else 2,
        ],
        "attestations": List[small["Attestation"], 8 if electra else 128],
        "deposits": List[make("Deposit", proof=Vector[Bytes32, 33], data=deposit_data), 16],
        "voluntary_exits": List[small["SignedVoluntaryExit"], 16],
    }
    if version >= 2:
        body["sync_aggregate"] = make(
            "SyncAggregate",
            sync_committee_bits=Bitvector[512 if mainnet else 32],
            sync_committee_signature=Bytes96,
        )
    if version >= 3 and is_blinded:
        body["execution_payload_header"] = _payload(version, preset, is_header=True)
    elif version >= 3:
        body["execution_payload"] = _payload(version, preset, is_header=False)
    if version >= 4:
        change = make(
            "BLSToExecutionChange",
            validator_index=uint64,
            from_bls_pubkey=Bytes48,
            to_execution_address=Bytes20,
        )
        body["bls_to_execution_changes"] = List[
            make("SignedBLSToExecutionChange", message=change, signature=Bytes96), 16
        ]
    if version >= 5:
        body["blob_kzg_commitments"] = List[Bytes48, 4096]
    if electra:
        body["execution_requests"] = _execution_requests()
    return make(
        "BeaconBlock",
        slot=uint64,
        proposer_index=uint64,
        parent_root=Bytes32,
        state_root=Bytes32,
        body=make("BeaconBlockBody", **body),
    )


def _payload(version: int, preset: Preset, *, is_header: bool) -> Any:
    withdrawal = make(
        "Withdrawal", index=uint64, validator_index=uint64, address=Bytes20, amount=uint64
    )
    fields = {
        "parent_hash": Bytes32,
        "fee_recipient": Bytes20,
        "state_root": Bytes32,
        "receipts_root": Bytes32,
        "logs_bloom": ByteVector[256],
        "prev_randao": Bytes32,
        "block_number": uint64,
        "gas_limit": uint64,
        "gas_used": uint64,
        "timestamp": uint64,
        "extra_data": ByteList[32],
        "base_fee_per_gas": uint256,
        "block_hash": Bytes32,
    }
    if is_header:
        fields["transactions_root"] = Bytes32
    else:
        fields["transactions"] = List[ByteList[1_073_741_824], 1_048_576]
    if version >= 4 and is_header:
        fields["withdrawals_root"] = Bytes32
    elif version >= 4:
        fields["withdrawals"] = List[withdrawal, 16 if preset is Preset.MAINNET else 4]
    if version >= 5:
        fields |= {"blob_gas_used": uint64, "excess_blob_gas": uint64}
    return make("ExecutionPayload", **fields)


def _execution_requests() -> Any:
    deposit = make(
        "DepositRequest",
        pubkey=Bytes48,
        withdrawal_credentials=Bytes32,
        amount=uint64,
        signature=Bytes96,
        index=uint64,
    )
    withdrawal = make(
        "WithdrawalRequest", source_address=Bytes20, validator_pubkey=Bytes48, amount=uint64
    )
    consolidation = make(
        "ConsolidationRequest", source_address=Bytes20, source_pubkey=Bytes48, target_pubkey=Bytes48
    )
    return make(
        "ExecutionRequests",
        deposits=List[deposit, 8192],
        withdrawals=List[withdrawal, 16],
        consolidations=List[consolidation, 2],
    )


def _random_bits(count: int, random: Random) -> tuple[bool, ...]:
    return tuple(bool(random.getrandbits(1)) for _ in range(count))
