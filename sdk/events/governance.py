"""Events that governance functions of the registry emit: parameters, network money, ownership.

Pure values, one class per event; `ABI` is the Solidity declaration and the fields follow it in
order. `sdk.events.types` holds the other events and the union of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sdk.types import Address, Wei


@dataclass(frozen=True, slots=True)
class NetworkFeeUpdated:
    """Emitted by `updateNetworkFee`; fees in wei per block and 32 ETH."""

    ABI: ClassVar[str] = "NetworkFeeUpdated(uint256 oldFee, uint256 newFee)"
    old_fee_wei: Wei
    new_fee_wei: Wei


@dataclass(frozen=True, slots=True)
class NetworkEarningsWithdrawn:
    """Emitted by `withdrawNetworkEarnings`."""

    ABI: ClassVar[str] = "NetworkEarningsWithdrawn(uint256 value, address recipient)"
    value_wei: Wei
    recipient: Address


@dataclass(frozen=True, slots=True)
class DebtCovered:
    """Emitted by `coverDebt`: a gift that reduces the uncovered debt."""

    ABI: ClassVar[str] = "DebtCovered(address indexed payer, uint256 amount)"
    payer: Address
    amount_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorFeeIncreaseLimitUpdated:
    """Emitted by `updateOperatorFeeIncreaseLimit`; 10,000 is 100 percent."""

    ABI: ClassVar[str] = "OperatorFeeIncreaseLimitUpdated(uint64 value)"
    limit_per_10000: int


@dataclass(frozen=True, slots=True)
class DeclareOperatorFeePeriodUpdated:
    """Emitted by `updateDeclareOperatorFeePeriod`: wait between declaring and executing a fee."""

    ABI: ClassVar[str] = "DeclareOperatorFeePeriodUpdated(uint64 value)"
    period_seconds: int


@dataclass(frozen=True, slots=True)
class ExecuteOperatorFeePeriodUpdated:
    """Emitted by `updateExecuteOperatorFeePeriod`: how long a declared fee can be executed."""

    ABI: ClassVar[str] = "ExecuteOperatorFeePeriodUpdated(uint64 value)"
    period_seconds: int


@dataclass(frozen=True, slots=True)
class LiquidationThresholdPeriodUpdated:
    """Emitted by `updateLiquidationThresholdPeriod`."""

    ABI: ClassVar[str] = "LiquidationThresholdPeriodUpdated(uint64 value)"
    period_blocks: int


@dataclass(frozen=True, slots=True)
class MinimumLiquidationCollateralUpdated:
    """Emitted by `updateMinimumLiquidationCollateral`."""

    ABI: ClassVar[str] = "MinimumLiquidationCollateralUpdated(uint256 value)"
    collateral_wei: Wei


@dataclass(frozen=True, slots=True)
class OperatorMaximumFeeUpdated:
    """Emitted by `updateMaximumOperatorFee`."""

    ABI: ClassVar[str] = "OperatorMaximumFeeUpdated(uint256 maxFee)"
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class MinimumOperatorEthFeeUpdated:
    """Emitted by `updateMinimumOperatorEthFee`."""

    ABI: ClassVar[str] = "MinimumOperatorEthFeeUpdated(uint256 minFee)"
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class ValidatorsPerOperatorLimitUpdated:
    """Emitted by `updateValidatorsPerOperatorLimit`."""

    ABI: ClassVar[str] = "ValidatorsPerOperatorLimitUpdated(uint32 value)"
    limit: int


@dataclass(frozen=True, slots=True)
class BeaconVerifierUpdated:
    """Emitted by `updateBeaconVerifier`: contract that checks effective-balance proofs."""

    ABI: ClassVar[str] = "BeaconVerifierUpdated(address verifier)"
    verifier: Address


@dataclass(frozen=True, slots=True)
class BeaconVerifierFrozen:
    """Emitted by `freezeVerifier`: the verifier never changes again."""

    ABI: ClassVar[str] = "BeaconVerifierFrozen(address verifier)"
    verifier: Address


@dataclass(frozen=True, slots=True)
class Upgraded:
    """Emitted by the proxy at its creation and by `upgradeToAndCall`."""

    ABI: ClassVar[str] = "Upgraded(address indexed implementation)"
    implementation: Address


@dataclass(frozen=True, slots=True)
class Initialized:
    """Emitted once, at the end of the initializer."""

    ABI: ClassVar[str] = "Initialized(uint64 version)"
    version: int


@dataclass(frozen=True, slots=True)
class UpgradeRightRenounced:
    """Emitted by `renounceUpgrades`: the code never changes again."""

    ABI: ClassVar[str] = "UpgradeRightRenounced()"


@dataclass(frozen=True, slots=True)
class OwnershipTransferStarted:
    """Emitted by `transferOwnership`; takes effect only when accepted."""

    ABI: ClassVar[str] = (
        "OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)"
    )
    previous_owner: Address
    new_owner: Address


@dataclass(frozen=True, slots=True)
class OwnershipTransferred:
    """Emitted by `acceptOwnership`, and once at deployment from the zero address."""

    ABI: ClassVar[str] = (
        "OwnershipTransferred(address indexed previousOwner, address indexed newOwner)"
    )
    previous_owner: Address
    new_owner: Address
