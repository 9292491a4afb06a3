"""What the registry's short words mean, in the words of the pages.

Pure tables: names of events, reasons of refusals, parameters, fields of forms. A name that is not
here is shown as it is, so a new event never breaks a page.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = {
    "BeaconVerifierFrozen": "Proof verifier frozen",
    "BeaconVerifierUpdated": "Proof verifier changed",
    "ClusterBalanceUpdated": "Cluster's effective balance changed",
    "ClusterDeposited": "Deposit",
    "ClusterLiquidated": "Cluster liquidated",
    "ClusterReactivated": "Cluster reactivated",
    "ClusterWithdrawn": "Withdrawal",
    "DebtCovered": "Uncovered debt paid",
    "DebtUncovered": "Debt left uncovered",
    "DeclareOperatorFeePeriodUpdated": "Fee notice period changed",
    "ExecuteOperatorFeePeriodUpdated": "Fee execution period changed",
    "FeeRecipientAddressUpdated": "Fee recipient set",
    "Initialized": "Contract initialised",
    "LiquidationThresholdPeriodUpdated": "Liquidation period changed",
    "MinimumLiquidationCollateralUpdated": "Minimum collateral changed",
    "MinimumOperatorEthFeeUpdated": "Minimum operator fee changed",
    "NetworkEarningsWithdrawn": "Network earnings withdrawn",
    "NetworkFeeUpdated": "Network fee changed",
    "OperatorAdded": "Operator registered",
    "OperatorFeeDeclarationCancelled": "Announced fee withdrawn",
    "OperatorFeeDeclared": "Fee announced",
    "OperatorFeeExecuted": "Fee changed",
    "OperatorFeeIncreaseLimitUpdated": "Fee increase limit changed",
    "OperatorMaximumFeeUpdated": "Maximum operator fee changed",
    "OperatorMultipleWhitelistRemoved": "Owners taken off a whitelist",
    "OperatorMultipleWhitelistUpdated": "Owners put on a whitelist",
    "OperatorPrivacyStatusUpdated": "Operator privacy changed",
    "OperatorRemoved": "Operator removed",
    "OperatorWhitelistingContractUpdated": "Whitelisting contract set",
    "OperatorWithdrawn": "Operator earnings withdrawn",
    "OwnershipTransferStarted": "Ownership transfer begun",
    "OwnershipTransferred": "Ownership transferred",
    "UpgradeRightRenounced": "Upgrades renounced",
    "Upgraded": "Contract upgraded",
    "ValidatorAdded": "Validator registered",
    "ValidatorEffectiveBalanceUpdated": "Effective balance proven",
    "ValidatorExited": "Exit requested",
    "ValidatorRemoved": "Validator removed",
    "ValidatorsPerOperatorLimitUpdated": "Validator limit changed",
}
"""An event's name in words."""

REFUSALS: Final = {
    "public_key_length": "The public key does not have 48 bytes.",
    "operators_invalid": "The operators are not 4, 7, 10 or 13 ascending ids.",
    "operator_unknown": "An operator of the registration does not exist.",
    "operator_removed": "An operator of the registration was removed before.",
    "shares_length": "The shares do not have the length that this many operators need.",
    "nonce_signature_invalid": "The validator key did not sign this owner and nonce.",
    "already_registered": "The owner had registered this key already.",
    "owned_by_another": "Another owner had registered this key before.",
}
"""Why nodes do not act on a registration."""

STATUSES: Final = {
    "pending_initialized": "Deposited, not in the queue yet",
    "pending_queued": "Waits for its activation",
    "active_ongoing": "Active",
    "active_exiting": "Active, will exit",
    "active_slashed": "Slashed, will exit",
    "exited_unslashed": "Exited",
    "exited_slashed": "Slashed and exited",
    "withdrawal_possible": "Exited, its balance can be paid out",
    "withdrawal_done": "Exited and paid out",
}
"""A validator's status in the beacon API's words (ethereum/beacon-APIs)."""

PARAMETERS: Final = {
    "fee_wei": ("Network fee", "What clusters pay the network per block and 32 ETH."),
    "liquidation_period_blocks": (
        "Liquidation period",
        "Blocks of fees that a cluster must hold so that nobody may liquidate it.",
    ),
    "minimum_collateral_wei": (
        "Minimum collateral",
        "Least balance below which any cluster may be liquidated.",
    ),
    "maximum_operator_fee_wei": ("Maximum operator fee", "Per block and 32 ETH."),
    "minimum_operator_fee_wei": (
        "Minimum operator fee",
        "Per block and 32 ETH, unless the fee is 0.",
    ),
    "fee_increase_limit_per_10000": (
        "Fee increase limit",
        "Most that an operator may raise its fee at once.",
    ),
    "declare_period_s": ("Fee notice period", "From announcing a higher fee to its first use."),
    "execute_period_s": (
        "Fee execution period",
        "Time to put an announced fee in force before it lapses.",
    ),
    "validators_per_operator_limit": (
        "Validators per operator",
        "Most that one operator may have.",
    ),
    "beacon_verifier": ("Proof verifier", "Contract that checks proofs of effective balances."),
    "verifier_is_frozen": ("Proof verifier frozen", "Frozen: it can never be replaced."),
    "implementation": ("Implementation", "Code that the registry's proxy runs."),
    "upgrades_renounced": ("Upgrades renounced", "Renounced: the code can never change again."),
    "owner": ("Owner", "Who may change parameters."),
    "pending_owner": ("Pending owner", "Who may accept the ownership."),
}
"""A parameter's name and what it does."""


FIELDS: Final = {
    "action": "Action",
    "allows": "Admits owner",
    "amount": "Amount, ETH",
    "cluster": "Cluster",
    "days": "Days",
    "eb": "ETH of each validator",
    "exiting": "Exit",
    "from_block": "From block",
    "liquidatable": "Funds",
    "max_fee": "Fee up to, gwei a block",
    "name": "Event",
    "operator": "Operator id",
    "operators": "Operators",
    "order": "Order",
    "owner": "Owner",
    "private": "Admission",
    "accepted": "Registration",
    "q": "Search",
    "reason": "Refused because",
    "refused": "Outcome",
    "room": "Room for validators",
    "sort": "Sort by",
    "status": "Status",
    "to_block": "To block",
    "tx": "Transaction",
    "validator": "Public key",
    "validators": "Validators",
    "within": "Within",
}
"""A form's field as its reader sees it, for what is wrong with it."""


def field_words(name: str) -> str:
    """A field's name in words; one that stands only in an address stays as it is."""
    return FIELDS.get(name, name)


def event_words(name: str | None) -> str:
    """An event's name in words; one that is not known stays as it is."""
    return "Unknown log" if name is None else EVENTS.get(name, name)


def status_words(status: str) -> str:
    """A validator's status on the beacon chain; one that is not known stays as it is."""
    return STATUSES.get(status, status)


def refusal_words(reason: str) -> str:
    """Why nodes do not act on a registration."""
    return REFUSALS.get(reason, reason)
