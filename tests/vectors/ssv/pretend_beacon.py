"""The beacon node of the runner cases: fixed answers, and a record of what was submitted."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cache
from typing import Any, assert_never

from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    AttestationDataQuery,
    BeaconObject,
    BlockQuery,
    ContributionQuery,
    Query,
    Submission,
    SubmissionKind,
)
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_shape,
    signed_block_contents_shape,
)
from operator_node.spec.chain import ChainSpec, Fork
from operator_node.spec.operations import signed
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import hash_tree_root
from operator_node.spec.versions import ALTAIR, BELLATRIX, DENEB, ELECTRA, PHASE0
from operator_node.wire.generations import Generation
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.types import Epoch
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.reading import number, rows

SECONDS_PER_SLOT = 12
SLOTS_PER_EPOCH = 32


@cache
def chain_of(vectors: Vectors) -> ChainSpec:
    """The cases' chain: their fork epochs, one fork version and one root for every domain."""
    constants = vectors.fixtures["constants"]
    version = bytes.fromhex(constants["genesis_fork_version"])
    forks = [Fork(PHASE0, Epoch(0), version)]
    for place, epoch in enumerate(vectors.fixtures["fork_epochs"].values(), start=ALTAIR):
        forks.append(Fork(place, Epoch(epoch), version))
    return ChainSpec(
        preset=Preset.MAINNET,
        genesis_time=constants["network_min_genesis_time"],
        seconds_per_slot=SECONDS_PER_SLOT,
        slots_per_epoch=SLOTS_PER_EPOCH,
        genesis_validators_root=bytes.fromhex(constants["genesis_validators_root"]),
        genesis_fork_version=version,
        forks=tuple(forks),
    )


@dataclass(slots=True)
class PretendBeacon:
    """Answers whatever is asked; `submitted` are the roots of what it was given."""

    vectors: Vectors
    submitted: list[str] = field(default_factory=list)

    def answer(self, query: Query) -> Answer:
        """The fixture, whatever slot is asked for."""
        fixtures = self.vectors.fixtures
        version = chain_of(self.vectors).version_at(query.slot)
        match query:
            case AttestationDataQuery():
                return vote_of(self.vectors)
            case BlockQuery():
                data = fixtures["blocks"][str(version)]
            case AggregateQuery():
                form = "electra" if version >= ELECTRA else "phase0"
                data = fixtures["aggregate_attestation"][form]
            case ContributionQuery():
                if self.vectors.generation is Generation.ALAN:
                    version = BELLATRIX  # whatever the slot
                data = fixtures["sync_contribution_by_subnet"][str(query.subnet)]
            case _:
                assert_never(query)
        return BeaconObject(version, base64.b64decode(data))

    def take(self, items: tuple[Submission, ...]) -> None:
        """Accepts everything."""
        self.submitted += [_root_of(item).hex() for item in items]


def _root_of(item: Submission) -> bytes:
    """The root of the signed object; of a block, a submission only has the block's own."""
    if item.kind is not SubmissionKind.BLOCK:
        return item.root
    if item.blinded:
        shape = signed(blinded_block_shape(item.version, Preset.MAINNET))
    elif item.version >= DENEB:
        shape = signed_block_contents_shape(item.version, Preset.MAINNET)
    else:
        shape = signed(block_shape(item.version, Preset.MAINNET))
    return hash_tree_root(shape, item.data)


@cache
def vote_of(vectors: Vectors) -> BeaconVote:
    """What the pretend node attests to."""
    data = vectors.fixtures["attestation_data"]
    source, target = (
        Checkpoint(Epoch(data[name]["epoch"]), bytes.fromhex(data[name]["root"]))
        for name in ("source", "target")
    )
    return BeaconVote(bytes.fromhex(data["beacon_block_root"]), source, target)


@dataclass(slots=True)
class PretendSelection:
    """Chooses everybody but those that a case names.

    Attributes:
        by_committee_index: what aggregators of these committee indexes are told.
        by_proof: if not None, only these proofs choose a contributor, and only if true.
    """

    by_committee_index: dict[int, bool] = field(default_factory=dict)
    by_proof: dict[bytes, bool] | None = None

    @classmethod
    def of(cls, case: dict[str, Any]) -> PretendSelection:
        """As a message processing case, or one of proofs, says."""
        proofs = case.get("ProofRootsMap")
        names = (number(each) for each in rows(case.get("BeaconAggregators")))
        answers = rows(case.get("BeaconAggregatorsValues"))
        return cls(
            dict(zip(names, answers, strict=True)),
            None if proofs is None else {bytes.fromhex(k): v for k, v in proofs.items()},
        )

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        """See `SelectionRule`."""
        return self.by_committee_index.get(duty.committee_index, True)

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        """See `SelectionRule`."""
        return True if self.by_proof is None else self.by_proof.get(proof, False)
