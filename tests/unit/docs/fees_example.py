"""The life of a cluster that docs/fees.md tells, computed with the ledger.

`figures` answers every row of the page's table by (block, name). The page gives the inputs; the
unit test compares the answers with the page, and tests/contracts/pages the contracts with the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdk.registry import effects, ledger, runway
from sdk.testing import builders
from sdk.types import BlockNumber, Wei
from sdk.units import format_ether, parse_ether, units_to_wei
from tests.unit.docs.pages import integer, table

PAGE = "fees.md"
HEADING = "A cluster's life"


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, as the page's first two tables give it; blocks count from the registration.

    Attributes:
        proven_eth: effective balance that is proven for one of the validators.
    """

    validators: int
    operator_fee_units: int
    network_fee_units: int
    period_blocks: int
    collateral_wei: Wei
    base_fee_wei: Wei
    deposit_wei: Wei
    proof: BlockNumber
    proven_eth: int
    liquidation: BlockNumber
    reactivation: BlockNumber
    reactivation_wei: Wei
    network_withdrawal: BlockNumber
    late_liquidation: BlockNumber
    operator_withdrawal: BlockNumber
    gift: BlockNumber


def story() -> Story:
    """The inputs, from the page."""
    given = {name: value for name, value, *_ in table(PAGE, HEADING)}
    calls = [(integer(block), call, paid) for block, call, paid in table(PAGE, HEADING, number=1)]
    blocks = [BlockNumber(block) for block, _, _ in calls]
    return Story(
        validators=integer(calls[0][1].split("registers ")[1]),
        operator_fee_units=integer(given["fee of each of the 4 operators"]),
        network_fee_units=integer(given["network fee"]),
        period_blocks=integer(given["liquidation period"]),
        collateral_wei=parse_ether(given["minimum collateral"].removesuffix(" ETH")),
        base_fee_wei=Wei(integer(given["base fee"]) * 10**9),
        deposit_wei=parse_ether(calls[0][2]),
        proof=blocks[1],
        proven_eth=integer(calls[1][1].split("has ")[1]),
        liquidation=blocks[2],
        reactivation=blocks[3],
        reactivation_wei=parse_ether(calls[3][2]),
        network_withdrawal=blocks[4],
        late_liquidation=blocks[5],
        operator_withdrawal=blocks[6],
        gift=blocks[7],
    )


def claims() -> dict[tuple[int, str], str]:
    """The page's answers by block and name."""
    return {
        (integer(block), name): value for block, name, value, *_ in table(PAGE, HEADING, number=2)
    }


