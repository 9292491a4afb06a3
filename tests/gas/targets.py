"""What each row may cost: the strictest of the bounds that apply to it.

Bounds in gas allow 2 %, those in parts of the reference's v2 allow nothing. A row that calldata
alone pins down (EIP-7623) has that floor as its target: no execution saving could lower it.
"""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE_PERCENT = 2
GENERAL_PERCENT = 90
SIZES = (4, 7, 10, 13)

# Gas behind one proxy, all checks and the owner's nonce included, for an owner known before.
GAS_TARGETS: dict[str, int] = {
    "register_validator_existing_cluster_4": 138_000,
    "register_validator_existing_no_deposit_4": 138_000,
    "register_validator_existing_explicit_eb_4": 138_000,
    "register_validator_existing_cluster_13": 265_000,
    "register_validator_existing_no_deposit_13": 265_000,
    "register_validator_existing_explicit_eb_13": 265_000,
    "register_validator_new_cluster_4": 161_000,
    "bulk_register_10_existing_4": 725_000,
    "bulk_register_10_new_4": 725_000,
    "remove_validator_4": 74_000,
    "withdraw_cluster_4": 64_000,
    "liquidate_self_4": 79_000,
    "liquidate_self_explicit_eb_4": 79_000,
    "liquidate_by_third_party_4": 79_000,
    "reactivate_4": 74_000,
    "deposit_4": 42_000,
    "register_operator": 126_000,
    "register_operator_private": 126_000,
}

# Percent of v2, where it is less than for every other row.
TIGHTER_PERCENT: dict[str, int] = {
    "register_validator_existing_cluster_4": 60,
    "register_validator_existing_no_deposit_4": 60,
    "register_validator_existing_cluster_13": 50,
    "register_validator_existing_no_deposit_13": 50,
    "liquidate_self_4": 60,
    "liquidate_by_third_party_4": 60,
    "remove_validator_4": 58,
}

# Rows with a bound of their own, in percent of v2, and why.
_SINGLE_PARAMETER = "one parameter, packed with others in a word"
EXCEPTIONS: dict[str, tuple[int, str]] = {
    **{f"bulk_exit_10_{size}": (98, "ten records to read and ten logs") for size in SIZES},
    "set_fee_recipient": (115, "stored, where the reference only logs"),
    "dao_operator_fee_increase_limit": (100, _SINGLE_PARAMETER),
    "dao_declare_period": (100, _SINGLE_PARAMETER),
    "dao_execute_period": (100, _SINGLE_PARAMETER),
    "dao_max_operator_fee": (100, _SINGLE_PARAMETER),
    "dao_liquidation_threshold": (100, _SINGLE_PARAMETER),
    "dao_min_collateral": (100, _SINGLE_PARAMETER),
}

# Rows without a bound.
_PROOF = "reported only: one validator proven on chain; v2 adds about 259,000 gas of oracle votes"
REPORTED_ONLY: dict[str, str] = {
    f"update_cluster_balance_{when}_{size}": _PROOF
    for when in ("first", "again")
    for size in (4, 13)
}

# Rows of the reference that have no meaning here, and why.
WITHOUT_COUNTERPART: dict[str, str] = {
    f"oracle_commit_root_vote_{vote}": "no oracles: balances are proven" for vote in (1, 2, 3)
}

FLOOR = "calldata floor"


@dataclass(frozen=True, slots=True)
class Target:
    """What a row may cost.

    Attributes:
        gas: the bound, None where the row is reported only or v2 has no such operation.
        most: the bound with its tolerance.
        exception: why the general bound does not hold, None if it does.
    """

    gas: int | None
    most: int | None
    exception: str | None


def target_of(row: str, *, v2: int | None, floor: int | None) -> Target:
    """The target of a row.

    Args:
        row: its name.
        v2: gas of the reference's v2, None if it has no such operation.
        floor: the calldata floor if the row sits on it, else None.
    """
    if row in REPORTED_ONLY:
        return Target(None, None, REPORTED_ONLY[row])
    if floor is not None:
        return Target(floor, floor, FLOOR)
    percent, exception = EXCEPTIONS.get(row, (TIGHTER_PERCENT.get(row, GENERAL_PERCENT), None))
    bounds: list[tuple[int, int]] = []  # what it may cost at most, and the target by name
    if v2 is not None:
        bounds.append((v2 * percent // 100, v2 * percent // 100))
    if row in GAS_TARGETS:
        gas = GAS_TARGETS[row]
        bounds.append((gas * (100 + TOLERANCE_PERCENT) // 100, gas))
    if not bounds:
        return Target(None, None, "no such operation in v2")
    most, gas = min(bounds)
    return Target(gas, most, exception if exception is None else _bounded(exception, percent))


def _bounded(exception: str, percent: int) -> str:
    return f"{exception}: at most {percent / 100:.2f} of v2"
