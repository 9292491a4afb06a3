"""One frozen value per log of the registry, and their union `Event`.

Pure values; never decodes. `ABI` is the Solidity declaration, with `Cluster` for the struct
`(uint32 validatorCount, uint64 networkFeeIndex, uint64 index, bool active, uint256 balance)`;
the fields follow its arguments in order. Amounts here are wei, as on the wire; a `public_key`
may have any length, as the ABI allows. Events of governance functions are in
`sdk.events.governance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sdk.events.governance import (
    BeaconVerifierFrozen,
    BeaconVerifierUpdated,
    DebtCovered,
    DeclareOperatorFeePeriodUpdated,
    ExecuteOperatorFeePeriodUpdated,
    Initialized,
    LiquidationThresholdPeriodUpdated,
    MinimumLiquidationCollateralUpdated,
    MinimumOperatorEthFeeUpdated,
    NetworkEarningsWithdrawn,
    NetworkFeeUpdated,
    OperatorFeeIncreaseLimitUpdated,
    OperatorMaximumFeeUpdated,
    OwnershipTransferred,
    OwnershipTransferStarted,
    Upgraded,
    UpgradeRightRenounced,
    ValidatorsPerOperatorLimitUpdated,
)
from sdk.events.snapshot import ClusterSnapshot
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, Slot, Wei


@dataclass(frozen=True, slots=True)
class OperatorAdded:
    """Emitted by `registerOperator`, first of its two logs.

    `public_key` is an ABI-encoded text; read it with `operator_public_key_text`.
    """

    ABI: ClassVar[str] = (
        "OperatorAdded(uint64 indexed operatorId, address indexed owner, bytes publicKey, "
        "uint256 fee)"
    )
    operator_id: OperatorId
    owner: Address
    public_key: bytes
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorRemoved:
    """Emitted by `removeOperator`, after `OperatorWithdrawn` if there were earnings."""

    ABI: ClassVar[str] = "OperatorRemoved(uint64 indexed operatorId)"
    operator_id: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorFeeDeclared:
    """Emitted by `declareOperatorFee`; the fee can be executed after the declare period."""

    ABI: ClassVar[str] = (
        "OperatorFeeDeclared(address indexed owner, uint64 indexed operatorId, "
        "uint256 blockNumber, uint256 fee)"
    )
    owner: Address
    operator_id: OperatorId
    block_number: BlockNumber
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorFeeDeclarationCancelled:
    """Emitted by `cancelDeclaredOperatorFee`."""

    ABI: ClassVar[str] = (
        "OperatorFeeDeclarationCancelled(address indexed owner, uint64 indexed operatorId)"
    )
    owner: Address
    operator_id: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorFeeExecuted:
    """Emitted by `executeOperatorFee` and `reduceOperatorFee`; the fee holds from here on."""

    ABI: ClassVar[str] = (
        "OperatorFeeExecuted(address indexed owner, uint64 indexed operatorId, "
        "uint256 blockNumber, uint256 fee)"
    )
    owner: Address
    operator_id: OperatorId
    block_number: BlockNumber
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorWithdrawn:
    """Emitted by the earnings withdrawals, and by `removeOperator` if there were earnings."""

    ABI: ClassVar[str] = (
        "OperatorWithdrawn(address indexed owner, uint64 indexed operatorId, uint256 value)"
    )
    owner: Address
    operator_id: OperatorId
    value_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorPrivacyStatusUpdated:
    """Emitted by `registerOperator` (second log, always) and by the two privacy setters."""

    ABI: ClassVar[str] = "OperatorPrivacyStatusUpdated(uint64[] operatorIds, bool toPrivate)"
    operator_ids: tuple[OperatorId, ...]
    to_private: bool


@dataclass(frozen=True, slots=True)
class OperatorMultipleWhitelistUpdated:
    """Emitted by `setOperatorsWhitelists`: each operator admits each address."""

    ABI: ClassVar[str] = (
        "OperatorMultipleWhitelistUpdated(uint64[] operatorIds, address[] whitelistAddresses)"
    )
    operator_ids: tuple[OperatorId, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class OperatorMultipleWhitelistRemoved:
    """Emitted by `removeOperatorsWhitelists`."""

    ABI: ClassVar[str] = (
        "OperatorMultipleWhitelistRemoved(uint64[] operatorIds, address[] whitelistAddresses)"
    )
    operator_ids: tuple[OperatorId, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class OperatorWhitelistingContractUpdated:
    """Emitted when a whitelisting contract is set, and with the zero address when removed."""

    ABI: ClassVar[str] = (
        "OperatorWhitelistingContractUpdated(uint64[] operatorIds, address whitelistingContract)"
    )
    operator_ids: tuple[OperatorId, ...]
    whitelisting_contract: Address


@dataclass(frozen=True, slots=True)
class FeeRecipientAddressUpdated:
    """Emitted by `setFeeRecipientAddress`: who receives the owner's block rewards."""

    ABI: ClassVar[str] = (
        "FeeRecipientAddressUpdated(address indexed owner, address recipientAddress)"
    )
    owner: Address
    recipient: Address


