"""What an aggregator committee agrees on: its rules, and what it makes each validator sign.

Pure. Source: docs/protocol.md, "Duties" (aggregator committee) and "Value checks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from operator_node.duties.types import Submission, SubmissionKind
from operator_node.spec.chain import ChainSpec
from operator_node.spec.containers import (
    AggregateAndProof,
    ContributionAndProof,
    SignedAggregateAndProof,
    SignedContributionAndProof,
    SyncAggregatorSelectionData,
)
from operator_node.spec.operations import attestation_shape, contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.selection import subnet_of
from operator_node.spec.signing import (
    SigningDomain,
    signing_root,
    sync_selection_data_root,
    uint64_root,
)
from operator_node.spec.ssz import MalformedSsz, check, field, hash_tree_root
from operator_node.spec.versions import FULU, PHASE0
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.value_codec import decode_aggregator_committee_value
from operator_node.wire.values import AggregatorCommitteeValue, Assigned, ValidatorDuty
from sdk.ssz import root_of_bytes_vector, root_of_container
from sdk.types import Signature

VALUES_KEPT: Final = 4
"""Values read last, of some MB at most: each is judged when it is supplied, when it is proposed and
when it is decided."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One signature that chooses, or does not choose, a validator.

    `place` is the committee index of an aggregator, the subnet of a contributor. The root is what
    is signed.
    """

    duty: ValidatorDuty
    place: int
    root: bytes

    @property
    def is_aggregator(self) -> bool:
        """Rather than a contributor."""
        return self.duty.role == BeaconRole.AGGREGATOR


@dataclass(frozen=True, slots=True)
class Endorsement:
    """One object that a decided value makes a validator sign: a proof and what it publishes.

    Attributes:
        role: aggregator or sync contribution.
        place: committee index or subnet.
        root: signing root.
        message: SSZ of AggregateAndProof or ContributionAndProof.
        message_root: its hash tree root.
    """

    role: BeaconRole
    validator_index: int
    place: int
    root: bytes
    message: bytes
    message_root: bytes


def selections_of(duties: Iterable[ValidatorDuty], chain: ChainSpec) -> list[Selection]:
    """What is signed before consensus, in the order in which a message lists it.

    An aggregator signs the slot; a contributor signs each distinct subnet of its positions once.
    """
    found: list[Selection] = []
    for duty in duties:
        epoch = chain.epoch_of(duty.slot)
        if duty.role == BeaconRole.AGGREGATOR:
            domain = chain.domain(SigningDomain.SELECTION_PROOF, epoch)
            root = signing_root(uint64_root(duty.slot), domain)
            found.append(Selection(duty, duty.committee_index, root))
            continue
        domain = chain.domain(SigningDomain.SYNC_SELECTION_PROOF, epoch)
        for subnet in subnets_of(duty, chain.preset):
            data = SyncAggregatorSelectionData(duty.slot, subnet)
            found.append(
                Selection(duty, subnet, signing_root(sync_selection_data_root(data), domain))
            )
    return found


def subnets_of(duty: ValidatorDuty, preset: Preset) -> tuple[int, ...]:
    """The distinct subnets of a contributor's positions, in the order of the positions."""
    return tuple(
        dict.fromkeys(subnet_of(position, preset) for position in duty.sync_committee_indices)
    )


@lru_cache(VALUES_KEPT)
def read_value(data: bytes, preset: Preset) -> AggregatorCommitteeValue:
    """A value that keeps all rules.

    Raises:
        ProtocolFault: the first rule that is broken.
    """
    try:
        size = preset.sizes.contribution_bytes
        value = decode_aggregator_committee_value(data, contribution_bytes=size)
    except ProtocolFault as problem:
        raise ProtocolFault(Fault.AGGREGATES_MALFORMED, problem.message) from problem
    check_value(value, preset)
    return value


def check_value(value: AggregatorCommitteeValue, preset: Preset) -> None:
    """Returns if a value is consistent: every object is used, every validator has its object.

    Raises:
        ProtocolFault: the first rule that is broken.
    """
    if not value.aggregators and not value.contributors:
        raise ProtocolFault(Fault.NO_VALIDATORS, "the value names no validator")
    _check_aggregates(value, preset)
    _check_contributions(value, preset)


def _check_aggregates(value: AggregatorCommitteeValue, preset: Preset) -> None:
    indexes = value.committee_indexes
    if len(value.attestations) != len(indexes):
        raise ProtocolFault(
            Fault.ATTESTATION_COUNT,
            f"{len(value.attestations)} attestations of {len(indexes)} committees",
        )
    if len(set(indexes)) != len(indexes):
        raise ProtocolFault(Fault.COMMITTEE_INDEX_REPEATED, f"committees {indexes}")
    needed = {each.committee_index for each in value.aggregators}
    if missing := needed - set(indexes):
        raise ProtocolFault(
            Fault.COMMITTEE_INDEX_MISSING, f"no attestation of committees {sorted(missing)}"
        )
    if unused := set(indexes) - needed:
        raise ProtocolFault(
            Fault.COMMITTEE_INDEX_UNUSED, f"nobody aggregates for committees {sorted(unused)}"
        )
    for encoded in value.attestations:
        if not PHASE0 <= value.version <= FULU:
            raise ProtocolFault(Fault.UNKNOWN_VERSION, f"version {value.version} is no fork")
        try:
            check(attestation_shape(value.version, preset), encoded)
        except MalformedSsz as problem:
            raise ProtocolFault(Fault.ATTESTATION_MALFORMED, problem.message) from problem


