"""Plays the life of a cluster that docs/fees.md tells on the contracts, in its blocks.

In an in-process EVM unless given another chain: the story takes 67,200 blocks, and a node mines
each of them.
"""

from __future__ import annotations

from typing import Any

from sdk.testing import builders
from sdk.types import Address, Wei, keccak256
from sdk.units import format_ether
from tests.contracts import abi
from tests.contracts.chain import Chain, Outcome
from tests.contracts.evm import Evm
from tests.contracts.registry_in_evm import RICH_WEI, InitialParameters, deploy, deploy_registry
from tests.unit.docs import fees_example
from tests.unit.docs.fees_example import Story

UNIT_WEI = 100_000
IDS = (1, 2, 3, 4)
STRUCT = "(uint32,uint64,uint64,bool,uint256)"
STRUCTS = {
    f"ValidatorAdded(address,uint64[],bytes,bytes,{STRUCT})": ("uint64[]", "bytes", "bytes"),
    f"ValidatorRemoved(address,uint64[],bytes,{STRUCT})": ("uint64[]", "bytes"),
    f"ClusterDeposited(address,uint64[],uint256,{STRUCT})": ("uint64[]", "uint256"),
    f"ClusterLiquidated(address,uint64[],{STRUCT})": ("uint64[]",),
    f"ClusterReactivated(address,uint64[],{STRUCT})": ("uint64[]",),
    f"ClusterBalanceUpdated(address,uint64[],uint64,uint32,{STRUCT})": ("uint64[]", "uint32"),
}
"""Event → types of its data before the struct."""
TYPES = {keccak256(name.encode()): [*types, STRUCT] for name, types in STRUCTS.items()}
DEBT_UNCOVERED = keccak256(b"DebtUncovered(address,bytes32,uint256)")


