"""Reducer, part one: events of operators, their fees and their lists.

Pure. Operators' accounts are settled by the same functions as the contract's; what an event says
about them beyond that is compared.
"""

from __future__ import annotations

from dataclasses import replace

from sdk.events.types import (
    OperatorAdded,
    OperatorFeeDeclarationCancelled,
    OperatorFeeDeclared,
    OperatorFeeExecuted,
    OperatorMultipleWhitelistRemoved,
    OperatorMultipleWhitelistUpdated,
    OperatorPrivacyStatusUpdated,
    OperatorRemoved,
    OperatorWhitelistingContractUpdated,
    OperatorWithdrawn,
)
from sdk.registry import effects
from sdk.registry.changes import OperatorChanged, WhitelistChanged
from sdk.registry.ledger import settle_operator
from sdk.registry.outcome import Applied, Aspect, Divergence, EventContext
from sdk.registry.records import DeclaredFee, Operator, Parameters
from sdk.registry.state import RegistryState
from sdk.types import ADDRESS_BYTES, Address, FeeUnits, OperatorId, Wei
from sdk.units import FEE_UNIT_WEI, units_down, units_to_wei

FeeEvent = OperatorFeeDeclared | OperatorFeeDeclarationCancelled | OperatorFeeExecuted
ListEvent = OperatorMultipleWhitelistUpdated | OperatorMultipleWhitelistRemoved
_NO_ADDRESS = Address(bytes(ADDRESS_BYTES))


def operator_added(state: RegistryState, event: OperatorAdded, at: EventContext) -> Applied:
    """Open the operator's account. Ids start at 1 and have no gaps; a gap is a missing log."""
    operator_id = event.operator_id
    if operator_id in state.operators:
        return Applied(divergences=(Divergence(Aspect.OPERATOR, operator_id, None, operator_id),))
    divergences = list(_fee_differences(operator_id, event.fee_wei))
    next_id = len(state.operators) + 1
    if operator_id != next_id:
        divergences.append(Divergence(Aspect.OPERATOR_ORDER, operator_id, next_id, operator_id))
    # Empty on a complete history: a cluster cannot name an operator that comes later.
    listed = [state.clusters[key] for key in state.clusters_of_operator(operator_id)]
    active = [cluster for cluster in listed if cluster.snapshot.active]
    operator = Operator(
        operator_id=operator_id,
        owner=event.owner,
        public_key=event.public_key,
        fee_units=units_down(event.fee_wei),
        block=at.block,
        effective_balance_eth=sum(cluster.effective_balance_eth for cluster in active),
        validator_count=sum(cluster.validator_count for cluster in active),
    )
    return Applied((OperatorChanged(None, operator),), divergences=tuple(divergences))


def operator_removed(state: RegistryState, event: OperatorRemoved, at: EventContext) -> Applied:
    """Freeze the operator. Its credit went out by the `OperatorWithdrawn` before this log."""
    operator = _live(state, event.operator_id)
    if isinstance(operator, Divergence):
        return Applied(divergences=(operator,))
    removed, unpaid_units = effects.remove_operator(operator, at=at.block)
    differences = _credit_differences(event.operator_id, units_to_wei(unpaid_units), Wei(0))
    return Applied((OperatorChanged(operator, removed),), divergences=differences)


def operator_withdrawn(state: RegistryState, event: OperatorWithdrawn, at: EventContext) -> Applied:
    """Take the value from the operator's credit."""
    operator = _live(state, event.operator_id)
    if isinstance(operator, Divergence):
        return Applied(divergences=(operator,))
    credit = settle_operator(operator, at=at.block).credit_units
    units = FeeUnits(min(credit, units_down(event.value_wei)))
    paid_wei = units_to_wei(units)
    differences = _credit_differences(event.operator_id, paid_wei, event.value_wei)
    after = effects.withdraw_earnings(operator, units=units, at=at.block)
    return Applied((OperatorChanged(operator, after),), divergences=differences)


