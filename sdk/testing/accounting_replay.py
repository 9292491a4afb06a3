"""Replay of a recorded accounting sequence against the ledger, to the wei.

For tests of the ledger and of the contract. The document lists steps in English ("register 2
validators with 0 wei", "operator 3 removed") with the block, and what the reference contract
showed after each: struct, operator earnings, network earnings, ether held. A step text that no
rule here understands is an error, never skipped.

The recording starts after operators and network were set up at blocks it does not name, so the
first struct of an operator set, and the first of all for the network, fix the starting indexes.
From then on every index is compared. Fees of 32 ETH per validator; liquidations pay the whole
balance to the caller, as the recorded contract did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sdk.errors import InputError
from sdk.events import ClusterSnapshot
from sdk.registry import (
    BASELINE_ETH,
    Cluster,
    Network,
    Operator,
    Parties,
    cluster_id,
    effects,
    new_cluster,
)
from sdk.registry.ledger import settle_network, settle_operator
from sdk.types import Address, BlockNumber, OperatorId, Wei, parse_address
from sdk.units import parse_ether, units_exact, units_to_wei

Document = Mapping[str, Any]
OperatorIds = tuple[OperatorId, ...]


def replay_accounting(document: Document, *, settle_every_block: bool = False) -> list[str]:
    """Mismatches in words, empty when everything agrees.

    Args:
        document: the parsed recording.
        settle_every_block: settle operators and network in every block on the way instead of
            only where a step does; the outcome must be the same, since no amount rounds.

    Raises:
        InputError: `unknown_step`, a text that no rule understands.
    """
    run = _Run(document, settle_every_block=settle_every_block)
    for step in document["steps"]:
        run.advance(BlockNumber(int(step["block"])))
        run.carry_out(step)
        run.compare(step)
    return run.mismatches


class _Run:
    """The registry's accounts while the steps go by."""

    def __init__(self, document: Document, *, settle_every_block: bool) -> None:
        self.block = BlockNumber(int(document["firstBlock"]))
        self.mismatches: list[str] = []
        self._settle_every_block = settle_every_block
        self._fee = units_exact(int(document["operatorFee"]))
        self._network = Network(fee_units=units_exact(int(document["networkFee"])))
        self._network = replace(self._network, block=self.block)
        self._operators: dict[OperatorId, Operator] = {}
        self._clusters: dict[bytes, Cluster] = {}
        self._last_ids: OperatorIds = ()
        self._held_wei = 0
        self._network_start: int | None = None
        self._index_start: dict[OperatorIds, int] = {}
        for step in document["steps"]:
            for operator_id in step.get("operatorIds", ()):
                self._operators[OperatorId(operator_id)] = self._operator(OperatorId(operator_id))

    def advance(self, block: BlockNumber) -> None:
        """Let the blocks up to `block` pass."""
        while self._settle_every_block and self.block < block:
            self.block = BlockNumber(self.block + 1)
            self._network = settle_network(self._network, at=self.block)
            for operator_id, operator in self._operators.items():
                self._operators[operator_id] = settle_operator(operator, at=self.block)
        self.block = block

    def carry_out(self, step: Document) -> None:
        """Do what the step's text says."""
        text = step["step"]
        for pattern, rule in _RULES:
            match = pattern.fullmatch(text)
            if match is not None:
                rule(self, step, match)
                return
        raise InputError(
            f"no rule for the step {text!r}",
            code="unknown_step",
            hint="Add a rule to sdk/testing/accounting_replay.py.",
        )

    def compare(self, step: Document) -> None:
        """Compare whatever the step recorded."""
        label = f"block {self.block}, {step['step']!r}"
        if "cluster" in step:
            self._compare_struct(label, step)
        if "operatorEarnings" in step:
            settled = [
                settle_operator(self._operators[operator_id], at=self.block).credit_units
                for operator_id in self._last_ids
            ]
            found = [str(units_to_wei(units)) for units in settled]
            self._expect(f"{label}: operatorEarnings", step["operatorEarnings"], found)
        if "networkEarnings" in step:
            credit = settle_network(self._network, at=self.block).credit_units
            self._expect(
                f"{label}: networkEarnings", step["networkEarnings"], str(units_to_wei(credit))
            )
        if "registryEth" in step:
            self._expect(f"{label}: registryEth", step["registryEth"], str(self._held_wei))

    def register(self, step: Document, match: re.Match[str]) -> None:
        """Register k validators with a value."""
        validators, value_wei = int(match["count"]), Wei(int(match["wei"]))
        parties = self._parties(step)
        self._keep(
            effects.register(parties, validators=validators, deposit_wei=value_wei, at=self.block),
            paid_in_wei=value_wei,
        )

    def remove(self, step: Document, match: re.Match[str]) -> None:
        """Remove k validators of 32 ETH each."""
        validators = int(match["count"])
        eth = validators * BASELINE_ETH
        parties = self._parties(step)
        self._keep(
            effects.remove(parties, validators=validators, effective_balance_eth=eth, at=self.block)
        )

    def deposit(self, step: Document, match: re.Match[str]) -> None:
        """Deposit into a cluster."""
        value_wei = parse_ether(match["ether"])
        self._keep(effects.deposit(self._parties(step), value_wei=value_wei), paid_in_wei=value_wei)

    def withdraw(self, step: Document, match: re.Match[str]) -> None:
        """Withdraw from a cluster."""
        value_wei = parse_ether(match["ether"])
        self._keep(
            effects.withdraw(self._parties(step), value_wei=value_wei, at=self.block),
            paid_in_wei=-value_wei,
        )

    def liquidate(self, step: Document, match: re.Match[str]) -> None:
        """Liquidate a cluster; its whole balance leaves."""
        outcome = effects.liquidate(self._parties(step), at=self.block)
        self._keep(outcome.parties, paid_in_wei=-outcome.paid_wei)

    def reactivate(self, step: Document, match: re.Match[str]) -> None:
        """Reactivate a cluster with a value."""
        value_wei = parse_ether(match["ether"])
        self._keep(
            effects.reactivate(self._parties(step), deposit_wei=value_wei, at=self.block),
            paid_in_wei=value_wei,
        )

    def withdraw_earnings(self, step: Document, match: re.Match[str]) -> None:
        """Pay out an operator's earnings; wei may be written like 1e11."""
        operator_id, value_wei = OperatorId(int(match["id"])), int(Decimal(match["wei"]))
        self._operators[operator_id] = effects.withdraw_earnings(
            self._operators[operator_id], units=units_exact(value_wei), at=self.block
        )
        self._held_wei -= value_wei

    def change_fee(self, step: Document, match: re.Match[str]) -> None:
        """Give an operator another fee."""
        operator_id = OperatorId(int(match["id"]))
        self._operators[operator_id] = effects.change_operator_fee(
            self._operators[operator_id], fee_units=units_exact(int(match["wei"])), at=self.block
        )

    def remove_operator(self, step: Document, match: re.Match[str]) -> None:
        """Remove an operator; its earnings leave."""
        operator_id = OperatorId(int(match["id"]))
        removed, paid = effects.remove_operator(self._operators[operator_id], at=self.block)
        self._operators[operator_id] = removed
        self._held_wei -= units_to_wei(paid)

    def scale_network_fee(self, step: Document, match: re.Match[str]) -> None:
        """Double or halve the network fee."""
        fee_wei = units_to_wei(self._network.fee_units)
        changed = fee_wei * 2 if match["how"] == "doubled" else fee_wei // 2
        self._network = effects.change_network_fee(
            self._network, fee_units=units_exact(changed), at=self.block
        )

    def set_network_fee(self, step: Document, match: re.Match[str]) -> None:
        """Set the network fee to a number of wei."""
        self._network = effects.change_network_fee(
            self._network, fee_units=units_exact(int(match["wei"])), at=self.block
        )

    def _parties(self, step: Document) -> Parties:
        owner = parse_address(step["owner"])
        ids = tuple(OperatorId(operator_id) for operator_id in step["operatorIds"])
        self._last_ids = ids
        known = self._clusters.get(cluster_id(owner, ids))
        cluster = known or new_cluster(owner, ids, sequence=len(self._clusters) + 1)
        operators = tuple(self._operators[operator_id] for operator_id in ids)
        return Parties(cluster, operators, self._network)

    def _keep(self, parties: Parties, *, paid_in_wei: int = 0) -> None:
        self._clusters[parties.cluster.cluster_id] = parties.cluster
        self._operators |= {operator.operator_id: operator for operator in parties.operators}
        self._network = parties.network
        self._held_wei += paid_in_wei

    def _compare_struct(self, label: str, step: Document) -> None:
        ids = self._last_ids
        ours = self._clusters[cluster_id(parse_address(step["owner"]), ids)].snapshot
        recorded = step["cluster"]
        if ours.active:
            if self._network_start is None:
                self._network_start = int(recorded["networkFeeIndex"]) - ours.network_fee_index
            start = self._index_start.setdefault(ids, int(recorded["index"]) - ours.index)
            ours = replace(
                ours,
                network_fee_index=ours.network_fee_index + self._network_start,
                index=ours.index + start,
            )
        self._expect(f"{label}: cluster", _snapshot(recorded), ours)

    def _expect(self, what: str, recorded: object, ours: object) -> None:
        if recorded != ours:
            self.mismatches.append(f"{what}: recorded {recorded}, ours {ours}")

    def _operator(self, operator_id: OperatorId) -> Operator:
        return Operator(
            operator_id=operator_id,
            owner=Address(bytes(20)),
            public_key=b"",
            fee_units=self._fee,
            block=self.block,
        )


