"""What every call comes to: the error it must fail with, or its effect on the model."""

from __future__ import annotations

from collections.abc import Callable

from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel
from tests.contracts.invariants.rules import access, clusters, governance, operators, validators
from tests.contracts.registry_in_evm import Failure

Rule = Callable[[FuzzModel, Call], Failure | None]


def predict(model: FuzzModel, call: Call) -> Failure | None:
    """The failure that the call must meet; None after applying its effect to the model."""
    return RULES[call.function](model, call)


RULES: dict[str, Rule] = {
    "registerOperator": operators.register,
    "removeOperator": operators.remove,
    "declareOperatorFee": operators.declare_fee,
    "executeOperatorFee": operators.execute_fee,
    "cancelDeclaredOperatorFee": operators.cancel_fee,
    "reduceOperatorFee": operators.reduce_fee,
    "withdrawOperatorEarnings": operators.withdraw,
    "withdrawAllOperatorEarnings": operators.withdraw_all,
    "withdrawAllVersionOperatorEarnings": operators.withdraw_all,
    "setOperatorsPrivateUnchecked": access.set_private,
    "setOperatorsPublicUnchecked": access.set_public,
    "setOperatorsWhitelistingContract": access.set_contract,
    "removeOperatorsWhitelistingContract": access.remove_contract,
    "setOperatorsWhitelists": access.set_lists,
    "removeOperatorsWhitelists": access.remove_lists,
    "registerValidator": validators.register,
    "bulkRegisterValidator": validators.bulk_register,
    "removeValidator": validators.remove,
    "bulkRemoveValidator": validators.bulk_remove,
    "exitValidator": validators.exit_,
    "bulkExitValidator": validators.bulk_exit,
    "setFeeRecipientAddress": validators.set_fee_recipient,
    "deposit": clusters.deposit,
    "withdraw": clusters.withdraw,
    "liquidate": clusters.liquidate,
    "reactivate": clusters.reactivate,
    "proveEffectiveBalances": clusters.prove,
    **governance.RULES,
}