def operator_fee(state: RegistryState, event: FeeEvent, at: EventContext) -> Applied:
    """Declare, cancel or execute a fee."""
    operator = _live(state, event.operator_id)
    if isinstance(operator, Divergence):
        return Applied(divergences=(operator,))
    if isinstance(event, OperatorFeeDeclarationCancelled):
        return Applied((OperatorChanged(operator, replace(operator, declared_fee=None)),))
    divergences = list(_fee_differences(event.operator_id, event.fee_wei))
    if event.block_number != at.block:
        divergences.append(
            Divergence(Aspect.BLOCK, event.operator_id, at.block, event.block_number)
        )
    units = units_down(event.fee_wei)
    if isinstance(event, OperatorFeeDeclared):
        after = replace(operator, declared_fee=_declared(units, at, state.network.parameters))
    else:
        after = effects.change_operator_fee(operator, fee_units=units, at=at.block)
    return Applied((OperatorChanged(operator, after),), divergences=tuple(divergences))


def operator_privacy(state: RegistryState, event: OperatorPrivacyStatusUpdated) -> Applied:
    """Set or clear the private flag of each operator."""
    changes = []
    divergences = []
    for operator_id in dict.fromkeys(event.operator_ids):
        operator = _live(state, operator_id)
        if isinstance(operator, Divergence):
            divergences.append(operator)
        elif operator.is_private != event.to_private:
            after = replace(operator, is_private=event.to_private)
            changes.append(OperatorChanged(operator, after))
    return Applied(tuple(changes), divergences=tuple(divergences))


def operator_contract(state: RegistryState, event: OperatorWhitelistingContractUpdated) -> Applied:
    """Set each operator's whitelisting contract; the zero address removes it."""
    contract = event.whitelisting_contract
    changes = []
    divergences = []
    for operator_id in dict.fromkeys(event.operator_ids):
        operator = _live(state, operator_id)
        if isinstance(operator, Divergence):
            divergences.append(operator)
        else:
            after = replace(
                operator, whitelisting_contract=None if contract == _NO_ADDRESS else contract
            )
            changes.append(OperatorChanged(operator, after))
    return Applied(tuple(changes), divergences=tuple(divergences))


def operator_list(state: RegistryState, event: ListEvent) -> Applied:
    """Put each address on each operator's list, or take it off; repetitions change nothing."""
    present = isinstance(event, OperatorMultipleWhitelistUpdated)
    changes: list[WhitelistChanged] = []
    divergences = []
    for operator_id in dict.fromkeys(event.operator_ids):
        if operator_id not in state.operators:
            divergences.append(Divergence(Aspect.OPERATOR, operator_id, None, operator_id))
        changes += [
            WhitelistChanged(operator_id, address, before=not present, after=present)
            for address in dict.fromkeys(event.addresses)
            if state.admits(operator_id, address) != present
        ]
    return Applied(tuple(changes), divergences=tuple(divergences))


def _live(state: RegistryState, operator_id: OperatorId) -> Operator | Divergence:
    operator = state.operators.get(operator_id)
    if operator is None or operator.removed_at is not None:
        return Divergence(Aspect.OPERATOR, operator_id, None, operator_id)
    return operator


def _declared(units: FeeUnits, at: EventContext, parameters: Parameters) -> DeclaredFee:
    begin_s = end_s = None
    if at.timestamp_s is not None:
        begin_s = at.timestamp_s + parameters.declare_period_s
        end_s = begin_s + parameters.execute_period_s
    return DeclaredFee(fee_units=units, declared_at=at.block, begin_s=begin_s, end_s=end_s)


def _fee_differences(operator_id: OperatorId, fee_wei: Wei) -> tuple[Divergence, ...]:
    """A fee that is no multiple of the unit; the contract would have reverted."""
    rest = fee_wei % FEE_UNIT_WEI
    return (Divergence(Aspect.FEE, operator_id, fee_wei - rest, fee_wei),) if rest else ()


def _credit_differences(
    operator_id: OperatorId, expected_wei: Wei, found_wei: Wei
) -> tuple[Divergence, ...]:
    if expected_wei == found_wei:
        return ()
    return (Divergence(Aspect.CREDIT, operator_id, expected_wei, found_wei),)
