"""A small registry to apply events to, shared by the reducer's tests."""

from __future__ import annotations

from sdk.events import ClusterSnapshot, Event
from sdk.registry import Applied, Aspect, RegistryState, SignatureVerdict, apply, cluster_id
from sdk.registry.changes import OperatorChanged
from sdk.testing import builders
from sdk.units import FEE_UNIT_WEI

OWNER, STRANGER = builders.address(1), builders.address(2)
IDS = builders.operator_ids()
CLUSTER = cluster_id(OWNER, IDS)
KEY = builders.public_key(1)


def fresh() -> RegistryState:
    """Four operators at 1 unit and the network at 1 unit, all from block 0."""
    state = RegistryState(builders.network(fee_units=1, collateral_wei=1, period_blocks=1))
    state.commit(
        OperatorChanged(None, builders.operator(number, fee_units=1)) for number in (1, 2, 3, 4)
    )
    return state


def run(
    state: RegistryState,
    event: Event,
    *,
    block: int,
    verdict: SignatureVerdict = SignatureVerdict.VALID,
) -> Applied:
    applied = apply(state, event, builders.at(block), verdict)
    state.commit(applied.changes)
    return applied


def struct(validators: int, block: int, balance_units: int) -> ClusterSnapshot:
    """What the contract would emit for a cluster of these operators at this block."""
    return builders.snapshot(
        validators=validators,
        network_fee_index=block,
        index=4 * block,
        balance_wei=balance_units * FEE_UNIT_WEI,
    )


def registered(validators: int = 1) -> RegistryState:
    """Keys 1 to `validators`, registered in one bulk call at block 10 with 1000 units."""
    state = fresh()
    for key in range(1, validators + 1):
        event = builders.validator_added(struct(validators, 10, 1000), key=key)
        assert run(state, event, block=10).divergences == ()
    return state


def aspects(applied: Applied) -> list[Aspect]:
    return [divergence.aspect for divergence in applied.divergences]
