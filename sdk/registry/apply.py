"""The reducer: state and event in, changes out.

Pure; it changes nothing itself. Commit the changes to the same state before the next event, in
the order of (block, transaction, log). It never fails for what an event says: a log that
contradicts the others is adopted as far as possible and reported as a `Divergence`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from sdk.events import Event, governance, types
from sdk.registry import cluster_events, network_events, operator_events
from sdk.registry.changes import AccountChanged
from sdk.registry.outcome import Applied, EventContext, SignatureVerdict
from sdk.registry.state import RegistryState


def apply(
    state: RegistryState,
    event: Event,
    at: EventContext,
    verdict: SignatureVerdict = SignatureVerdict.UNCHECKED,
) -> Applied:
    """What the event changes, whether nodes refuse it, and where it contradicts the state.

    Args:
        state: after all earlier events.
        event: decoded log.
        at: its place; blocks must not go back (undo first).
        verdict: for `ValidatorAdded` only, of the claim that `nonce_claims` gave.

    Raises:
        InvariantBroken: `at` lies before what the state already contains.
    """
    match event:
        case types.ValidatorAdded():
            return cluster_events.validator_added(state, event, at, verdict)
        case types.ValidatorRemoved():
            return cluster_events.validator_removed(state, event, at)
        case types.ValidatorExited():
            return cluster_events.validator_exited(state, event, at)
        case types.ClusterDeposited():
            return cluster_events.cluster_deposited(state, event, at)
        case types.ClusterWithdrawn():
            return cluster_events.cluster_withdrawn(state, event, at)
        case types.ClusterLiquidated():
            return cluster_events.cluster_liquidated(state, event, at)
        case types.ClusterReactivated():
            return cluster_events.cluster_reactivated(state, event, at)
        case types.ClusterBalanceUpdated():
            return cluster_events.cluster_balance_updated(state, event, at)
        case types.ValidatorEffectiveBalanceUpdated():
            return cluster_events.effective_balance_updated(state, event, at)
        case types.DebtUncovered():
            return cluster_events.debt_uncovered(state, event, at)
        case types.FeeRecipientAddressUpdated():
            return _fee_recipient(state, event)
        case types.OperatorAdded():
            return operator_events.operator_added(state, event, at)
        case types.OperatorRemoved():
            return operator_events.operator_removed(state, event, at)
        case types.OperatorWithdrawn():
            return operator_events.operator_withdrawn(state, event, at)
        case (
            types.OperatorFeeDeclared()
            | types.OperatorFeeDeclarationCancelled()
            | types.OperatorFeeExecuted()
        ):
            return operator_events.operator_fee(state, event, at)
        case types.OperatorPrivacyStatusUpdated():
            return operator_events.operator_privacy(state, event)
        case types.OperatorWhitelistingContractUpdated():
            return operator_events.operator_contract(state, event)
        case types.OperatorMultipleWhitelistUpdated() | types.OperatorMultipleWhitelistRemoved():
            return operator_events.operator_list(state, event)
        case (
            governance.NetworkFeeUpdated()
            | governance.NetworkEarningsWithdrawn()
            | governance.DebtCovered()
        ):
            return network_events.network_money(state.network, event, at)
        case (
            governance.OperatorFeeIncreaseLimitUpdated()
            | governance.DeclareOperatorFeePeriodUpdated()
            | governance.ExecuteOperatorFeePeriodUpdated()
            | governance.LiquidationThresholdPeriodUpdated()
            | governance.MinimumLiquidationCollateralUpdated()
            | governance.OperatorMaximumFeeUpdated()
            | governance.MinimumOperatorEthFeeUpdated()
            | governance.ValidatorsPerOperatorLimitUpdated()
            | governance.BeaconVerifierUpdated()
            | governance.BeaconVerifierFrozen()
            | governance.Upgraded()
            | governance.Initialized()
            | governance.UpgradeRightRenounced()
            | governance.OwnershipTransferStarted()
            | governance.OwnershipTransferred()
        ):
            return network_events.network_parameter(state.network, event)
        case _:
            assert_never(event)


def _fee_recipient(state: RegistryState, event: types.FeeRecipientAddressUpdated) -> Applied:
    account = replace(state.account(event.owner), fee_recipient=event.recipient)
    return Applied((AccountChanged(state.accounts.get(event.owner), account),))