class Teller:
    """Plays the story and notes the figures.

    Attributes:
        held_wei: ether paid in minus ether paid out.
    """

    def __init__(self, given: Story) -> None:
        self.given = given
        self.found: dict[tuple[int, str], str] = {}
        self.held_wei = 0
        self.parties = builders.parties(
            builders.snapshot(validators=0, balance_wei=0),
            fee_units=(given.operator_fee_units,) * 4,
            network_fee_units=given.network_fee_units,
            period_blocks=given.period_blocks,
            collateral_wei=given.collateral_wei,
        )

    def tell(self) -> dict[tuple[int, str], str]:
        """Every figure of the page."""
        self.register()
        self.prove()
        self.liquidate_in_time()
        self.reactivate()
        self.withdraw_network_earnings()
        self.liquidate_late()
        self.settle_up()
        return self.found

    def register(self) -> None:
        given, at = self.given, BlockNumber(0)
        self.parties = effects.register(
            self.parties, validators=given.validators, deposit_wei=given.deposit_wei, at=at
        )
        self.held_wei += given.deposit_wei
        self.note_rates(at)

    def prove(self) -> None:
        given, at = self.given, self.given.proof
        half_way = effects.settle(self.parties, at=at)
        self.note(at, "used since", f"{half_way.usage_units:,} units")
        self.note_ether(at, "balance", half_way.parties.cluster.snapshot.balance_wei)
        withdrawable = runway.withdrawable_wei(self.parties, at=at)
        self.note_ether(at, "owner could withdraw before the proof", withdrawable)
        self.parties = effects.prove(
            self.parties,
            deposit_wei=Wei(0),
            difference_eth=given.proven_eth - 32,
            at=at,
        )
        self.note_rates(at)
        deposit = runway.deposit_needed_wei(self.parties, for_blocks=216_000, at=at)
        self.note_ether(at, "deposit for 216,000 more blocks", deposit)

    def liquidate_in_time(self) -> None:
        at = self.given.liquidation
        assert not ledger.is_liquidatable(self.parties, at=BlockNumber(at - 1))
        assert ledger.is_liquidatable(self.parties, at=at)
        self.note_liquidation(at)

    def reactivate(self) -> None:
        given, at = self.given, self.given.reactivation
        self.parties = effects.reactivate(self.parties, deposit_wei=given.reactivation_wei, at=at)
        self.held_wei += given.reactivation_wei
        self.note_ether(at, "balance", self.parties.cluster.snapshot.balance_wei)
        self.note_block(at, "first block in which it may be liquidated")

    def withdraw_network_earnings(self) -> None:
        at = self.given.network_withdrawal
        network = ledger.settle_network(self.parties.network, at=at)
        paid = units_to_wei(network.credit_units)
        self.note_ether(at, "network is paid", paid)
        self.held_wei -= paid
        after = effects.withdraw_network_earnings(
            self.parties.network, units=network.credit_units, at=at
        )
        self.parties = replace(self.parties, network=after)

    def liquidate_late(self) -> None:
        at = self.given.late_liquidation
        settled = effects.settle(self.parties, at=at)
        self.note(at, "used since", f"{settled.usage_units:,} units")
        earned = ledger.settle_network(self.parties.network, at=at).credit_units
        self.note(at, "shortfall", f"{settled.shortfall_units:,} units")
        self.note(at, "network's credit that bears it", f"{earned:,} units")
        self.note(at, "uncovered debt", f"{settled.debt_added_units:,} units")
        self.note_liquidation(at)

    def settle_up(self) -> None:
        given = self.given
        first = self.parties.operators[0]
        after, paid = first, ledger.settle_operator(first, at=given.operator_withdrawal)
        after = effects.withdraw_earnings(
            first, units=paid.credit_units, at=given.operator_withdrawal
        )
        self.note_ether(
            given.operator_withdrawal, "operator is paid", units_to_wei(paid.credit_units)
        )
        self.held_wei -= units_to_wei(paid.credit_units)
        self.parties = replace(self.parties, operators=(after, *self.parties.operators[1:]))
        debt = units_to_wei(self.parties.network.uncovered_debt_units)
        owed = sum(units_to_wei(each.credit_units) for each in self.parties.operators)
        self.note_ether(given.operator_withdrawal, "registry owes operators", owed)
        self.note_ether(given.operator_withdrawal, "registry holds", self.held_wei)
        network = effects.cover_debt(self.parties.network, value_wei=debt, at=given.gift)
        self.held_wei += debt
        assert (network.uncovered_debt_units, network.credit_units) == (0, 0)
        self.note_ether(given.gift, "gift that covers the debt", debt)
        self.note_ether(given.gift, "registry holds", self.held_wei)
        self.note(given.gift, "of it nobody's, by rounding", f"{self.held_wei - owed:,} wei")

    def note_rates(self, at: BlockNumber) -> None:
        """What the cluster burns from here on, and how long it lasts."""
        eth = self.parties.cluster.effective_balance_eth
        threshold = ledger.liquidation_threshold_wei(self.parties, effective_balance_eth=eth)
        self.note(at, "effective balance", f"{eth} ETH")
        self.note(at, "burn rate", f"{ledger.burn_rate_wei(self.parties):,} wei per block")
        self.note_ether(at, "threshold", threshold)
        left = runway.runway_blocks(self.parties, at=at)
        assert left is not None
        self.note(at, "runway", f"{left:,} blocks")
        self.note_block(at, "first block in which it may be liquidated")

    def note_block(self, at: BlockNumber, name: str) -> None:
        block = runway.liquidation_block(self.parties, at=at)
        assert block is not None
        self.note(at, name, f"{block:,}")

    def note_liquidation(self, at: BlockNumber) -> None:
        """Liquidates for a stranger and notes who gets what."""
        balance = ledger.settle_cluster(self.parties, at=at).snapshot.balance_wei
        self.note_ether(at, "balance", balance)
        bounty = ledger.bounty_wei(
            balance_wei=balance,
            minimum_collateral_wei=self.given.collateral_wei,
            base_fee_wei=self.given.base_fee_wei,
        )
        ended = effects.liquidate(self.parties, at=at, paid_at_most_wei=bounty)
        self.parties = ended.parties
        self.held_wei -= ended.paid_wei
        self.note_ether(at, "liquidator is paid", ended.paid_wei)
        self.note_ether(at, "left to the owner", ended.parties.cluster.snapshot.balance_wei)
        credits = {each.credit_units for each in self.parties.operators}
        assert len(credits) == 1
        self.note(at, "each operator's credit", f"{credits.pop():,} units")
        self.note(at, "network's credit", f"{self.parties.network.credit_units:,} units")

    def note(self, at: int, name: str, value: str) -> None:
        self.found[at, name] = value

    def note_ether(self, at: int, name: str, value_wei: int) -> None:
        self.note(at, name, f"{format_ether(Wei(value_wei))} ETH")


def figures(given: Story) -> dict[tuple[int, str], str]:
    """Every figure of the page, computed."""
    return Teller(given).tell()
