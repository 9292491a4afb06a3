"""Everything an owner and an operator do, on a real chain, through the blocking client."""

from __future__ import annotations

import pytest

from sdk.client import contract_errors
from sdk.errors import ChainError, InputError, KeysharesError, UsageError
from sdk.events.types import (
    ClusterBalanceUpdated,
    ClusterLiquidated,
    OperatorAdded,
    ValidatorAdded,
    ValidatorExited,
)
from sdk.registry import BASELINE_ETH
from sdk.shares import KeysharesFile
from sdk.testing import keys
from sdk.toolchain import compile_contracts
from sdk.toolchain.deploy import create
from tests.client.world import (
    ETHER,
    FEE_WEI,
    GOVERNOR,
    IDS,
    OPERATOR,
    OWNER,
    STRANGER,
    World,
)

SHORT_WEI = 940_000_000_000_000 + 20 * (4 * FEE_WEI + 3_550_900_000)
"""The minimum collateral, and 20 blocks of one validator's fees."""

pytestmark = pytest.mark.toolchain


def test_registered_operator_is_found_with_its_key(world: World) -> None:
    client = world.client(OPERATOR)
    key = keys.operator_key(5).public_key.text
    prepared = client.operators.register(key, fee_wei=FEE_WEI, private=True)
    assert prepared.simulate() == (5,)
    receipt = prepared.transact()
    added = receipt.events[0]
    assert isinstance(added, OperatorAdded)
    assert added.operator_id == 5
    found = client.operators.get(5, with_key=True)
    assert (found.owner, found.fee_wei, found.is_private) == (
        world.account(OPERATOR),
        FEE_WEI,
        True,
    )
    assert found.public_key == key
    assert [each.operator_id for each in client.operators.list()] == [1, 2, 3, 4, 5]


def test_registration_is_planned_exactly(world: World) -> None:
    client = world.client(OWNER)
    file = KeysharesFile(tuple(world.shares(1, 2)), created_at=keys.CREATED_AT)
    prepared = client.validators.register(file, runway_days=30)
    plan = prepared.plan()
    assert plan.nonces == (0, 1)
    assert plan.before is None
    assert plan.calldata_bytes == len(prepared.call_data)
    receipt = prepared.transact()
    assert [type(event) for event in receipt.events] == [ValidatorAdded, ValidatorAdded]
    assert receipt.gas_used <= plan.gas
    found = client.clusters.get(world.account(OWNER), IDS)
    assert plan.after is not None
    assert found.source == "events"
    assert found.snapshot_block == receipt.block_number == found.block.number
    assert (found.balance_wei, found.burn_rate_wei) == (
        plan.after.balance_wei,
        plan.after.burn_rate_wei,
    )
    assert found.runway_blocks == plan.after.runway_blocks == 30 * 7200
    assert found.liquidation_block == plan.after.liquidation_block
    assert found.effective_balance_eth == 2 * BASELINE_ETH
    assert client.owners.nonce() == 2
    assert "registration nonces used up: 0 to 1" in plan.lines()


def test_liquidation_block_is_the_first_in_which_a_stranger_can_liquidate(world: World) -> None:
    owner = world.client(OWNER)
    owner.validators.register(world.shares(1), deposit_wei=SHORT_WEI).transact()
    stranger = world.client(STRANGER)
    cluster = stranger.clusters.get(world.account(OWNER), IDS)
    assert cluster.liquidation_block is not None
    # The call is mined one block after the newest.
    world.mine(cluster.liquidation_block - cluster.block.number - 2)
    with pytest.raises(ChainError, match="not liquidatable before block") as caught:
        stranger.clusters.liquidate(world.account(OWNER), IDS)
    assert caught.value.code == "cluster_not_liquidatable"
    world.mine(1)
    receipt = stranger.clusters.liquidate(world.account(OWNER), IDS).transact()
    assert receipt.block_number == cluster.liquidation_block
    assert isinstance(receipt.events[-1], ClusterLiquidated)