def _snapshot(recorded: Document) -> ClusterSnapshot:
    return ClusterSnapshot(
        validator_count=int(recorded["validatorCount"]),
        network_fee_index=int(recorded["networkFeeIndex"]),
        index=int(recorded["index"]),
        active=bool(recorded["active"]),
        balance_wei=Wei(int(recorded["balance"])),
    )


_ETHER = r"(?P<ether>[0-9.]+) ETH"
_OPERATOR = r"operator (?P<id>[0-9]+)"
_RULES: list[tuple[re.Pattern[str], Callable[[_Run, Document, re.Match[str]], None]]] = [
    (re.compile(r"register (?P<count>[0-9]+) validators? with (?P<wei>[0-9]+) wei"), _Run.register),
    (re.compile(r"remove (?P<count>[0-9]+) validators?"), _Run.remove),
    (re.compile(rf"(?:owner|third party) deposits {_ETHER}"), _Run.deposit),
    (re.compile(rf"owner withdraws {_ETHER}"), _Run.withdraw),
    (re.compile(r"owner liquidates itself|third party liquidates"), _Run.liquidate),
    (re.compile(rf"reactivate with {_ETHER}"), _Run.reactivate),
    (re.compile(rf"{_OPERATOR} withdraws (?P<wei>[0-9.e]+) wei"), _Run.withdraw_earnings),
    (
        re.compile(rf"{_OPERATOR} (?:reduces|raises) its fee to (?P<wei>[0-9]+)"),
        _Run.change_fee,
    ),
    (re.compile(rf"{_OPERATOR} removed"), _Run.remove_operator),
    (re.compile(r"network fee (?P<how>doubled|halved)"), _Run.scale_network_fee),
    (re.compile(r"network fee set to (?P<wei>[0-9]+)"), _Run.set_network_fee),
]
