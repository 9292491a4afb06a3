"""The model registry with everything a caller can do to the real one, and who may be paid.

`tests.contracts.invariants.rules` says for every call whether it succeeds or with which error it
fails; what a success does to the accounts is `sdk.testing.model_registry`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sdk.events import Event
from sdk.registry import (
    AccountChanged,
    Cluster,
    Network,
    NetworkChanged,
    Operator,
    OperatorChanged,
    WhitelistChanged,
    cluster_id,
)
from sdk.testing.model_registry import ModelRegistry, OperatorIds
from sdk.types import Address, OperatorId
from tests.contracts.invariants.call import Call


@dataclass
class Surroundings:
    """What the registry meets outside of itself.

    Attributes:
        refusing: accounts that take no ether.
        allow_lists: contracts that answer the whitelisting question, with whom they allow.
        contracts: every address with code.
        verifier: the contract that believes every proof; others revert without data.
    """

    verifier: Address

    refusing: set[Address] = field(default_factory=set)
    allow_lists: dict[Address, frozenset[Address]] = field(default_factory=dict)
    contracts: set[Address] = field(default_factory=set)


class FuzzModel(ModelRegistry):
    """A model that also keeps what only checks need.

    Attributes:
        base_fee_wei: of the block.
        operator_keys: owner and public key of every operator ever registered.
    """

    def __init__(self, network: Network, surroundings: Surroundings) -> None:
        super().__init__(network)
        self.surroundings = surroundings
        self.base_fee_wei = 0
        self.operator_keys: set[tuple[Address, bytes]] = set()

    def cluster(self, owner: Address, ids: Iterable[int]) -> Cluster | None:
        """The cluster if it exists."""
        return self.state.clusters.get(cluster_id(owner, _ids(ids)))

    def can_pay(self, receiver: Address, amount_wei: int, *, received_wei: int = 0) -> bool:
        """Whether the registry's transfer would succeed. Nothing is sent for 0."""
        if not amount_wei:
            return True
        held_wei = self.held_wei + received_wei
        return amount_wei <= held_wei and receiver not in self.surroundings.refusing

    def change_operator(self, operator_id: int, **fields: Any) -> None:
        """Change fields of an operator without settling it."""
        before = self.state.operators[OperatorId(operator_id)]
        self.state.commit([OperatorChanged(before, replace(before, **fields))])

    def change_parameters(self, **fields: Any) -> None:
        """Change governance's parameters."""
        before = self.state.network
        after = replace(before, parameters=replace(before.parameters, **fields))
        self.state.commit([NetworkChanged(before, after)])

    def list_address(self, operator_id: int, address: Address, *, present: bool) -> None:
        """Put an address on an operator's list or take it off."""
        known = OperatorId(operator_id)
        if self.state.admits(known, address) != present:
            change = WhitelistChanged(known, address, before=not present, after=present)
            self.state.commit([change])

    def set_fee_recipient(self, owner: Address, recipient: Address) -> None:
        """Where an owner's rewards go."""
        before = self.state.accounts.get(owner)
        after = replace(self.state.account(owner), fee_recipient=recipient)
        self.state.commit([AccountChanged(before, after)])

    def admits(self, operator: Operator, account: Address) -> bool:
        """Whether the operator lets the account register validators."""
        if not operator.is_private or self.state.admits(operator.operator_id, account):
            return True
        contract = operator.whitelisting_contract
        if contract is None:
            return False
        return account in self.surroundings.allow_lists.get(contract, frozenset())

    def emit(self, event: Event) -> None:
        """Report an event of the present call."""
        self._emit(event)


def operator_ids(call: Call, place: int) -> OperatorIds:
    """The list of operator ids among the call's arguments."""
    return _ids(call.arguments[place])


def _ids(ids: Iterable[int]) -> OperatorIds:
    return tuple(OperatorId(operator_id) for operator_id in ids)
