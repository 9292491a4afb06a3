"""Which runner a validator's duty belongs to, in each generation.

Pure. Source: docs/protocol.md, "Identifiers".
"""

from __future__ import annotations

from typing import Final

from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole

_BOTH: Final[dict[int, RunnerRole]] = {
    BeaconRole.ATTESTER: RunnerRole.COMMITTEE,
    BeaconRole.PROPOSER: RunnerRole.PROPOSER,
    BeaconRole.SYNC_COMMITTEE: RunnerRole.COMMITTEE,
    BeaconRole.VALIDATOR_REGISTRATION: RunnerRole.VALIDATOR_REGISTRATION,
    BeaconRole.VOLUNTARY_EXIT: RunnerRole.VOLUNTARY_EXIT,
}
_RUNNERS: Final[dict[Generation, dict[int, RunnerRole]]] = {
    Generation.ALAN: {
        **_BOTH,
        BeaconRole.AGGREGATOR: RunnerRole.AGGREGATOR,
        BeaconRole.SYNC_CONTRIBUTION: RunnerRole.SYNC_CONTRIBUTION,
    },
    Generation.BOOLE: {
        **_BOTH,
        BeaconRole.AGGREGATOR: RunnerRole.AGGREGATOR_COMMITTEE,
        BeaconRole.SYNC_CONTRIBUTION: RunnerRole.AGGREGATOR_COMMITTEE,
    },
}


def runner_of(beacon_role: int, generation: Generation) -> RunnerRole:
    """The runner of a duty's role; `UNKNOWN` for a number that names no role."""
    return _RUNNERS[generation].get(beacon_role, RunnerRole.UNKNOWN)
