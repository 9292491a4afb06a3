"""Who acts in a fuzzed world, and what sort of world it is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sdk.testing import builders
from sdk.types import Address
from tests.contracts.registry_in_evm import InitialParameters

UNIT_WEI = 100_000
MOST_FEE_UNITS = 2**30 - 1


@dataclass(frozen=True, slots=True)
class Cast:
    """Addresses by what they mostly do; anybody may try anything.

    Attributes:
        owners: of clusters.
        operators: owners of operators.
        coalition: plays owner, operator, prover and liquidator at once.
        refuser: a contract that owns clusters and operators and takes no ether.
        governance: owner of the registry at first.
        heir: whom ownership may be handed to.
    """

    owners: tuple[Address, ...]
    operators: tuple[Address, ...]
    coalition: Address
    liquidator: Address
    prover: Address
    stranger: Address
    governance: Address
    heir: Address
    refuser: Address

    @property
    def cluster_owners(self) -> tuple[Address, ...]:
        """Everyone who owns clusters."""
        return (*self.owners, self.coalition, self.refuser)

    @property
    def operator_owners(self) -> tuple[Address, ...]:
        """Everyone who owns operators."""
        return (*self.operators, self.coalition, self.refuser)

    @property
    def everyone(self) -> tuple[Address, ...]:
        """All of them."""
        return (
            *self.owners,
            *self.operators,
            self.coalition,
            self.liquidator,
            self.prover,
            self.stranger,
            self.governance,
            self.heir,
            self.refuser,
        )


@dataclass(frozen=True, slots=True)
class Traits:
    """What makes one world differ from the next.

    Attributes:
        is_diligent: a liquidator acts within `DILIGENCE_BLOCKS` of every cluster's becoming
            liquidatable.
        fee_units: highest fee that operators register with.
        longest_jump: most blocks that pass between two steps.
    """

    parameters: InitialParameters
    is_diligent: bool
    fee_units: int
    longest_jump: int


DILIGENCE_BLOCKS = 100


def draw_cast(refuser: Address) -> Cast:
    """The same people in every world."""
    named = [builders.address(9_000 + number) for number in range(14)]
    return Cast(
        owners=tuple(named[:4]),
        operators=tuple(named[4:7]),
        coalition=named[7],
        liquidator=named[8],
        prover=named[9],
        stranger=named[10],
        governance=named[11],
        heir=named[12],
        refuser=refuser,
    )


def draw_traits(
    rng: Random, *, governance: Address, verifier: Address, is_diligent: bool
) -> Traits:
    """A world's parameters: sometimes the usual ones, sometimes each at a bound.

    `is_diligent` makes the world diligent; else it may be so by chance.
    """
    highest_units = rng.choice([MOST_FEE_UNITS, MOST_FEE_UNITS, 100_000, 1_000_000])
    fee_units = rng.choice([highest_units, min(highest_units, 35_000), 1_000])
    lowest_units = rng.choice([0, 1, rng.randrange(1, fee_units + 1), fee_units])
    collateral_units = rng.choice([1, 10**4, 94 * 10**8, 5 * 10**11, rng.randrange(1, 10**10)])
    parameters = InitialParameters(
        owner=governance,
        beacon_verifier=verifier,
        network_fee_wei=rng.choice([0, 100_000, 35_509 * UNIT_WEI, 380_000 * UNIT_WEI]),
        liquidation_period_blocks=rng.choice(
            [21_480, 21_481, 50_190, rng.randrange(21_480, 432_001)]
        ),
        minimum_collateral_wei=collateral_units * UNIT_WEI,
        minimum_operator_fee_wei=lowest_units * UNIT_WEI,
        maximum_operator_fee_wei=highest_units * UNIT_WEI,
        validators_per_operator_limit=rng.choice([1, 3, 8, 20, 3_000, 65_535]),
        fee_increase_limit_per_10000=rng.choice([0, 1, 1_000, 10_000]),
        declare_period_s=rng.choice([86_400, 604_800, 30 * 86_400]),
        execute_period_s=rng.choice([3_600, 604_800, 30 * 86_400]),
    )
    return Traits(
        parameters=parameters,
        is_diligent=rng.random() < 0.35 or is_diligent,
        fee_units=fee_units,
        longest_jump=rng.choice([200, 10_000, 3 * parameters.liquidation_period_blocks]),
    )
