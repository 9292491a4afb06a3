"""The life of a cluster: register, exit, remove, deposit, withdraw, liquidate, reactivate."""

from __future__ import annotations

from sdk.toolchain.deploy import DEFAULT_PARAMETERS
from tests.gas.bench import (
    ETHER,
    MINIMUM_COLLATERAL_WEI,
    NETWORK_FEE_WEI,
    OPERATOR_FEE_WEI,
    Bench,
    Ids,
)
from tests.gas.scenarios.steady import CLUSTER_OPERATORS, register

SIZES = (4, 7, 10, 13)
BULK = 10
# Blocks that a balance just above the minimum lasts, and blocks after which it surely does not.
BLOCKS_LEFT, BLOCKS_LATER = 20, 30


def measure_life(bench: Bench, size: int) -> None:
    """One owner's cluster from its first validator to its reactivation."""
    ids, owner = operators_of_size(size), bench.actors.owner
    first = measure_registration(bench, f"register_validator_new_cluster_{size}", ids)
    measure_registration(bench, f"register_validator_existing_cluster_{size}", ids)
    row = f"register_validator_existing_no_deposit_{size}"
    measure_registration(bench, row, ids, value_wei=0)
    bench.measure(f"exit_validator_{size}", "exitValidator", first, ids, sender=owner)
    keys = measure_bulk(bench, f"bulk_register_10_existing_{size}", ids, owner=owner)
    bench.measure(f"bulk_exit_10_{size}", "bulkExitValidator", keys, ids, sender=owner)
    bench.measure(
        f"remove_validator_{size}",
        "removeValidator",
        *(first, ids, bench.cluster(owner, ids)),
        sender=owner,
    )
    bench.measure(
        f"bulk_remove_10_{size}",
        "bulkRemoveValidator",
        *(keys, ids, bench.cluster(owner, ids)),
        sender=owner,
    )
    _measure_money(bench, ids)
    other = bench.actors.other_owner
    measure_bulk(bench, f"bulk_register_10_new_{size}", ids, owner=other)


def _measure_money(bench: Bench, ids: Ids) -> None:
    size, owner = len(ids), bench.actors.owner
    bench.measure(
        f"deposit_{size}",
        "deposit",
        *(owner, ids, bench.cluster(owner, ids)),
        sender=owner,
        value_wei=ETHER // 2,
    )
    bench.measure(
        f"withdraw_cluster_{size}",
        "withdraw",
        *(ids, ETHER // 10, bench.cluster(owner, ids)),
        sender=owner,
    )
    measure_own_liquidation(bench, f"liquidate_self_{size}", ids)
    bench.measure(
        f"reactivate_{size}",
        "reactivate",
        *(ids, bench.cluster(owner, ids)),
        sender=owner,
        value_wei=ETHER,
    )


def measure_liquidation_by_third_party(bench: Bench, size: int) -> None:
    """A stranger liquidates a cluster that ran low; its owner then removes the validator."""
    ids, owner = operators_of_size(size), bench.actors.owner
    burn_wei = size * OPERATOR_FEE_WEI + NETWORK_FEE_WEI
    period = DEFAULT_PARAMETERS["liquidationThresholdPeriod"]
    least_wei = max(MINIMUM_COLLATERAL_WEI, period * burn_wei)
    key = register(bench, owner, ids, least_wei + BLOCKS_LEFT * burn_wei)
    bench.chain.mine(BLOCKS_LATER)
    bench.measure(
        f"liquidate_by_third_party_{size}",
        "liquidate",
        *(owner, ids, bench.cluster(owner, ids)),
        sender=bench.actors.liquidator,
    )
    bench.measure(
        f"remove_validator_liquidated_{size}",
        "removeValidator",
        *(key, ids, bench.cluster(owner, ids)),
        sender=owner,
    )


def operators_of_size(size: int) -> Ids:
    """The operators of a cluster of this size."""
    return CLUSTER_OPERATORS[:size]


def measure_registration(bench: Bench, row: str, ids: Ids, *, value_wei: int = ETHER) -> bytes:
    """One validator of the owner; its key."""
    key, owner = bench.key(), bench.actors.owner
    bench.measure(
        row,
        "registerValidator",
        *(key, ids, bench.shares(ids), bench.cluster(owner, ids)),
        sender=owner,
        value_wei=value_wei,
    )
    return key


def measure_bulk(bench: Bench, row: str, ids: Ids, *, owner: str) -> list[bytes]:
    """Ten validators at once; their keys."""
    keys = bench.keys(BULK)
    shares = [bench.shares(ids) for _ in keys]
    bench.measure(
        row,
        "bulkRegisterValidator",
        *(keys, ids, shares, bench.cluster(owner, ids)),
        sender=owner,
        value_wei=ETHER,
    )
    return keys


def measure_own_liquidation(bench: Bench, row: str, ids: Ids) -> None:
    """The owner ends its own, solvent cluster."""
    owner = bench.actors.owner
    bench.measure(row, "liquidate", owner, ids, bench.cluster(owner, ids), sender=owner)
