"""A cluster that was liquidated too late, or not yet.

An operator doubles its fee fourteen times, each time as announced, while nobody liquidates. What
it is credited in the end is more than the cluster ever paid in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.contracts.behaviour.world import (
    FEE_UNIT,
    World,
)

PERIOD_BLOCKS = 21_480
PAID_UNITS = PERIOD_BLOCKS
DOUBLINGS = 14
DECLARE_SECONDS = 86_400
HIGHEST_NETWORK_FEE = 38_000_000_000


@dataclass(frozen=True, slots=True)
class Overdue:
    """A cluster of carol's that used more than it has.

    Attributes:
        world: with a registry that charges no network fee.
        greedy: the only operator with a fee, which is alice's.
        used_units: used up to `block`.
    """

    world: World
    ids: list[int]
    key: bytes
    used_units: int
    block: int

    @property
    def greedy(self) -> int:
        return self.ids[0]

    @property
    def identity(self) -> bytes:
        """The cluster's id."""
        found: bytes = self.world.registry.getClusterId(self.world.carol, self.ids)
        return found

    def shortfall_units(self, block: int) -> int:
        """What is missing at a block, in units."""
        return self.used_units + (block - self.block) * (1 << DOUBLINGS) - PAID_UNITS

    def liquidate(self) -> int:
        """Have a stranger liquidate; the debt in wei."""
        registry = self.world.registry
        cluster = self.world.latest(self.world.carol, self.ids)
        receipt = registry.liquidate(
            self.world.carol, self.ids, cluster, sender=self.world.stranger
        )
        return self.shortfall_units(receipt.block) * FEE_UNIT


def overdue(world: World, *, dust_wei: int = 0) -> Overdue:
    """A cluster opened with the least ether and then forgotten."""
    world = cheap(world)
    registry = world.registry
    ids = world.operators(1, fee=FEE_UNIT) + world.operators(3, fee=0)
    key = world.register(world.carol, ids, value=PAID_UNITS * FEE_UNIT + dust_wei)[0]
    block, fee, used = world.anvil.block_number(), 1, 0
    for _ in range(DOUBLINGS):
        registry.declareOperatorFee(ids[0], 2 * fee * FEE_UNIT, sender=world.alice)
        world.anvil.set_next_timestamp(world.anvil.timestamp() + DECLARE_SECONDS)
        done = registry.executeOperatorFee(ids[0], sender=world.alice).block
        used, block, fee = used + (done - block) * fee, done, 2 * fee
    assert used > PAID_UNITS
    return Overdue(world, ids, key, used, block)


def cheap(world: World) -> World:
    """The world with a registry whose parameters are the lowest there are."""
    registry = world.another(
        networkFee=0,
        minimumOperatorFee=0,
        minimumLiquidationCollateral=FEE_UNIT,
        liquidationThresholdPeriod=PERIOD_BLOCKS,
        operatorFeeIncreaseLimit=10_000,
        declareOperatorFeePeriod=DECLARE_SECONDS,
    )
    return replace(world, registry=registry)


def debt(world: World) -> int:
    """Uncovered debt in wei."""
    found: int = world.registry.getNetworkAccounting()[6]
    return found