class Player:
    """Makes the page's calls in the page's blocks and notes what the contracts say.

    Attributes:
        struct: of the last log that carries one.
    """

    def __init__(self, told: Story, chain: Chain | None = None) -> None:
        self.told = told
        self.found: dict[tuple[int, str], str] = {}
        self.chain: Chain = Evm() if chain is None else chain
        self.owner, self.stranger, self.governor, self.operator = map(builders.address, range(4))
        for each in (self.owner, self.stranger, self.governor, self.operator):
            self.chain.give_ether(each, RICH_WEI)
        self.registry = self.deploy()
        for number in IDS:
            self.send(
                self.operator,
                "registerOperator",
                operator_key(number),
                told.operator_fee_units * UNIT_WEI,
                False,
            )
        self.advance(10)
        self.start = self.chain.block
        self.struct: Any = (0, 0, 0, True, 0)

    def deploy(self) -> Any:
        """The registry with the page's parameters and a verifier that believes every claim."""
        told = self.told
        verifier, _ = deploy(self.chain, "OpenBeaconVerifier")
        registry, _ = deploy_registry(
            self.chain,
            InitialParameters(
                owner=self.governor,
                beacon_verifier=verifier,
                network_fee_wei=told.network_fee_units * UNIT_WEI,
                liquidation_period_blocks=told.period_blocks,
                minimum_collateral_wei=told.collateral_wei,
                minimum_operator_fee_wei=10**9,
                maximum_operator_fee_wei=10**13,
                validators_per_operator_limit=3_000,
                fee_increase_limit_per_10000=1_000,
                declare_period_s=604_800,
                execute_period_s=604_800,
            ),
        )
        return registry

    def play(self) -> dict[tuple[int, str], str]:
        """Every figure of the page that the contracts answer."""
        told = self.told
        self.register()
        self.reach(told.proof)
        self.note(
            told.proof,
            "used since",
            f"{(told.deposit_wei - self.view('getBalance')) // UNIT_WEI:,} units",
        )
        self.note_ether(told.proof, "balance", self.view("getBalance"))
        self.prove()
        self.require_safe(told.liquidation - 1)
        self.liquidate(told.liquidation)
        self.reactivate()
        self.require_safe(self.claim_block(told.reactivation) - 1)
        self.reach(self.claim_block(told.reactivation))
        assert self.view("isLiquidatable") is True
        self.withdraw_network_earnings()
        self.liquidate_late()
        self.settle_up()
        return self.found

    def register(self) -> None:
        told = self.told
        self.keys = [bytes(builders.public_key(number)) for number in range(told.validators)]
        shares = [builders.shares(len(IDS), number=number) for number in range(told.validators)]
        self.send(
            self.owner,
            "bulkRegisterValidator",
            self.keys,
            IDS,
            shares,
            self.struct,
            value_wei=told.deposit_wei,
        )
        self.note_rates(0)

    def prove(self) -> None:
        self.send(self.stranger, "proveEffectiveBalances", *self.proof(self.told.proven_eth))
        self.note_rates(self.told.proof)

    def proof(self, eth: int, *, slot: int = 1) -> tuple[Any, ...]:
        """Arguments that claim this balance for the first validator."""
        claim = (self.keys[0], 0, bytes(32), eth * 10**9, False, 0, 0, 0, 0, ())
        return self.owner, IDS, self.struct, slot, bytes(32), (), (claim,)

    def require_safe(self, at: int) -> None:
        """Nobody but the owner can liquidate in that block."""
        self.reach(at)
        assert self.view("isLiquidatable") is False
        assert not self.try_liquidation().succeeded

    def try_liquidation(self) -> Outcome:
        call = self.registry.abi.encode("liquidate", [self.owner, IDS, self.struct])
        return self.chain.call(self.stranger, self.registry.address, call)

    def liquidate(self, at: int) -> Outcome:
        self.reach(at)
        held = self.held_wei()
        before = self.view("getBalance")
        outcome = self.send(self.stranger, "liquidate", self.owner, IDS, self.struct)
        paid = held - self.held_wei()
        # A view of a real node runs in the block before.
        assert before == paid + self.struct[4] or not self.chain.is_in_memory
        self.note_ether(at, "balance", paid + self.struct[4])
        self.note_ether(at, "liquidator is paid", paid)
        self.note_ether(at, "left to the owner", self.struct[4])
        (earned,) = {self.registry.view("getOperatorEarnings", each) for each in IDS}
        self.note(at, "each operator's credit", f"{earned // UNIT_WEI:,} units")
        network = self.registry.view("getNetworkEarnings")
        self.note(at, "network's credit", f"{network // UNIT_WEI:,} units")
        return outcome

    def reactivate(self) -> None:
        told = self.told
        self.reach(told.reactivation)
        self.send(self.owner, "reactivate", IDS, self.struct, value_wei=told.reactivation_wei)
        self.note_ether(told.reactivation, "balance", self.struct[4])

    def withdraw_network_earnings(self) -> None:
        at = self.told.network_withdrawal
        self.reach(at)
        amount = self.registry.view("getNetworkEarnings")
        self.send(self.governor, "withdrawNetworkEarnings", amount)
        assert self.registry.view("getNetworkEarnings") == 0
        self.note_ether(at, "network is paid", amount)

    def liquidate_late(self) -> None:
        at = self.told.late_liquidation
        self.reach(at)
        earned = self.registry.view("getNetworkEarnings") // UNIT_WEI
        balance = self.struct[4]
        outcome = self.liquidate(at)
        (debt,) = (
            int.from_bytes(log.data, "big") // UNIT_WEI
            for log in outcome.logs
            if log.topics[0] == DEBT_UNCOVERED
        )
        assert self.registry.view("getNetworkAccounting")[6] == debt * UNIT_WEI
        self.note(at, "network's credit that bears it", f"{earned:,} units")
        self.note(at, "uncovered debt", f"{debt:,} units")
        self.note(at, "shortfall", f"{earned + debt:,} units")
        self.note(at, "used since", f"{balance // UNIT_WEI + earned + debt:,} units")

    def settle_up(self) -> None:
        at = self.told.operator_withdrawal
        self.reach(at)
        held = self.held_wei()
        self.send(self.operator, "withdrawAllOperatorEarnings", IDS[0])
        owed = sum(self.registry.view("getOperatorEarnings", each) for each in IDS)
        self.note_ether(at, "operator is paid", held - self.held_wei())
        self.note_ether(at, "registry owes operators", owed)
        self.note_ether(at, "registry holds", self.held_wei())
        at = self.told.gift
        self.reach(at)
        debt = self.registry.view("getNetworkAccounting")[6]
        self.send(self.stranger, "coverDebt", value_wei=debt)
        account = self.registry.view("getNetworkAccounting")
        assert (account[3], account[6]) == (0, 0)
        self.note_ether(at, "gift that covers the debt", debt)
        self.note_ether(at, "registry holds", self.held_wei())
        for each in IDS[1:]:
            self.send(self.operator, "withdrawAllOperatorEarnings", each)
        self.note(at, "of it nobody's, by rounding", f"{self.held_wei():,} wei")

    def note_rates(self, at: int) -> None:
        self.note(at, "effective balance", f"{self.view('getEffectiveBalance')} ETH")
        self.note(at, "burn rate", f"{self.view('getBurnRate'):,} wei per block")

    def view(self, function: str) -> Any:
        """What a getter says about the cluster."""
        return self.registry.view(function, self.owner, IDS, self.struct)

    def send(self, sender: Address, function: str, *arguments: Any, value_wei: int = 0) -> Outcome:
        """Makes a call, which must succeed, and keeps the struct it reports."""
        call = self.registry.abi.encode(function, arguments)
        outcome = self.chain.transact(sender, self.registry.address, call, value_wei)
        assert outcome.succeeded, self.registry.abi.failure(outcome)
        for log in outcome.logs:
            if types := TYPES.get(log.topics[0]):
                self.struct = abi.decode(types, log.data)[-1]
        return outcome

    def reach(self, at: int) -> None:
        """Lets blocks pass until the page's block."""
        missing = self.start + at - self.chain.block
        assert missing >= 0
        if missing:
            self.advance(missing)

    def advance(self, blocks: int) -> None:
        base_fee_wei = self.told.base_fee_wei
        self.chain.advance(blocks=blocks, seconds=12 * blocks, base_fee_wei=base_fee_wei)

    def claim_block(self, at: int) -> int:
        name = "first block in which it may be liquidated"
        return int(fees_example.claims()[at, name].replace(",", ""))

    def held_wei(self) -> int:
        return self.chain.balance_wei(self.registry.address)

    def note(self, at: int, name: str, value: str) -> None:
        self.found[at, name] = value

    def note_ether(self, at: int, name: str, value_wei: int) -> None:
        self.note(at, name, f"{format_ether(Wei(value_wei))} ETH")


def operator_key(number: int) -> bytes:
    """ABI encoding of a short text, which is all the registry asks of a key."""
    return abi.encode(["string"], [f"operator {number}"])