@dataclass(frozen=True, slots=True)
class ValidatorAdded:
    """Emitted once per key by `registerValidator` and `bulkRegisterValidator`.

    All logs of a bulk call carry the same, final `cluster`. Each uses up one owner nonce.
    """

    ABI: ClassVar[str] = (
        "ValidatorAdded(address indexed owner, uint64[] operatorIds, bytes publicKey, "
        "bytes shares, Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    public_key: bytes
    shares: bytes
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ValidatorRemoved:
    """Emitted once per key by the removals; all logs of a call carry the final `cluster`."""

    ABI: ClassVar[str] = (
        "ValidatorRemoved(address indexed owner, uint64[] operatorIds, bytes publicKey, "
        "Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    public_key: bytes
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ValidatorExited:
    """Emitted once per key by the exits: operators shall sign a voluntary exit."""

    ABI: ClassVar[str] = (
        "ValidatorExited(address indexed owner, uint64[] operatorIds, bytes publicKey)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    public_key: bytes


@dataclass(frozen=True, slots=True)
class ClusterDeposited:
    """Emitted by `deposit`, and first by `proveEffectiveBalances` when it is sent ether."""

    ABI: ClassVar[str] = (
        "ClusterDeposited(address indexed owner, uint64[] operatorIds, uint256 value, "
        "Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    value_wei: Wei
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ClusterWithdrawn:
    """Emitted by `withdraw`."""

    ABI: ClassVar[str] = (
        "ClusterWithdrawn(address indexed owner, uint64[] operatorIds, uint256 value, "
        "Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    value_wei: Wei
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ClusterLiquidated:
    """Emitted by `liquidate`, and by `proveEffectiveBalances` when it ends in a liquidation."""

    ABI: ClassVar[str] = (
        "ClusterLiquidated(address indexed owner, uint64[] operatorIds, Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ClusterReactivated:
    """Emitted by `reactivate`."""

    ABI: ClassVar[str] = (
        "ClusterReactivated(address indexed owner, uint64[] operatorIds, Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ClusterBalanceUpdated:
    """Emitted by `proveEffectiveBalances`, last log of the transaction.

    `effective_balance_eth` is the whole cluster's; `block_number` is the execution block.
    """

    ABI: ClassVar[str] = (
        "ClusterBalanceUpdated(address indexed owner, uint64[] operatorIds, "
        "uint64 indexed blockNum, uint32 effectiveBalance, Cluster cluster)"
    )
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    block_number: BlockNumber
    effective_balance_eth: int
    cluster: ClusterSnapshot


@dataclass(frozen=True, slots=True)
class ValidatorEffectiveBalanceUpdated:
    """Emitted by `proveEffectiveBalances` per changed record, before `ClusterLiquidated` and
    `ClusterBalanceUpdated`.
    """

    ABI: ClassVar[str] = (
        "ValidatorEffectiveBalanceUpdated(address indexed owner, bytes32 indexed clusterId, "
        "bytes publicKey, uint32 effectiveBalance, uint64 slot)"
    )
    owner: Address
    cluster_id: ClusterId
    public_key: bytes
    effective_balance_eth: int
    slot: Slot


@dataclass(frozen=True, slots=True)
class DebtUncovered:
    """Emitted by a settlement that finds a cluster short of what it used.

    It precedes every log of the call that the settlement belongs to, except the
    `ClusterDeposited` of a proof. The amount is the part added to the uncovered debt, that is,
    what the network's own credit could not bear.
    """

    ABI: ClassVar[str] = (
        "DebtUncovered(address indexed owner, bytes32 indexed clusterId, uint256 amount)"
    )
    owner: Address
    cluster_id: ClusterId
    amount_wei: Wei


Event = (
    OperatorAdded
    | OperatorRemoved
    | OperatorFeeDeclared
    | OperatorFeeDeclarationCancelled
    | OperatorFeeExecuted
    | OperatorWithdrawn
    | OperatorPrivacyStatusUpdated
    | OperatorMultipleWhitelistUpdated
    | OperatorMultipleWhitelistRemoved
    | OperatorWhitelistingContractUpdated
    | FeeRecipientAddressUpdated
    | ValidatorAdded
    | ValidatorRemoved
    | ValidatorExited
    | ClusterDeposited
    | ClusterWithdrawn
    | ClusterLiquidated
    | ClusterReactivated
    | ClusterBalanceUpdated
    | ValidatorEffectiveBalanceUpdated
    | DebtUncovered
    | DebtCovered
    | NetworkFeeUpdated
    | NetworkEarningsWithdrawn
    | OperatorFeeIncreaseLimitUpdated
    | DeclareOperatorFeePeriodUpdated
    | ExecuteOperatorFeePeriodUpdated
    | LiquidationThresholdPeriodUpdated
    | MinimumLiquidationCollateralUpdated
    | OperatorMaximumFeeUpdated
    | MinimumOperatorEthFeeUpdated
    | ValidatorsPerOperatorLimitUpdated
    | BeaconVerifierUpdated
    | BeaconVerifierFrozen
    | Upgraded
    | Initialized
    | UpgradeRightRenounced
    | OwnershipTransferStarted
    | OwnershipTransferred
)
