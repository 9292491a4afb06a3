"""From a planned duty to duties as a beacon node would list them.

Pure. Every operator of a committee is told the same duties; what they make of them differs.

Source: docs/protocol.md, "Duties".
"""

from __future__ import annotations

from operator_node.testing.faults import PlannedDuty
from operator_node.testing.world import Cluster
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.values import ValidatorDuty

COMMITTEE_LENGTHS = (16, 16, 48)
"""Of beacon committees, by validator: everybody aggregates in the first two, one in three in the
third."""
SYNC_POSITIONS = (3, 131, 300, 301)
"""Of every seated validator: three subnets, one of them twice."""
_SYNC_ROLES = {
    RunnerRole.COMMITTEE: BeaconRole.SYNC_COMMITTEE,
    RunnerRole.AGGREGATOR_COMMITTEE: BeaconRole.SYNC_CONTRIBUTION,
}
_ROLES = {
    RunnerRole.COMMITTEE: BeaconRole.ATTESTER,
    RunnerRole.AGGREGATOR: BeaconRole.AGGREGATOR,
    RunnerRole.PROPOSER: BeaconRole.PROPOSER,
    RunnerRole.SYNC_CONTRIBUTION: BeaconRole.SYNC_CONTRIBUTION,
    RunnerRole.VALIDATOR_REGISTRATION: BeaconRole.VALIDATOR_REGISTRATION,
    RunnerRole.VOLUNTARY_EXIT: BeaconRole.VOLUNTARY_EXIT,
    RunnerRole.AGGREGATOR_COMMITTEE: BeaconRole.AGGREGATOR,
}


def validator_duties(planned: PlannedDuty, cluster: Cluster) -> tuple[ValidatorDuty, ...]:
    """What each validator is to do, attesters and aggregators before sync committee members."""
    role = planned.role
    duties = [_duty(planned, cluster, each, _ROLES[role]) for each in planned.validators]
    if role in _SYNC_ROLES:
        duties += [_duty(planned, cluster, each, _SYNC_ROLES[role]) for each in planned.sync]
    return tuple(duties)


def _duty(
    planned: PlannedDuty, cluster: Cluster, validator: int, role: BeaconRole
) -> ValidatorDuty:
    is_sync = role in (BeaconRole.SYNC_COMMITTEE, BeaconRole.SYNC_CONTRIBUTION)
    place = validator % len(COMMITTEE_LENGTHS)
    return ValidatorDuty(
        role=role,
        public_key=cluster.key_of(validator),
        slot=planned.slot,
        validator_index=validator,
        committee_index=place,
        committee_length=COMMITTEE_LENGTHS[place],
        committees_at_slot=len(COMMITTEE_LENGTHS),
        validator_committee_index=validator % COMMITTEE_LENGTHS[place],
        sync_committee_indices=SYNC_POSITIONS if is_sync else (),
    )
