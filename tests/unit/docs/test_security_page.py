"""Figures of docs/security.md, from the parameters a deployment has and the bounds in the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from sdk.registry import ledger
from sdk.toolchain.deploy import DEFAULT_PARAMETERS
from sdk.types import Wei
from sdk.units import format_ether
from tests.unit.docs.pages import integer, table

ROOT = Path(__file__).parents[3]
DAY, YEAR = 7_200, 365 * 7_200
GWEI = 10**9
OPERATOR_FEE = 1_770_000_000
NETWORK_FEE = DEFAULT_PARAMETERS["networkFee"]
PERIOD = DEFAULT_PARAMETERS["liquidationThresholdPeriod"]
COLLATERAL = DEFAULT_PARAMETERS["minimumLiquidationCollateral"]
LIMIT = DEFAULT_PARAMETERS["validatorsPerOperatorLimit"]
HIGHEST_UNITS = 2**30 - 1
BURN = 4 * OPERATOR_FEE + NETWORK_FEE


def bound(name: str) -> int:
    """A constant of contracts/parts/Governance.sol, in its unit."""
    text = (ROOT / "contracts/parts/Governance.sol").read_text()
    found = re.search(rf"constant {name} = ([\d_.]+)( ether)?;", text)
    assert found, name
    if found[2]:
        whole, _, fraction = found[1].partition(".")
        return int(whole + fraction.ljust(18, "0"))
    return int(found[1].replace("_", ""))


def bounty(base_fee: int) -> int:
    return ledger.bounty_wei(
        balance_wei=Wei(10**18), minimum_collateral_wei=Wei(COLLATERAL), base_fee_wei=Wei(base_fee)
    )


def liquidation_gas() -> int:
    """Of a stranger's call with four operators, in thousands."""
    rows = json.loads((ROOT / "tests/gas/snapshot.json").read_text())["rows"]
    return round(int(rows["liquidate_by_third_party_4"]["gas"]), -3)


def ether(amount: int) -> str:
    return f"{format_ether(Wei(amount))} ETH"


def gwei(amount: int) -> str:
    """With at most four decimals, the rest cut."""
    whole, rest = divmod(amount * 10_000 // GWEI, 10_000)
    return f"{whole}.{rest:04}".rstrip("0") + " gwei"


def figures() -> dict[str, str]:
    extra = 63 * BURN
    raised = 4 * (OPERATOR_FEE * 11 // 10) + NETWORK_FEE
    assert bounty(0) == bounty(bounty(0) // ledger.BOUNTY_GAS)
    return {
        "F1": gwei(BURN),
        "F2": ether(bounty(0)),
        "F3": gwei(bounty(0) // ledger.BOUNTY_GAS),
        "F4": ether(bounty(100 * GWEI)),
        "F5": ether(NETWORK_FEE * YEAR),
        "F6": ether(bound("HIGHEST_NETWORK_FEE") * YEAR),
        "F7": ether(DEFAULT_PARAMETERS["maximumOperatorFee"] * YEAR),
        "F8": ether(HIGHEST_UNITS * 100_000 * YEAR),
        "F9": gwei(extra),
        "F10": ether(extra * DAY),
        "F11": ether(PERIOD * 64 * BURN),
        "F12": ether(extra * 8_191),
        "F13": gwei(LIMIT * 64 * BURN),
        "F14": f"{PERIOD:,} blocks",
        "F15": f"{PERIOD * BURN // raised:,} blocks",
        "F16": ether(32 * 10**18 // 4_096),
        "F17": ether(2 * bound("HIGHEST_COLLATERAL")),
        "F18": gwei(COLLATERAL // liquidation_gas()),
        "F19": ether(COLLATERAL * DAY // PERIOD // 10**6 * 10**6),
    }


def steps(start: int, goal: int) -> int:
    """Changes from one value to another if each at most doubles or halves."""
    count = 0
    while start != goal:
        start = min(goal, 2 * start) if goal > start else max(goal, start // 2)
        count += 1
    return count


def test_every_figure_is_what_its_formula_gives() -> None:
    claims = {name: value for name, _, _, value in table("security.md", "Figures")}
    assert claims == figures()


def test_changes_to_the_worst_value_are_counted_right() -> None:
    rows = table("security.md", "Governance (the timelock)")
    claims = {name: integer(count) for name, _, _, count in rows}
    assert claims | dict(expected_steps()) == claims


def expected_steps() -> Iterator[tuple[str, int]]:
    given = DEFAULT_PARAMETERS
    unit = 100_000
    yield "network fee", steps(NETWORK_FEE // unit, bound("HIGHEST_NETWORK_FEE") // unit)
    yield "liquidation period", steps(PERIOD, bound("LONGEST_LIQUIDATION_PERIOD"))
    yield "minimum collateral", steps(COLLATERAL // unit, bound("HIGHEST_COLLATERAL") // unit)
    yield "maximum operator fee", steps(given["maximumOperatorFee"] // unit, HIGHEST_UNITS)
    yield "minimum operator fee", steps(given["minimumOperatorFee"] // unit, HIGHEST_UNITS)
    limit = given["operatorFeeIncreaseLimit"]
    yield "fee increase limit", steps(limit, bound("HIGHEST_INCREASE_LIMIT"))
    yield "declare period", steps(given["declareOperatorFeePeriod"], 86_400)
    yield "execute period", steps(given["executeOperatorFeePeriod"], 3_600)
    yield "validators per operator", steps(LIMIT, 1)


def test_figures_in_the_text_follow_from_the_parameters() -> None:
    text = (ROOT / "docs/security.md").read_text()
    rise = bound("LONGEST_LIQUIDATION_PERIOD") / PERIOD
    fee_rise = (4 * OPERATOR_FEE + bound("HIGHEST_NETWORK_FEE")) / BURN
    assert f"up to {int(rise * fee_rise)}-fold (period {rise:.1f}-fold" in text
    assert f"all fees together {fee_rise:.1f}-fold)" in text
    doublings = steps(OPERATOR_FEE // 100_000, HIGHEST_UNITS)
    assert f"from 1.77 gwei to the cap in {doublings} days" in text
    assert f"at most {1.1**52:.0f}-fold after a year (1.1^52)" in text
