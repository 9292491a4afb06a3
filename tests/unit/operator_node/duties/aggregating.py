"""A committee's duty to aggregate, at rest, provided for, and decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    BeaconObject,
    CommitteeDuty,
    ContributionQuery,
    Query,
)
from operator_node.spec.presets import Preset
from operator_node.spec.versions import FULU
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import (
    decode_aggregator_committee_value,
    encode_aggregator_committee_value,
)
from operator_node.wire.values import AggregatorCommitteeValue, ValidatorDuty
from tests.unit.operator_node.duties.many_validators import (
    SHARES,
    CommitteeDesk,
    duty_for,
)
from tests.unit.operator_node.duties.single_validator import setting
from tests.unit.operator_node.duties.test_aggregation import ATTESTATION, SLOT, contribution

AGGREGATE, CONTRIBUTE = BeaconRole.AGGREGATOR, BeaconRole.SYNC_CONTRIBUTION
FIRST, SECOND = PartialKind.AGGREGATOR_COMMITTEE, PartialKind.POST_CONSENSUS
AGGREGATOR = duty_for(AGGREGATE, 17, SLOT)
OTHER_AGGREGATOR = duty_for(AGGREGATE, 18, SLOT)
CONTRIBUTOR = duty_for(CONTRIBUTE, 19, SLOT, sync_committee_indices=(0, 129, 257))


@dataclass(slots=True)
class Chosen:
    """A rule that chooses by validator, and for contributors by proof."""

    validators: frozenset[int] = frozenset({17, 18, 19})
    refused_proofs: set[bytes] = field(default_factory=set)

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        return duty.validator_index in self.validators

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        return duty.validator_index in self.validators and proof not in self.refused_proofs


def answer_to(query: Query) -> Answer:
    match query:
        case AggregateQuery():
            return BeaconObject(FULU, ATTESTATION)
        case ContributionQuery(subnet=subnet):
            return BeaconObject(FULU, contribution(subnet))
    raise AssertionError(query)


def desk_of(*duties: ValidatorDuty, chosen: Chosen | None = None) -> CommitteeDesk:
    ground = replace(setting(), selection=chosen or Chosen())
    duty = AggregationDuty(ground, CommitteeDuty(SLOT, duties), SHARES)
    desk = CommitteeDesk(duty)
    desk.begin()
    return desk


def provide_all(desk: CommitteeDesk) -> CommitteeDesk:
    for place, query in enumerate(list(desk.queries)):
        desk.provide(answer_to(query), place=place)
    return desk


def proposed(desk: CommitteeDesk) -> AggregatorCommitteeValue:
    return decode_aggregator_committee_value(desk.proposals[-1])


def decided(*duties: ValidatorDuty, value: AggregatorCommitteeValue | None = None) -> CommitteeDesk:
    desk = provide_all(desk_of(*duties).hear(2, 3))
    encoded = desk.proposals[-1] if value is None else encode_aggregator_committee_value(value)
    desk.decide(encoded)
    return desk
