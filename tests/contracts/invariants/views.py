"""I14: what views answer, compared with the formulas and with a settlement on a copy."""

from __future__ import annotations

from typing import Any

from sdk.events import types
from sdk.events.governance import NetworkEarningsWithdrawn
from sdk.registry import Cluster, Operator, ledger
from sdk.units import units_to_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.liveness import on_a_copy
from tests.contracts.invariants.violation import Violation, require
from tests.contracts.invariants.world import Step, World, struct_of
from tests.contracts.registry_in_evm import Failure

_LIQUIDATED = Failure("ClusterIsLiquidated")


def i14_views(world: World, step: Step, *, is_sweep: bool) -> None:
    """Every view equals the value settled by a transaction in the same block: by the formulas, for
    what the step touched or one at random, or for everything in a sweep.
    """
    clusters, operators = _touched(world, step)
    if is_sweep:
        clusters = list(world.follower.clusters.values())
        operators = list(world.follower.operators.values())
        _parameter_views(world)
    for cluster in clusters:
        _cluster_views(world, cluster)
    for operator in operators:
        _operator_views(world, operator)
    network = ledger.settle_network(world.follower.network, at=world.block)
    _equal(world, units_to_wei(network.credit_units), "getNetworkEarnings")


def i14_views_equal_settlement(world: World) -> None:
    """Every view equals the value settled by a transaction in the same block: here by making the
    transactions, on a copy.
    """
    rng = world.rng
    clusters = list(world.follower.clusters.values())
    for cluster in rng.sample(clusters, min(3, len(clusters))):
        arguments = (cluster.owner, cluster.operator_ids, cluster.snapshot)
        balance = world.registry.view("getBalance", *arguments)
        is_due = world.registry.view("isLiquidatable", *arguments)
        with on_a_copy(world):
            call = Call("withdraw", cluster.owner, (cluster.operator_ids, 0, cluster.snapshot))
            outcome = world.send(call)
            struct = struct_of(world.events(outcome)) if outcome.succeeded else None
        require(outcome.succeeded or is_due, "i14", "a withdrawal of nothing fails, none is due")
        if struct is not None and struct.active:
            require(balance == struct.balance_wei, "i14", f"getBalance {balance}, settled {struct}")
        with on_a_copy(world):
            cast = world.cast
            other = cast.prover if cluster.owner == cast.liquidator else cast.liquidator
            outcome = world.send(Call("liquidate", other, arguments))
        why = None if outcome.succeeded else world.registry.abi.failure(outcome)
        was_due = why is None or why.name == "ETHTransferFailed"
        require(was_due == is_due, "i14", f"isLiquidatable {is_due}, liquidate: {why or 'success'}")
    _operators_paid(world)
    _network_paid(world)


def _operators_paid(world: World) -> None:
    live = [o for o in world.follower.operators.values() if o.removed_at is None]
    for operator in world.rng.sample(live, min(3, len(live))):
        earned = world.registry.view("getOperatorEarnings", operator.operator_id)
        with on_a_copy(world):
            call = Call("withdrawAllOperatorEarnings", operator.owner, (operator.operator_id,))
            outcome = world.send(call)
            for event in world.events(outcome) if outcome.succeeded else ():
                assert isinstance(event, types.OperatorWithdrawn)
                require(event.value_wei == earned, "i14", f"{earned} wei shown, {event} paid")


def _network_paid(world: World) -> None:
    earned = world.registry.view("getNetworkEarnings")
    governor = world.follower.network.parameters.owner
    assert governor is not None
    with on_a_copy(world):
        outcome = world.send(Call("withdrawNetworkEarnings", governor, (earned,)))
        for event in world.events(outcome) if outcome.succeeded else ():
            assert isinstance(event, NetworkEarningsWithdrawn)
        held_wei = world.chain.balance_wei(world.registry.address)
    if not outcome.succeeded:
        why = world.registry.abi.failure(outcome)
        is_short = why.name == "ETHTransferFailed" and earned > held_wei
        is_refused = governor in world.surroundings.refusing
        network = ledger.settle_network(world.follower.network, at=world.block)
        # With debt not even nothing is paid; nothing is what the view must then show.
        is_indebted = network.uncovered_debt_units > 0 and earned == 0
        require(
            is_short or is_refused or is_indebted,
            "i14",
            f"{earned} wei shown, withdrawing fails with {why}",
        )
    with on_a_copy(world):
        outcome = world.send(Call("withdrawNetworkEarnings", governor, (earned + 100_000,)))
    require(not outcome.succeeded, "i14", "more was paid than getNetworkEarnings shows")


