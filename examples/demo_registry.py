"""The demo's steps on the chain: deploy, register, deposit, liquidate, reactivate.

Everything goes through `sdk.client`, as a user's program would. What a step promises (the plan) is
compared with what the registry says afterwards.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from examples import demo_keys
from examples.demo_chain import LocalChain
from examples.demo_costs import Costs
from examples.demo_show import DemoFailed, check, say, title
from sdk.client import Client, ClusterState, PreparedCall, Receipt
from sdk.errors import ChainError
from sdk.events.types import OperatorAdded, ValidatorAdded
from sdk.shares.keyshares_file import KeyShare, KeysharesFile
from sdk.toolchain.deploy import LocalDeployment, deploy_local
from sdk.types import OperatorId
from sdk.units import format_ether

OPERATOR_FEE_WEI = 1_770_000_000
BLOCKS_PER_DAY = 7_200
BLOCKS_PER_HOUR = 300
REGISTRATION_DAYS, DEPOSIT_DAYS, REACTIVATION_DAYS = 30, 60, 30
BLOCKS_PASSING = 2 * BLOCKS_PER_HOUR
BLOCKS_LEFT = BLOCKS_PER_HOUR
"""Runway that the owner leaves, short enough for anvil to mine in a second or two."""
GOVERNOR, FIRST_OPERATOR, STAKER, EARLIER_STAKER, LIQUIDATOR = 0, 1, 5, 6, 7
"""Accounts of anvil; operators have one each."""


@dataclass(slots=True)
class Journey:
    """A registry, those who use it, and what they have spent."""

    chain: LocalChain
    deployed: LocalDeployment
    costs: Costs
    operator_ids: tuple[OperatorId, ...] = ()

    def client(self, number: int) -> Client:
        """The registry as one account sees it."""
        return self.chain.client(number, self.deployed)

    @property
    def staker(self) -> str:
        """Address of the account whose validators these are."""
        return str(self.chain.w3.eth.accounts[STAKER])

    def cluster(self) -> ClusterState:
        """The staker's cluster, as its snapshot in the logs and the registry agree on it."""
        return self.client(LIQUIDATOR).clusters.get(self.staker, self.operator_ids)

    def send(self, prepared: PreparedCall, row: str) -> Receipt:
        """Sends a call on the cluster; shows runway before and after, and the cost."""
        plan = prepared.plan()
        say(plan.action)
        receipt = prepared.transact()
        now = self.cluster()
        before = "none yet" if plan.before is None else days(plan.before.runway_blocks)
        if plan.before is not None and not plan.before.is_active:
            before = "liquidated"
        after = days(now.runway_blocks) if now.snapshot.active else "liquidated"
        say(f"runway before: {before}; after: {after}")
        if plan.after is not None and plan.after.is_active:
            planned = plan.after.runway_blocks
            check(now.runway_blocks == planned, f"the plan said a runway of {planned} blocks")
        self.costs.add(row, receipt.gas_used)
        return receipt


def days(blocks: int | None) -> str:
    """A runway for people."""
    if blocks is None:
        return "endless"
    return f"{blocks / BLOCKS_PER_DAY:.2f} days ({blocks:,} blocks)"


def deploy(chain: LocalChain, costs: Costs) -> Journey:
    """The registry on a fresh chain."""
    title("The registry is deployed on a chain of its own (anvil)")
    say("compiling the contracts, a minute the first time …")
    deployed = deploy_local(chain.w3)
    blocks = range(1, deployed.start_block + 1)
    gas = sum(chain.w3.eth.get_block(number)["gasUsed"] for number in blocks)
    version = chain.client(GOVERNOR, deployed).network.parameters().version
    say(f"registry {deployed.registry}, version {version}")
    say(f"gas: {gas:,} for {len(blocks)} contracts; there is no SSV figure to compare it with")
    return Journey(chain, deployed, costs)


def register_operators(journey: Journey, keys: list[str]) -> dict[OperatorId, str]:
    """Four operators, each from an account of its own; the registry gives the ids."""
    title("The four operators register")
    registered = {}
    for number, key in enumerate(keys):
        client = journey.client(FIRST_OPERATOR + number)
        receipt = client.operators.register(key, fee_wei=OPERATOR_FEE_WEI).transact()
        added = next(event for event in receipt.events if isinstance(event, OperatorAdded))
        registered[added.operator_id] = key
        say(f"operator {added.operator_id} of {client.account}")
        row = "register_operator" if number else "register_operator_first"
        journey.costs.add(row, receipt.gas_used)
    journey.operator_ids = tuple(sorted(registered))
    return registered


