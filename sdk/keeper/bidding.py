"""What a call may cost: its fees, bounded so that it never costs more than it brings.

Pure. A bid that is mined and wins brings at least the least profit, whatever the base fee does
until then: its highest fee per gas is that at which just this profit is left. Amounts are wei,
fees wei per gas.

Source: EIP-1559; docs/liquidator.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from sdk.client.transaction import MAX_TRANSACTION_GAS

BASE_FEE_STEP: Final = 8
"""EIP-1559: from one block to the next the base fee moves by at most an eighth."""
BUMP_PER_100: Final = 13
"""Pools take a replacement that pays 10 % more, some 12.5 %."""
GAS_MARGIN_PER_100: Final = 20
"""Added to an estimate: the chain moves on before the call is mined."""
TRANSFER_GAS: Final = 21_000
"""What a transaction costs that does nothing, which frees the nonce of one that is stuck."""


@dataclass(frozen=True, slots=True)
class Market:
    """Prices of gas as of the newest block.

    Attributes:
        tip_wei: what the node suggests.
    """

    base_fee_wei: int
    tip_wei: int

    @property
    def most_base_fee_wei(self) -> int:
        """In the next block."""
        return self.base_fee_wei + -(-self.base_fee_wei // BASE_FEE_STEP)

    @property
    def least_base_fee_wei(self) -> int:
        """In the next block."""
        return self.base_fee_wei - -(-self.base_fee_wei // BASE_FEE_STEP)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows.

    Attributes:
        max_tip_wei: most that a block's proposer is offered per gas.
        min_profit_wei: least that must be left of a reward.
    """

    max_tip_wei: int
    min_profit_wei: int


@dataclass(frozen=True, slots=True)
class Bid:
    """Fees of one transaction.

    Attributes:
        max_fee_wei: highest price, base fee and tip together.
        reward_wei: that it is made for.
        profit_wei: what is left if it is mined in the next block, at least.
    """

    gas_limit: int
    max_fee_wei: int
    tip_wei: int
    reward_wei: int
    profit_wei: int

    @property
    def most_cost_wei(self) -> int:
        """What it can cost at the very most."""
        return self.gas_limit * self.max_fee_wei


class Why(StrEnum):
    """Why nothing is sent; a closed list."""

    NOT_YET = "not_yet"
    CHANGED = "changed"
    UNPROFITABLE = "unprofitable"
    POOR = "poor"
    REVERTS = "reverts"
    REFUSED = "refused"
    ACCOUNT_BUSY = "account_busy"
    TOO_MANY = "too_many"


MEANINGS: Final = {
    Why.NOT_YET: "the registry does not allow it in the next block",
    Why.CHANGED: "the cluster has changed, or somebody was faster",
    Why.UNPROFITABLE: "the gas would cost more than it may",
    Why.POOR: "the account cannot pay for the gas",
    Why.REVERTS: "the call would revert",
    Why.REFUSED: "the node does not take the transaction",
    Why.ACCOUNT_BUSY: "the account has a transaction pending that is not ours",
    Why.TOO_MANY: "as many transactions as allowed are on their way",
}


@dataclass(frozen=True, slots=True)
class Refrain:
    """Nothing is sent, and why.

    Attributes:
        missing_wei: what the reward or the account lacks, 0 where it is not about money.
    """

    why: Why
    detail: str = ""
    missing_wei: int = 0


Offer: TypeAlias = Bid | Refrain


def bid(
    *, reward_wei: int, gas: int, market: Market, limits: Limits, funds_wei: int | None
) -> Offer:
    """The fees for a call with this reward, or why it does not pay.

    Args:
        reward_wei: what it brings, at least.
        gas: as estimated.
        market: prices now.
        limits: of the user.
        funds_wei: what the account has; None if it need not have any, because nothing is sent.
    """
    gas_limit = min(gas + gas * GAS_MARGIN_PER_100 // 100, MAX_TRANSACTION_GAS)
    tip = min(market.tip_wei, limits.max_tip_wei)
    price = market.most_base_fee_wei + tip
    profit = reward_wei - gas_limit * price
    if profit < limits.min_profit_wei:
        detail = f"a reward of {reward_wei} wei for {gas} gas at {price} wei"
        return Refrain(Why.UNPROFITABLE, detail, limits.min_profit_wei - profit)
    ceiling = (reward_wei - limits.min_profit_wei) // gas_limit
    if funds_wei is not None:
        ceiling = min(ceiling, funds_wei // gas_limit)
    if ceiling < price:
        held = 0 if funds_wei is None else funds_wei
        detail = f"{held} wei for {gas_limit} gas at {price} wei"
        return Refrain(Why.POOR, detail, gas_limit * price - held)
    # More than the double of today's price would only wait in the pool for days.
    most = min(ceiling, 2 * market.most_base_fee_wei + tip)
    return Bid(gas_limit, most, tip, reward_wei, profit)


def outbid(old: Bid, fresh: Bid, limits: Limits) -> Bid | None:
    """Fees that replace a transaction in the pools; None if the limits do not allow that.

    Args:
        old: of the transaction that is stuck.
        fresh: what the same call is worth now.
        limits: of the user.
    """
    gas_limit = max(old.gas_limit, fresh.gas_limit)
    tip = max(bumped(old.tip_wei), fresh.tip_wei)
    most = max(bumped(old.max_fee_wei), fresh.max_fee_wei)
    ceiling = (fresh.reward_wei - limits.min_profit_wei) // gas_limit
    if tip > limits.max_tip_wei or most > ceiling:
        return None
    lost = gas_limit * tip - fresh.gas_limit * fresh.tip_wei
    return Bid(gas_limit, most, tip, fresh.reward_wei, fresh.profit_wei - max(0, lost))


def withdrawal(old: Bid, market: Market) -> Bid | None:
    """Fees of a transfer of nothing that takes the place of a stuck call.

    None if it would cost more than the call itself could have.
    """
    tip = bumped(old.tip_wei)
    most = max(bumped(old.max_fee_wei), market.most_base_fee_wei + tip)
    if TRANSFER_GAS * most > old.most_cost_wei:
        return None
    return Bid(TRANSFER_GAS, most, tip, 0, -TRANSFER_GAS * most)


def bumped(fee_wei: int) -> int:
    """The least fee that replaces this one, rounded up."""
    return fee_wei + max(1, -(-fee_wei * BUMP_PER_100 // 100))