def _cluster_views(world: World, cluster: Cluster) -> None:
    parties = world.parties(cluster)
    arguments = (cluster.owner, cluster.operator_ids, cluster.snapshot)
    encoded = world.registry.abi.encode("getBalance", arguments)[4:]
    settled = ledger.settle_cluster(parties, at=world.block).snapshot
    is_active = cluster.snapshot.active
    balance: Any = settled.balance_wei if is_active else _LIQUIDATED
    eth: Any = cluster.effective_balance_eth if is_active else _LIQUIDATED
    _equal(world, balance, "getBalance", *arguments, encoded=encoded)
    _equal(world, eth, "getEffectiveBalance", *arguments, encoded=encoded)
    _equal(world, ledger.burn_rate_wei(parties), "getBurnRate", *arguments, encoded=encoded)
    is_due = ledger.is_liquidatable(parties, at=world.block)
    _equal(world, is_due, "isLiquidatable", *arguments, encoded=encoded)
    _equal(world, not is_active, "isLiquidated", *arguments, encoded=encoded)
    _equal(world, 1, "getClusterAssetType", cluster.owner, cluster.operator_ids)


def _operator_views(world: World, operator: Operator) -> None:
    number = operator.operator_id
    is_live = operator.removed_at is None
    credit = ledger.settle_operator(operator, at=world.block).credit_units if is_live else 0
    _equal(world, units_to_wei(credit), "getOperatorEarnings", number)
    _equal(world, units_to_wei(operator.fee_units), "getOperatorFee", number)
    contract = operator.whitelisting_contract or bytes(20)
    shown = (
        operator.owner,
        units_to_wei(operator.fee_units),
        operator.validator_count,
        contract,
        operator.is_private,
        is_live,
    )
    _equal(world, shown, "getOperatorById", number)
    declared = operator.declared_fee
    window = (False, 0, 0, 0)
    if declared is not None:
        assert declared.begin_s is not None
        assert declared.end_s is not None
        window = (True, units_to_wei(declared.fee_units), declared.begin_s, declared.end_s)
    _equal(world, window, "getOperatorDeclaredFee", number)


def _parameter_views(world: World) -> None:
    network = ledger.settle_network(world.follower.network, at=world.block)
    parameters = network.parameters
    pending = parameters.pending_owner or bytes(20)
    assert parameters.owner is not None
    expected: dict[str, Any] = {
        "getNetworkFee": units_to_wei(network.fee_units),
        "getNetworkValidatorsCount": network.validator_count,
        "getMaximumOperatorFee": parameters.maximum_operator_fee_wei,
        "getMinimumOperatorEthFee": parameters.minimum_operator_fee_wei,
        "getMinimumLiquidationCollateral": parameters.minimum_collateral_wei,
        "getLiquidationThresholdPeriod": parameters.liquidation_period_blocks,
        "getOperatorFeeIncreaseLimit": parameters.fee_increase_limit_per_10000,
        "getOperatorFeePeriods": (parameters.declare_period_s, parameters.execute_period_s),
        "getValidatorsPerOperatorLimit": parameters.validators_per_operator_limit,
        "owner": parameters.owner,
        "pendingOwner": pending,
        "ssvNetwork": world.registry.address,
    }
    for view, value in expected.items():
        _equal(world, value, view)
    for owner in world.cast.everyone:
        nonce = world.history.registrations[owner]
        _equal(world, nonce, "getOwnerNonce", owner)
        admitting = tuple(
            operator.operator_id
            for operator in world.follower.operators.values()
            if _lists(world, operator, owner)
        )
        ids = sorted(world.follower.operators)
        _equal(world, admitting, "getWhitelistedOperators", ids, owner)


def _lists(world: World, operator: Operator, owner: bytes) -> bool:
    if world.follower.admits(operator.operator_id, owner):  # type: ignore[arg-type]
        return True
    lists = world.surroundings.allow_lists
    contract = operator.whitelisting_contract
    return contract is not None and owner in lists.get(contract, frozenset())


def _touched(world: World, step: Step) -> tuple[list[Cluster], list[Operator]]:
    """What the step's logs name; a random cluster after a failure, and always a random operator."""
    clusters, operators = {}, {}
    known_clusters = list(world.follower.clusters.values())
    known_operators = list(world.follower.operators.values())
    if known_clusters and not step.events:
        cluster = world.rng.choice(known_clusters)
        clusters[cluster.cluster_id] = cluster
    if known_operators:
        operator = world.rng.choice(known_operators)
        operators[operator.operator_id] = operator
    if step.events:
        event = step.events[-1]
        ids = getattr(event, "operator_ids", ())
        owner = getattr(event, "owner", None)
        touched = world.model.cluster(owner, ids) if owner is not None and ids else None
        if touched is not None:
            clusters[touched.cluster_id] = touched
            ids = ids[:1]
        operators |= {number: world.follower.operators[number] for number in ids}
    return list(clusters.values()), list(operators.values())


def _equal(
    world: World, expected: Any, view: str, *arguments: Any, encoded: bytes | None = None
) -> None:
    found = world.registry.view(view, *arguments, encoded=encoded)
    if found != expected:
        call = Call(view, world.cast.stranger, arguments)
        raise Violation("i14", f"{call}: {found}, not {expected}")