def come_second(journey: Journey, folder: Path) -> None:
    """Somebody else's validator, so that the network is in use, as it was for SSV's figures."""
    title("Another staker was here before")
    client = journey.client(EARLIER_STAKER)
    demo_keys.new_validator_keys(folder, "earlier", count=1, quiet=True)
    owner = str(client.account)
    nonce = client.owners.nonce(block="pending")
    file = demo_keys.split(folder, "earlier", owner=owner, nonce=nonce, quiet=True)
    client.validators.register(file, runway_days=REGISTRATION_DAYS).transact()
    say("one validator with the same operators: SSV's figures are of a network in use, too")


def register_validators(journey: Journey, file: KeysharesFile) -> KeyShare:
    """Both validators, one after the other; the first one as its log tells it."""
    title("The staker registers the validators with the registry")
    client = journey.client(STAKER)
    first, second = file.shares
    prepared = client.validators.register([first], runway_days=REGISTRATION_DAYS)
    receipt = journey.send(prepared, "register_validator_new_cluster_4")
    added = next(event for event in receipt.events if isinstance(event, ValidatorAdded))
    check(added.shares == first.shares_data, "the log holds other shares than the file")
    say("17,100 of it is for an owner's first nonce, which SSV's figure does not have")
    say("the log holds the file's shares, byte for byte")
    prepared = client.validators.register([second], deposit_wei=0)
    journey.send(prepared, "register_validator_existing_no_deposit_4")
    nonce = client.owners.nonce()
    check(nonce == len(file.shares), f"the registry counts nonce {nonce}")
    say(f"nonces 0 to {nonce - 1} are used up, those that the file was signed for")
    return dataclasses.replace(first, shares_data=added.shares)


def use_funds(journey: Journey) -> None:
    """A deposit, some hours of fees, and a withdrawal that leaves little."""
    client = journey.client(STAKER)
    title("The staker deposits")
    prepared = client.clusters.deposit(journey.operator_ids, runway_days=DEPOSIT_DAYS)
    journey.send(prepared, "deposit_4")

    title(f"{BLOCKS_PASSING} blocks pass, {BLOCKS_PASSING // BLOCKS_PER_HOUR} hours")
    before = journey.cluster()
    journey.chain.mine(BLOCKS_PASSING)
    now = journey.cluster()
    spent = before.balance_wei - now.balance_wei
    earned = client.operators.earnings_wei(journey.operator_ids[0])
    say(f"runway before: {days(before.runway_blocks)}; after: {days(now.runway_blocks)}")
    say(
        f"the cluster paid {format_ether(spent)} ETH; operator 1 now has {format_ether(earned)} ETH"
    )
    check(spent == BLOCKS_PASSING * now.burn_rate_wei, "the cluster paid another amount")

    title("The staker withdraws all but an hour's runway")
    amount = now.withdrawable_wei - BLOCKS_LEFT * now.burn_rate_wei
    prepared = client.clusters.withdraw(journey.operator_ids, amount_wei=amount)
    journey.send(prepared, "withdraw_cluster_4")


def liquidate(journey: Journey) -> None:
    """A stranger stops the cluster in the first block in which it may, and in none before."""
    title("The runway ends, and a stranger liquidates the cluster")
    cluster = journey.cluster()
    last = cluster.liquidation_block
    if last is None:
        raise DemoFailed("the cluster never becomes liquidatable")
    stranger = journey.client(LIQUIDATOR)
    # A call is mined one block after the newest, so this one would be one block early.
    journey.chain.mine(last - 2 - cluster.block.number)
    try:
        stranger.clusters.liquidate(journey.staker, journey.operator_ids)
    except ChainError as refused:
        check(refused.code == "cluster_not_liquidatable", str(refused))
        say(f"one block early: refused, {refused.message}")
    else:
        raise DemoFailed("a stranger may liquidate one block early")
    journey.chain.mine(1)
    prepared = stranger.clusters.liquidate(journey.staker, journey.operator_ids)
    receipt = journey.send(prepared, "liquidate_by_third_party_4")
    check(receipt.block_number == last, f"liquidated in block {receipt.block_number}, not {last}")


def reactivate(journey: Journey) -> None:
    """The staker pays, and the same validators run again."""
    title("The staker reactivates the cluster with all its validators")
    client = journey.client(STAKER)
    prepared = client.clusters.reactivate(journey.operator_ids, runway_days=REACTIVATION_DAYS)
    journey.send(prepared, "reactivate_4")
    cluster = journey.cluster()
    count = cluster.snapshot.validator_count
    check(cluster.snapshot.active, "the cluster is not active")
    check(count == demo_keys.VALIDATORS, f"the cluster has {count} validators")
    say(f"active again, {count} validators")