def _check_contributions(value: AggregatorCommitteeValue, preset: Preset) -> None:
    subnets = [subnet_in(contribution, preset) for contribution in value.contributions]
    if len(set(subnets)) != len(subnets):
        raise ProtocolFault(Fault.SUBNET_REPEATED, f"contributions of subnets {subnets}")
    needed = {each.committee_index for each in value.contributors}
    if missing := needed - set(subnets):
        raise ProtocolFault(Fault.SUBNET_MISSING, f"no contribution of subnets {sorted(missing)}")
    if unused := set(subnets) - needed:
        raise ProtocolFault(Fault.SUBNET_UNUSED, f"nobody contributes for subnets {sorted(unused)}")


def subnet_in(contribution: bytes, preset: Preset) -> int:
    """The subnet that an encoded contribution is of.

    Raises:
        ProtocolFault: it is not one of the preset.
    """
    try:
        part = field(contribution_shape(preset), contribution, "subcommittee_index")
    except MalformedSsz as problem:
        raise ProtocolFault(Fault.AGGREGATES_MALFORMED, problem.message) from problem
    return int.from_bytes(part, "little")


def endorsements_of(
    value: AggregatorCommitteeValue,
    chain: ChainSpec,
    slot: int,
    *,
    is_wanted: Callable[[BeaconRole, Assigned], bool],
) -> list[Endorsement]:
    """What a value makes some validators sign, aggregators first, in the value's order.

    Args:
        value: checked.
        chain: its domains and preset.
        slot: the duty's.
        is_wanted: whether to sign an entry; asked once each, in order. A value names thousands, and
            hashing an aggregate takes a millisecond, so nothing is hashed for the others.
    """
    epoch, preset = chain.epoch_of(slot), chain.preset
    attestations = dict(zip(value.committee_indexes, value.attestations, strict=True))
    aggregates = _endorsements(
        BeaconRole.AGGREGATOR,
        [each for each in value.aggregators if is_wanted(BeaconRole.AGGREGATOR, each)],
        attestations,
        root_of=lambda each: hash_tree_root(attestation_shape(value.version, preset), each),
        domain=chain.domain(SigningDomain.AGGREGATE_AND_PROOF, epoch),
    )
    contributions = {subnet_in(each, preset): each for each in value.contributions}
    return aggregates + _endorsements(
        BeaconRole.SYNC_CONTRIBUTION,
        [each for each in value.contributors if is_wanted(BeaconRole.SYNC_CONTRIBUTION, each)],
        contributions,
        root_of=lambda each: hash_tree_root(contribution_shape(preset), each),
        domain=chain.domain(SigningDomain.CONTRIBUTION_AND_PROOF, epoch),
    )


def submission_of(endorsement: Endorsement, signature: Signature, version: int) -> Submission:
    """The signed object, as a beacon node takes it; `version` is the decided value's."""
    if endorsement.role is BeaconRole.AGGREGATOR:
        kind = SubmissionKind.AGGREGATE
        data = SignedAggregateAndProof(endorsement.message, signature).encode()
    else:
        kind = SubmissionKind.CONTRIBUTION
        data = SignedContributionAndProof(endorsement.message, signature).encode()
    root = root_of_container(endorsement.message_root, root_of_bytes_vector(signature))
    return Submission(kind, version, data, root, endorsement.validator_index)


def _endorsements(
    role: BeaconRole,
    chosen: Sequence[Assigned],
    objects: Mapping[int, bytes],
    *,
    root_of: Callable[[bytes], bytes],
    domain: bytes,
) -> list[Endorsement]:
    """One per validator chosen; `objects` are by committee index or subnet, each hashed once."""
    places = {who.committee_index for who in chosen}
    roots = {place: root_of(objects[place]) for place in places}
    form: type[AggregateAndProof | ContributionAndProof] = (
        AggregateAndProof if role is BeaconRole.AGGREGATOR else ContributionAndProof
    )
    found = []
    for who in chosen:
        place, proof = who.committee_index, who.selection_proof
        root = root_of_container(
            uint64_root(who.validator_index), roots[place], root_of_bytes_vector(proof)
        )
        message = form(who.validator_index, objects[place], proof).encode()
        found.append(
            Endorsement(role, who.validator_index, place, signing_root(root, domain), message, root)
        )
    return found
