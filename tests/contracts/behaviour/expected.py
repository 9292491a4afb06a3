"""What clusters owe, from the formulas of docs/fees.md; written out again for the tests.

For operators opened one block after another, whose fees stay as they are. Never asks the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdk.toolchain.deploy import DEFAULT_PARAMETERS
from tests.contracts.behaviour.world import FEE_UNIT, NETWORK_FEE, OPERATOR_FEE, Cluster, World

PERIOD_BLOCKS = DEFAULT_PARAMETERS["liquidationThresholdPeriod"]
COLLATERAL_WEI = DEFAULT_PARAMETERS["minimumLiquidationCollateral"]


@dataclass(frozen=True, slots=True)
class Rates:
    """Fees of one set of operators and of the network.

    Attributes:
        opened: block of each operator's registration.
        network_opened: block of the registry's creation.
        fee_units: of each operator, per block and 32 ETH.
        network_fee_units: likewise.
    """

    opened: tuple[int, ...]
    network_opened: int
    fee_units: int = OPERATOR_FEE // FEE_UNIT
    network_fee_units: int = NETWORK_FEE // FEE_UNIT

    def index(self, block: int) -> int:
        """Sum of the operators' indexes, in units."""
        return sum((block - opened) * self.fee_units for opened in self.opened)

    def network_index(self, block: int) -> int:
        """The network's index, in units."""
        return (block - self.network_opened) * self.network_fee_units

    def struct(self, block: int, *, validators: int, balance: int) -> Cluster:
        """An active cluster settled at a block."""
        return Cluster(validators, self.network_index(block), self.index(block), True, balance)

    @property
    def all_units(self) -> int:
        """Fees of all operators and the network, per block and 32 ETH."""
        return len(self.opened) * self.fee_units + self.network_fee_units

    def usage(self, blocks: int, *, eth: int = 32) -> int:
        """What a cluster pays for these blocks, in wei: whole units, rounded up."""
        return -(-blocks * self.all_units * eth // 32) * FEE_UNIT

    def burn(self, eth: int = 32) -> int:
        """Wei per block."""
        return self.all_units * FEE_UNIT * eth // 32

    def earnings(self, blocks: int, *, eth: int = 32) -> int:
        """What one operator earns in these blocks, in wei: whole units, rounded down."""
        return blocks * self.fee_units * eth // 32 * FEE_UNIT

    def network_earnings(self, blocks: int, *, eth: int = 32) -> int:
        """What the network earns in these blocks, likewise."""
        return blocks * self.network_fee_units * eth // 32 * FEE_UNIT

    def threshold(self, eth: int = 32) -> int:
        """Least balance with which nobody may liquidate, in wei."""
        return max(COLLATERAL_WEI, self.usage(PERIOD_BLOCKS, eth=eth))


def open_operators(world: World, count: int = 4) -> tuple[list[int], Rates]:
    """New operators of alice's at the usual fee, and their rates."""
    ids = world.operators(count)
    last = world.anvil.block_number()
    opened = tuple(range(last - count + 1, last + 1))
    return ids, Rates(opened, world.initializer.block)


def open_cluster(
    world: World, count: int = 4, *, keys: int = 1, value: int = 10**18
) -> tuple[list[int], list[bytes], Rates]:
    """Operators, validators and rates of a new cluster of carol's, registered in the last block."""
    ids, rates = open_operators(world, count)
    return ids, world.register(world.carol, ids, keys=keys, value=value), rates


def accounts(world: World, ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Earnings in wei, effective balance in ETH and validators of each operator."""
    found = []
    for operator_id in ids:
        _, _, _, earnings, eth, validators = world.registry.getOperatorAccounting(operator_id)
        found.append((earnings, eth, validators))
    return found


def network_sums(world: World) -> tuple[int, int]:
    """Effective balance in ETH and validators of the whole network."""
    accounting = world.registry.getNetworkAccounting()
    return accounting[4], accounting[5]


def held(world: World) -> int:
    """Ether of the registry, in wei."""
    return world.anvil.balance(world.registry.address)