def test_funds_go_in_and_out(world: World) -> None:
    client = world.register(1)
    account = world.account(OWNER)
    before = client.clusters.get(account, IDS)
    client.clusters.deposit(IDS, amount_wei=ETHER).transact()
    after = client.clusters.get(account, IDS)
    assert after.snapshot.balance_wei == before.snapshot.balance_wei + ETHER
    prepared = client.clusters.withdraw(IDS, amount_wei=ETHER // 2)
    plan = prepared.plan()
    prepared.transact()
    rest = client.clusters.get(account, IDS)
    assert plan.after is not None
    assert plan.before is not None
    assert rest.balance_wei == plan.after.balance_wei
    assert rest.runway_blocks == plan.after.runway_blocks
    assert plan.before.balance_wei == after.balance_wei


def test_most_withdrawable_amount_is_exact(world: World) -> None:
    client = world.register(1)
    most = client.clusters.get(world.account(OWNER), IDS).withdrawable_wei
    with pytest.raises(ChainError) as caught:
        client.clusters.withdraw(IDS, amount_wei=most + 1)
    assert caught.value.code == "underfunded"
    client.clusters.withdraw(IDS, amount_wei=most).transact()
    assert client.clusters.get(world.account(OWNER), IDS).runway_blocks == 0


def test_stranger_must_deposit_the_minimum_collateral(world: World) -> None:
    world.register(1)
    stranger = world.client(STRANGER)
    account = world.account(OWNER)
    with pytest.raises(ChainError) as caught:
        stranger.clusters.deposit(IDS, owner=account, amount_wei=1)
    assert caught.value.code == "deposit_too_small"
    stranger.clusters.deposit(IDS, owner=account, amount_wei=ETHER).transact()


def test_liquidated_cluster_is_refused_until_reactivated(world: World) -> None:
    client = world.register(1, 2)
    account = world.account(OWNER)
    client.clusters.liquidate(account, IDS).transact()
    stopped = client.clusters.get(account, IDS)
    assert not stopped.snapshot.active
    assert (stopped.burn_rate_wei, stopped.runway_blocks) == (0, None)
    with pytest.raises(ChainError) as caught:
        client.validators.register(world.shares(3, nonce=2), deposit_wei=ETHER)
    assert caught.value.code == "cluster_liquidated"
    with pytest.raises(ChainError) as caught:
        client.clusters.liquidate(account, IDS)
    assert caught.value.code == "cluster_liquidated"
    with pytest.raises(ChainError) as caught:
        client.clusters.reactivate(IDS, deposit_wei=1)
    assert caught.value.code == "underfunded"
    prepared = client.clusters.reactivate(IDS, runway_days=10)
    plan = prepared.plan()
    prepared.transact()
    running = client.clusters.get(account, IDS)
    assert running.runway_blocks == 10 * 7200
    assert plan.after is not None
    assert plan.after.runway_blocks == running.runway_blocks
    with pytest.raises(ChainError) as caught:
        client.clusters.reactivate(IDS, deposit_wei=ETHER)
    assert caught.value.code == "cluster_active"


def test_exit_then_remove(world: World) -> None:
    client = world.register(1, 2)
    first, second = (share.public_key for share in world.shares(1, 2))
    receipt = client.validators.exit(IDS, [first, second.hex()]).transact()
    assert [type(event) for event in receipt.events] == [ValidatorExited, ValidatorExited]
    prepared = client.validators.remove(IDS, [first])
    plan = prepared.plan()
    prepared.transact()
    cluster = client.clusters.get(world.account(OWNER), IDS)
    assert plan.after is not None
    assert cluster.snapshot.validator_count == 1
    assert cluster.runway_blocks == plan.after.runway_blocks
    assert client.validators.get(first) is None
    record = client.validators.get(second)
    assert record is not None
    assert record.effective_balance_eth == BASELINE_ETH
    for verb in (client.validators.remove, client.validators.exit):
        with pytest.raises(ChainError) as caught:
            verb(IDS, [first])
        assert caught.value.code == "validator_unknown"


def test_owner_sees_all_clusters_and_its_fee_recipient(world: World) -> None:
    client = world.register(1)
    (summary,) = client.owners.clusters()
    assert summary.operator_ids == IDS
    assert summary.snapshot == client.clusters.get(world.account(OWNER), IDS).snapshot
    assert client.owners.clusters(world.account(STRANGER)) == []
    assert client.owners.fee_recipient() == world.account(OWNER)
    client.owners.set_fee_recipient(world.account(STRANGER)).transact()
    assert client.owners.fee_recipient() == world.account(STRANGER)


def test_operator_changes_its_fee_and_takes_its_earnings(world: World) -> None:
    world.register(1)
    client = world.client(OPERATOR)
    raised = FEE_WEI * 11 // 10
    client.operators.declare_fee(1, fee_wei=raised).transact()
    declared = client.operators.declared_fee(1)
    assert declared is not None
    assert declared.fee_wei == raised
    with pytest.raises(contract_errors.ApprovalNotWithinTimeframe) as caught:
        client.operators.execute_fee(1).transact()
    assert caught.value.code == "approval_not_within_timeframe"
    assert "window" in caught.value.hint
    client.operators.cancel_fee(1).transact()
    with pytest.raises(contract_errors.NoFeeDeclared):
        client.operators.execute_fee(1).plan()
    client.operators.declare_fee(1, fee_wei=raised).transact()
    world.rpc("evm_increaseTime", declared.begin_s - declared.end_s + 2 * 604_800 + 10)
    client.operators.execute_fee(1).transact()
    assert client.operators.get(1).fee_wei == raised
    client.operators.reduce_fee(1, fee_wei=FEE_WEI).transact()
    assert client.operators.get(1).fee_wei == FEE_WEI
    world.mine(100)
    assert client.operators.earnings_wei(1) > 0
    client.operators.withdraw(1, amount_wei=100_000).transact()
    client.operators.withdraw_all(1).transact()
    assert client.operators.earnings_wei(1) == 0
    client.operators.remove(1).transact()
    assert not client.operators.get(1).is_active
    with pytest.raises(ChainError) as refused:
        client.operators.remove(1)
    assert refused.value.code == "operator_removed"


def test_whitelists(world: World) -> None:
    operator = world.client(OPERATOR)
    owner = world.client(OWNER)
    operator.operators.set_private([2]).transact()
    with pytest.raises(ChainError, match="operator 2 is private") as caught:
        owner.validators.register(world.shares(1), deposit_wei=ETHER)
    assert caught.value.code == "operator_private"
    operator.operators.set_whitelist([2], [world.account(OWNER)]).transact()
    assert operator.operators.admits([1, 2], world.account(OWNER)) == (2,)
    owner.validators.register(world.shares(1), deposit_wei=ETHER).transact()
    operator.operators.remove_whitelist([2], [world.account(OWNER)]).transact()
    with pytest.raises(ChainError):
        owner.validators.register(world.shares(2, nonce=1), deposit_wei=ETHER)
    operator.operators.set_public([2]).transact()
    owner.validators.register(world.shares(2, nonce=1)).transact()
    with pytest.raises(contract_errors.InvalidWhitelistingContract):
        operator.operators.set_whitelisting_contract([2], world.account(OWNER)).simulate()
    operator.operators.remove_whitelisting_contract([2]).simulate()


def test_governance_comes_from_the_owner_alone(world: World) -> None:
    governor = world.client(GOVERNOR)
    fee = governor.network.parameters().network_fee_wei
    governor.network.update_network_fee(fee_wei=fee + 100_000).transact()
    assert governor.network.parameters().network_fee_wei == fee + 100_000
    with pytest.raises(UsageError) as caught:
        world.client(STRANGER).network.update_network_fee(fee_wei=fee).plan()
    assert caught.value.code == "wrong_sender"
    with pytest.raises(contract_errors.NewBlockPeriodIsBelowMinimum):
        governor.network.update_liquidation_period(blocks=1).simulate()
    governor.network.update_validators_per_operator_limit(validators=2_000).transact()
    assert governor.network.parameters().validators_per_operator_limit == 2_000
    for prepared in (
        governor.network.update_fee_increase_limit(per_10000=2_000),
        governor.network.update_declare_period(seconds=400_000),
        governor.network.update_execute_period(seconds=400_000),
        governor.network.update_minimum_collateral(amount_wei=10**15),
        governor.network.update_maximum_operator_fee(fee_wei=9 * 10**12),
        governor.network.update_minimum_operator_fee(fee_wei=1_100_000_000),
        governor.network.transfer_ownership(world.account(STRANGER)),
        world.client(STRANGER).network.accept_ownership(),
        world.client(STRANGER).network.cover_debt(amount_wei=100_000),
    ):
        prepared.transact()
    assert governor.network.parameters().owner == world.account(STRANGER)
    with pytest.raises(contract_errors.InsufficientBalance):
        world.client(STRANGER).network.withdraw_earnings(amount_wei=ETHER).simulate()


def test_operator_limits_are_named_before_sending(world: World) -> None:
    governor = world.client(GOVERNOR)
    client = world.client(OWNER)
    for limit in (1_500, 750, 375, 188, 94, 47, 24, 12, 6, 3, 2, 1):
        governor.network.update_validators_per_operator_limit(validators=limit).transact()
    with pytest.raises(ChainError, match="exceed the limit of 1") as caught:
        client.validators.register(world.shares(1, 2), deposit_wei=ETHER)
    assert caught.value.code == "operator_full"


def test_registration_judges_what_nodes_would_judge(world: World) -> None:
    client = world.client(OWNER)
    with pytest.raises(KeysharesError) as foreign:
        client.validators.register(world.shares(1, owner=STRANGER), deposit_wei=ETHER)
    assert foreign.value.code == "owner_mismatch"
    for nonce, code in ((1, "nonce_too_high"),):
        with pytest.raises(ChainError) as caught:
            client.validators.register(world.shares(1, nonce=nonce), deposit_wei=ETHER)
        assert caught.value.code == code
    world.register(1)
    with pytest.raises(ChainError) as low:
        client.validators.register(world.shares(2, nonce=0), deposit_wei=ETHER)
    assert low.value.code == "nonce_too_low"
    with pytest.raises(ChainError) as twice:
        client.validators.register(world.shares(1, nonce=1), deposit_wei=ETHER)
    assert twice.value.code == "already_registered"
    world.client(OPERATOR).operators.remove(4).transact()
    with pytest.raises(ChainError) as removed:
        client.validators.register(world.shares(2, nonce=1), deposit_wei=ETHER)
    assert removed.value.code == "operator_removed"


def test_underfunded_registration_says_how_much_is_missing(world: World) -> None:
    client = world.client(OWNER)
    with pytest.raises(ChainError) as caught:
        client.validators.register(world.shares(1), deposit_wei=10)
    assert caught.value.code == "underfunded"
    least = caught.value.data["least_wei"]
    assert isinstance(least, int)
    assert caught.value.data["missing_wei"] == least - 10
    client.validators.register(world.shares(1), deposit_wei=least).transact()


def test_unsorted_operators_are_refused_with_the_sorted_list(world: World) -> None:
    with pytest.raises(InputError, match="Write 1, 2, 3, 4") as caught:
        world.client(OWNER).clusters.get(world.account(OWNER), (2, 1, 3, 4))
    assert caught.value.code == "operator_ids_not_sorted"
    with pytest.raises(ChainError) as unknown:
        world.client(OWNER).operators.get(99)
    assert unknown.value.code == "operator_not_found"


def test_proven_balance_raises_the_burn_rate(world: World) -> None:
    verifier, _ = create(
        world.w3, compile_contracts()["OpenBeaconVerifier"], world.account(STRANGER)
    )
    world.client(GOVERNOR).network.update_beacon_verifier(verifier).transact()
    world.register(1)
    account = world.account(OWNER)
    before = world.client(None).clusters.get(account, IDS)
    key = bytes(world.shares(1)[0].public_key)
    proof = (key, 7, bytes(32), 64 * 10**9, False, 0, 0, 0, 0, ())
    prepared = world.client(STRANGER).clusters.prove(
        account,
        IDS,
        beacon_timestamp=12,
        state_root=bytes(32),
        state_root_branch=[bytes(32)] * 3,
        proofs=[proof],
    )
    receipt = prepared.transact()
    assert isinstance(receipt.events[-1], ClusterBalanceUpdated)
    after = world.client(None).clusters.get(account, IDS)
    assert after.effective_balance_eth == 2 * before.effective_balance_eth == 64
    assert after.burn_rate_wei == 2 * before.burn_rate_wei
    with pytest.raises(contract_errors.ProofOlderThanRecord):
        world.client(STRANGER).clusters.prove(
            account,
            IDS,
            beacon_timestamp=12,
            state_root=bytes(32),
            state_root_branch=[],
            proofs=[proof],
        ).simulate()


def test_most_validators_of_one_transaction(world: World) -> None:
    """86 validators fit 128 KiB, and the gas of one transaction; 87 do not."""
    client = world.client(OWNER)
    shares = world.shares(*range(87))
    with pytest.raises(ChainError, match="at most 86 validators") as caught:
        client.validators.register(shares, deposit_wei=ETHER)
    assert caught.value.code == "calldata_too_large"
    prepared = client.validators.register(shares[:86], deposit_wei=ETHER)
    assert prepared.transact().gas_used < 2**24
    assert client.owners.nonce() == 86
