"""Calls on operators: their checks in the contract's order, then their effect (contracts.md 6)."""

from __future__ import annotations

from sdk.events import types
from sdk.registry import DeclaredFee, Operator, ledger
from sdk.types import FeeUnits, OperatorId
from sdk.units import FEE_UNIT_WEI, units_down, units_to_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel
from tests.contracts.invariants.rules.clusters import INSUFFICIENT, NOT_PAID, done
from tests.contracts.registry_in_evm import Failure

PERCENTAGE_BASE = 10_000
WORD = 32


def register(model: FuzzModel, call: Call) -> Failure | None:
    """`registerOperator(publicKey, fee, setPrivate)`."""
    key, fee_wei, is_private = call.arguments
    failure = _fee_failure(model, fee_wei)
    if failure is not None:
        return failure
    if fee_wei % FEE_UNIT_WEI:
        return Failure("MaxPrecisionExceeded")
    if (call.sender, key) in model.operator_keys:
        return Failure("OperatorAlreadyExists")
    if not _is_one_text(key):
        return Failure("InvalidOperatorPublicKey")
    model.operator_keys.add((call.sender, key))
    model.register_operator(call.sender, units_down(fee_wei), public_key=key, is_private=is_private)
    return None


def remove(model: FuzzModel, call: Call) -> Failure | None:
    """`removeOperator(operatorId)`."""
    operator = own(model, call, call.arguments[0])
    if isinstance(operator, Failure):
        return operator
    if not model.can_pay(call.sender, units_to_wei(_credit(model, operator))):
        return NOT_PAID
    return done(model.remove_operator(operator.operator_id))


def declare_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`declareOperatorFee(operatorId, fee)`."""
    operator_id, fee_wei = call.arguments
    operator = own(model, call, operator_id)
    if isinstance(operator, Failure):
        return operator
    failure = _fee_failure(model, fee_wei)
    if failure is not None:
        return failure
    if fee_wei % FEE_UNIT_WEI:
        return Failure("MaxPrecisionExceeded")
    units, current = units_down(fee_wei), operator.fee_units
    if units == current:
        return Failure("SameFeeChangeNotAllowed")
    if current == 0:
        return Failure("FeeIncreaseNotAllowed")
    parameters = model.state.network.parameters
    limit = PERCENTAGE_BASE + parameters.fee_increase_limit_per_10000
    if units > -(-current * limit // PERCENTAGE_BASE):
        return Failure("FeeExceedsIncreaseLimit")
    assert model.timestamp_s is not None
    begin_s = model.timestamp_s + parameters.declare_period_s
    end_s = begin_s + parameters.execute_period_s
    model.change_operator(operator_id, declared_fee=DeclaredFee(units, model.block, begin_s, end_s))
    model.emit(types.OperatorFeeDeclared(call.sender, operator_id, model.block, fee_wei))
    return None


def execute_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`executeOperatorFee(operatorId)`."""
    operator = own(model, call, call.arguments[0])
    if isinstance(operator, Failure):
        return operator
    declared = operator.declared_fee
    if declared is None or declared.begin_s is None or declared.end_s is None:
        return Failure("NoFeeDeclared")
    assert model.timestamp_s is not None
    if not declared.begin_s <= model.timestamp_s <= declared.end_s:
        return Failure("ApprovalNotWithinTimeframe")
    parameters = model.state.network.parameters
    fee_wei = units_to_wei(declared.fee_units)
    if fee_wei > parameters.maximum_operator_fee_wei:
        return Failure("FeeTooHigh")
    if 0 < fee_wei < parameters.minimum_operator_fee_wei:
        return Failure("FeeTooLow")
    return done(model.change_operator_fee(operator.operator_id, declared.fee_units))


def cancel_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`cancelDeclaredOperatorFee(operatorId)`."""
    operator = own(model, call, call.arguments[0])
    if isinstance(operator, Failure):
        return operator
    if operator.declared_fee is None:
        return Failure("NoFeeDeclared")
    model.change_operator(operator.operator_id, declared_fee=None)
    model.emit(types.OperatorFeeDeclarationCancelled(call.sender, operator.operator_id))
    return None


def reduce_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`reduceOperatorFee(operatorId, fee)`."""
    operator_id, fee_wei = call.arguments
    operator = own(model, call, operator_id)
    if isinstance(operator, Failure):
        return operator
    if 0 < fee_wei < model.state.network.parameters.minimum_operator_fee_wei:
        return Failure("FeeTooLow")
    if fee_wei % FEE_UNIT_WEI:
        return Failure("MaxPrecisionExceeded")
    if units_down(fee_wei) >= operator.fee_units:
        return Failure("FeeIncreaseNotAllowed")
    return done(model.change_operator_fee(operator.operator_id, units_down(fee_wei)))


def withdraw(model: FuzzModel, call: Call) -> Failure | None:
    """`withdrawOperatorEarnings(operatorId, amount)`."""
    operator_id, amount_wei = call.arguments
    operator = own(model, call, operator_id)
    if isinstance(operator, Failure):
        return operator
    if amount_wei % FEE_UNIT_WEI:
        return Failure("MaxPrecisionExceeded")
    return _withdraw(model, call, operator, units_down(amount_wei))


def withdraw_all(model: FuzzModel, call: Call) -> Failure | None:
    """`withdrawAllOperatorEarnings(operatorId)` and its alias."""
    operator = own(model, call, call.arguments[0])
    if isinstance(operator, Failure):
        return operator
    return _withdraw(model, call, operator, FeeUnits(0))


def own(model: FuzzModel, call: Call, operator_id: int) -> Operator | Failure:
    """The operator, if it exists and belongs to the caller."""
    operator = model.state.operators.get(OperatorId(operator_id))
    if operator is None or operator.removed_at is not None:
        return Failure("OperatorDoesNotExist")
    if operator.owner != call.sender:
        return Failure("CallerNotOwnerWithData", (call.sender, operator.owner))
    return operator


def _withdraw(model: FuzzModel, call: Call, operator: Operator, units: FeeUnits) -> Failure | None:
    credit = _credit(model, operator)
    paid = units or credit
    if not 0 < paid <= credit:
        return INSUFFICIENT
    if not model.can_pay(call.sender, units_to_wei(paid)):
        return NOT_PAID
    return done(model.withdraw_earnings(operator.operator_id, units=paid))


def _credit(model: FuzzModel, operator: Operator) -> FeeUnits:
    return ledger.settle_operator(operator, at=model.block).credit_units


def _fee_failure(model: FuzzModel, fee_wei: int) -> Failure | None:
    parameters = model.state.network.parameters
    if 0 < fee_wei < parameters.minimum_operator_fee_wei:
        return Failure("FeeTooLow")
    if fee_wei > parameters.maximum_operator_fee_wei:
        return Failure("FeeTooHigh")
    return None


def _is_one_text(key: bytes) -> bool:
    """Whether the bytes are the ABI encoding of one text that is not empty."""
    if len(key) < 3 * WORD or int.from_bytes(key[:WORD], "big") != WORD:
        return False
    length = int.from_bytes(key[WORD : 2 * WORD], "big")
    return length > 0 and len(key) == 2 * WORD + -(-length // WORD) * WORD
