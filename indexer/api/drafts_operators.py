"""Calls on operators as calldata, from the tables alone: unsigned, and never sent from here.

Pure. The checks are the contract's own, so that nobody signs what must revert; what depends on the
time of the block to come is a warning.

Source: docs/contracts.md; contracts/parts/{Operators,OperatorFees,OperatorAccess}.sol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from indexer.api.drafts import DraftCall, plain
from sdk.client.abi import encode_call
from sdk.crypto.operator_key_text import read_public_key, write_public_key
from sdk.errors import ChainError, InputError
from sdk.events import operator_public_key_bytes
from sdk.registry import Operator, Parameters, ledger
from sdk.types import Address, BlockNumber, Wei
from sdk.units import units_exact, units_to_wei

_PER_10000: Final = 10_000


def public_key_bytes(text: str) -> bytes:
    """What `registerOperator` takes for a key in any spelling.

    Raises:
        InputError: `operator_key_malformed`.
    """
    return operator_public_key_bytes(write_public_key(read_public_key(text)))


def register_operator(
    parameters: Parameters, *, key: bytes, fee_wei: int, is_private: bool, sender: Address | None
) -> DraftCall:
    """A new operator; anyone may, and the sender owns it.

    Raises:
        InputError: `not_whole_units`.
        ChainError: `fee_out_of_bounds`.
    """
    _require_fee(parameters, fee_wei, most_wei=parameters.maximum_operator_fee_wei)
    return plain("registerOperator", (key, fee_wei, is_private), sender=sender)


def remove_operator(operator: Operator, *, at: BlockNumber) -> DraftCall:
    """Ends an operator for good and pays its earnings out."""
    _require_active(operator)
    earned_wei = units_to_wei(ledger.settle_operator(operator, at=BlockNumber(at + 1)).credit_units)
    warnings = [f"It pays out {earned_wei} wei of earnings and cannot be undone."]
    if operator.validator_count:
        warnings.append(f"{operator.validator_count} validators go on without this operator.")
    return _own("removeOperator", operator, warnings=warnings)


def declare_fee(operator: Operator, parameters: Parameters, *, fee_wei: int) -> DraftCall:
    """Announces a fee, which can be executed in a window later on.

    Raises:
        InputError: `not_whole_units`.
        ChainError: `fee_out_of_bounds`, `fee_unchanged`, `fee_increase_not_allowed`.
    """
    _require_active(operator)
    now_units = operator.fee_units
    if now_units == 0:
        raise ChainError(
            f"operator {operator.operator_id} has a fee of 0, which can never be raised",
            code="fee_increase_not_allowed",
            hint="Register another operator.",
        )
    limit = parameters.fee_increase_limit_per_10000
    raised_units = -(-now_units * (_PER_10000 + limit) // _PER_10000)
    most_wei = min(units_to_wei(raised_units), parameters.maximum_operator_fee_wei)
    _require_fee(parameters, fee_wei, most_wei=most_wei)
    if fee_wei == units_to_wei(now_units):
        raise ChainError(
            f"operator {operator.operator_id} asks for {fee_wei} wei already", code="fee_unchanged"
        )
    warnings = [
        f"It can be executed {parameters.declare_period_s} s later, for "
        f"{parameters.execute_period_s} s."
    ]
    if operator.declared_fee is not None:
        warnings.append("It replaces the fee that is declared now.")
    return _own("declareOperatorFee", operator, fee_wei, warnings=warnings)


def execute_fee(operator: Operator, parameters: Parameters, *, now_s: int | None) -> DraftCall:
    """Puts the declared fee into force.

    Args:
        operator: of which.
        parameters: of the network.
        now_s: time of the block that is told of, None if it is not known.

    Raises:
        ChainError: `fee_not_declared`, `fee_window_over`, `fee_out_of_bounds`.
    """
    _require_active(operator)
    declared = operator.declared_fee
    if declared is None:
        raise _not_declared(operator)
    _require_fee(
        parameters,
        units_to_wei(declared.fee_units),
        most_wei=parameters.maximum_operator_fee_wei,
    )
    warnings = []
    if now_s is not None and declared.end_s is not None and now_s > declared.end_s:
        raise ChainError(
            f"the window of operator {operator.operator_id}'s declared fee ended at second "
            f"{declared.end_s}",
            code="fee_window_over",
            hint="Declare it again.",
        )
    if now_s is not None and declared.begin_s is not None and now_s < declared.begin_s:
        warnings.append(f"It reverts before second {declared.begin_s} of the unix epoch.")
    return _own("executeOperatorFee", operator, warnings=warnings)


def cancel_fee(operator: Operator) -> DraftCall:
    """Takes the declared fee back.

    Raises:
        ChainError: `fee_not_declared`.
    """
    _require_active(operator)
    if operator.declared_fee is None:
        raise _not_declared(operator)
    return _own("cancelDeclaredOperatorFee", operator)


def reduce_fee(operator: Operator, parameters: Parameters, *, fee_wei: int) -> DraftCall:
    """Lowers the fee at once.

    Raises:
        InputError: `not_whole_units`.
        ChainError: `fee_out_of_bounds`.
    """
    _require_active(operator)
    most_wei = units_to_wei(operator.fee_units) - 1
    _require_fee(parameters, fee_wei, most_wei=most_wei)
    warnings = ["It takes the declared fee back."] if operator.declared_fee else []
    return _own("reduceOperatorFee", operator, fee_wei, warnings=warnings)


def withdraw_earnings(operator: Operator, *, amount_wei: Wei | None, at: BlockNumber) -> DraftCall:
    """Pays earnings to the owner; all of them for None.

    Raises:
        InputError: `amount_zero`, `not_whole_units`.
        ChainError: `underfunded`.
    """
    _require_active(operator)
    settled = ledger.settle_operator(operator, at=BlockNumber(at + 1))
    earned_wei = units_to_wei(settled.credit_units)
    if amount_wei == 0:
        raise InputError("0 wei is no amount", code="amount_zero", hint="Leave it out for all.")
    if earned_wei == 0 or (amount_wei or 0) > earned_wei:
        raise ChainError(
            f"operator {operator.operator_id} has earned {earned_wei} wei, not {amount_wei or 1}",
            code="underfunded",
        )
    if amount_wei is None:
        return _own("withdrawAllOperatorEarnings", operator)
    units_exact(amount_wei, what="withdrawal")
    return _own("withdrawOperatorEarnings", operator, amount_wei)


def for_all(function: str, operators: Sequence[Operator], *arguments: object) -> DraftCall:
    """A call that only the owner of all of these operators may make.

    Args:
        function: ABI name; its first argument are the ids.
        operators: ascending by id.
        arguments: that follow the ids.

    Raises:
        ChainError: `owners_differ`, `operator_removed`.
    """
    for each in operators:
        _require_active(each)
    owners = {each.owner for each in operators}
    if len(owners) != 1:
        raise ChainError(
            f"the operators belong to {len(owners)} owners",
            code="owners_differ",
            hint="Make one call per owner.",
        )
    ids = [each.operator_id for each in operators]
    return plain(function, (ids, *arguments), sender=owners.pop())


def _own(
    function: str, operator: Operator, *arguments: object, warnings: Sequence[str] = ()
) -> DraftCall:
    """A call that only the operator's owner may make."""
    data = encode_call(function, (operator.operator_id, *arguments))
    return DraftCall(function, data, Wei(0), operator.owner, None, tuple(warnings))


def _require_fee(parameters: Parameters, fee_wei: int, *, most_wei: int) -> None:
    units_exact(fee_wei, what="operator fee")
    least_wei = parameters.minimum_operator_fee_wei
    if fee_wei > most_wei or (fee_wei and fee_wei < least_wei):
        raise ChainError(
            f"a fee of {fee_wei} wei is neither 0 nor between {least_wei} and {most_wei} wei",
            code="fee_out_of_bounds",
            hint="Governance and the present fee set the bounds; see /v1/network.",
        )


def _require_active(operator: Operator) -> None:
    if operator.removed_at is not None:
        raise ChainError(
            f"operator {operator.operator_id} was removed in block {operator.removed_at}",
            code="operator_removed",
            hint="A removed operator has no fee, no earnings and no settings.",
        )


def _not_declared(operator: Operator) -> ChainError:
    return ChainError(
        f"operator {operator.operator_id} has declared no fee", code="fee_not_declared"
    )
