// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CallerNotOwner,
    InsufficientBalance,
    InvalidOperatorFeeIncreaseLimit,
    InvalidOperatorFeeRange,
    NewBlockPeriodIsBelowMinimum,
    NotAContract,
    ParameterOutOfBounds,
    VerifierFrozen,
    VerifierNotSet,
    ZeroAddress
} from "../interfaces/Errors.sol";
import {IGovernance} from "../interfaces/IGovernance.sol";
import {InitialParameters} from "../interfaces/Types.sol";
import {NetworkWord, NetworkWords} from "../ledger/NetworkWord.sol";
import {Units} from "../ledger/Units.sol";
import {Layout, Parameters, Rights} from "../storage/Layout.sol";
import {Fees} from "./Fees.sol";
import {Owned} from "./Owned.sol";
import {Payments} from "./Payments.sol";

/// @title Parameters, network earnings, the verifier, and who owns all that.
abstract contract Governance is Payments, Owned, IGovernance {
    /// @dev In wei per block and 32 ETH, about 0.1 ETH a year.
    uint256 private constant HIGHEST_NETWORK_FEE = 38_000_000_000;
    uint256 private constant HIGHEST_COLLATERAL = 0.05 ether;
    uint256 private constant SHORTEST_LIQUIDATION_PERIOD = 21_480;
    uint256 private constant LONGEST_LIQUIDATION_PERIOD = 432_000;
    uint256 private constant HIGHEST_INCREASE_LIMIT = 10_000;
    uint256 private constant HIGHEST_VALIDATOR_LIMIT = type(uint16).max;

    /// @inheritdoc IGovernance
    function updateNetworkFee(uint256 fee) external onlyOwner {
        NetworkWord network = Layout.load().network;
        uint256 units = _networkFee(fee);
        _requireStep(network.fee(), units);
        Layout.load().network = network.settle().withFee(units);
        emit NetworkFeeUpdated(Units.toWei(network.fee()), fee);
    }

    /// @inheritdoc IGovernance
    function withdrawNetworkEarnings(uint256 amount) external nonReentrant onlyOwner {
        NetworkWord network = Layout.load().network.settle();
        uint256 units = Units.packExact(amount);
        // Not even nothing is paid while there is debt.
        require(network.debt() == 0 && units <= network.earnings(), InsufficientBalance());
        // Just seen to be below 2^79.
        // forge-lint: disable-next-line(unsafe-typecast)
        Layout.load().network = network.book(-int256(units));
        emit NetworkEarningsWithdrawn(amount, msg.sender);
        _pay(amount);
    }

    /// @inheritdoc IGovernance
    function updateOperatorFeeIncreaseLimit(uint64 percentage) external onlyOwner {
        uint256 current = Layout.load().parameters.feeIncreaseLimit;
        _setFeeIncreaseLimit(percentage);
        _requireStep(current, percentage);
    }

    /// @inheritdoc IGovernance
    function updateDeclareOperatorFeePeriod(uint64 timeInSeconds) external onlyOwner {
        uint256 current = Layout.load().parameters.declarePeriod;
        _setDeclarePeriod(timeInSeconds);
        _requireStep(current, timeInSeconds);
    }

    /// @inheritdoc IGovernance
    function updateExecuteOperatorFeePeriod(uint64 timeInSeconds) external onlyOwner {
        uint256 current = Layout.load().parameters.executePeriod;
        _setExecutePeriod(timeInSeconds);
        _requireStep(current, timeInSeconds);
    }

    /// @inheritdoc IGovernance
    function updateLiquidationThresholdPeriod(uint64 blocks) external onlyOwner {
        uint256 current = Layout.load().parameters.liquidationPeriod;
        _setLiquidationPeriod(blocks);
        _requireStep(current, blocks);
    }

    /// @inheritdoc IGovernance
    function updateMinimumLiquidationCollateral(uint256 amount) external onlyOwner {
        uint256 current = Layout.load().parameters.minimumCollateral;
        _setMinimumCollateral(amount);
        _requireStep(current, Units.packDown(amount));
    }

    /// @inheritdoc IGovernance
    function updateMinimumOperatorEthFee(uint256 minFee) external onlyOwner {
        uint256 current = Layout.load().parameters.minimumOperatorFee;
        _setMinimumFee(minFee);
        _requireStep(current, Units.packDown(minFee));
    }

    /// @inheritdoc IGovernance
    function updateValidatorsPerOperatorLimit(uint32 limit) external onlyOwner {
        uint256 current = Layout.load().parameters.validatorsPerOperatorLimit;
        _setValidatorLimit(limit);
        _requireStep(current, limit);
    }

    /// @inheritdoc IGovernance
    function updateBeaconVerifier(address verifier) external onlyOwner {
        require(!Layout.load().rights.verifierFrozen, VerifierFrozen());
        _setVerifier(verifier);
    }

    /// @inheritdoc IGovernance
    function freezeVerifier() external onlyOwner {
        Rights storage rights = Layout.load().rights;
        require(!rights.verifierFrozen, VerifierFrozen());
        address verifier = rights.beaconVerifier;
        require(verifier != address(0), VerifierNotSet());
        rights.verifierFrozen = true;
        emit BeaconVerifierFrozen(verifier);
    }

    /// @inheritdoc IGovernance
    function renounceUpgrades() external onlyOwner {
        _requireUpgradable();
        Layout.load().rights.upgradesRenounced = true;
        emit UpgradeRightRenounced();
    }

    /// @inheritdoc IGovernance
    function coverDebt() external payable {
        // Code that is called without its proxy has no owner, and no way to return ether.
        require(Layout.load().rights.owner != address(0), ZeroAddress());
        // At most all ether there is, in units: far below 2^255.
        // forge-lint: disable-next-line(unsafe-typecast)
        int256 units = int256(Units.packDown(msg.value));
        Layout.load().network = Layout.load().network.settle().book(units);
        emit DebtCovered(msg.sender, msg.value);
    }

    /// @inheritdoc IGovernance
    function transferOwnership(address newOwner) external onlyOwner {
        Layout.load().rights.pendingOwner = newOwner;
        emit OwnershipTransferStarted(msg.sender, newOwner);
    }

    /// @inheritdoc IGovernance
    function acceptOwnership() external {
        Rights storage rights = Layout.load().rights;
        require(msg.sender == rights.pendingOwner, CallerNotOwner());
        delete rights.pendingOwner;
        emit OwnershipTransferred(rights.owner, msg.sender);
        rights.owner = msg.sender;
    }

    /// @notice Sets everything governance may set, and reports each value.
    function _initialize(InitialParameters calldata initial) internal {
        require(initial.owner != address(0), ZeroAddress());
        Layout.load().network = NetworkWords.open(_networkFee(initial.networkFee));
        emit NetworkFeeUpdated(0, initial.networkFee);
        _setFeeIncreaseLimit(initial.operatorFeeIncreaseLimit);
        _setDeclarePeriod(initial.declareOperatorFeePeriod);
        _setExecutePeriod(initial.executeOperatorFeePeriod);
        _setLiquidationPeriod(initial.liquidationThresholdPeriod);
        _setMinimumCollateral(initial.minimumLiquidationCollateral);
        Fees.setMaximum(initial.maximumOperatorFee);
        _setMinimumFee(initial.minimumOperatorFee);
        _setValidatorLimit(initial.validatorsPerOperatorLimit);
        _setVerifier(initial.beaconVerifier);
        Layout.load().rights.owner = initial.owner;
        emit OwnershipTransferred(address(0), initial.owner);
    }

    function _requireRange(uint256 value, uint256 lowest, uint256 highest) private pure {
        require(value >= lowest && value <= highest, ParameterOutOfBounds());
    }

    /// @return units The fee in units, if it may be the network's.
    function _networkFee(uint256 fee) private pure returns (uint256 units) {
        units = Units.packExact(fee);
        _requireRange(fee, 0, HIGHEST_NETWORK_FEE);
    }

    // Every conversion below follows a check against a bound that fits the type.
    // forge-lint: disable-start(unsafe-typecast)

    function _setFeeIncreaseLimit(uint64 percentage) private {
        require(percentage <= HIGHEST_INCREASE_LIMIT, InvalidOperatorFeeIncreaseLimit());
        Layout.load().parameters.feeIncreaseLimit = uint16(percentage);
        emit OperatorFeeIncreaseLimitUpdated(percentage);
    }

    function _setDeclarePeriod(uint64 timeInSeconds) private {
        _requireRange(timeInSeconds, 1 days, 30 days);
        Layout.load().parameters.declarePeriod = uint24(timeInSeconds);
        emit DeclareOperatorFeePeriodUpdated(timeInSeconds);
    }

    function _setExecutePeriod(uint64 timeInSeconds) private {
        _requireRange(timeInSeconds, 1 hours, 30 days);
        Layout.load().parameters.executePeriod = uint24(timeInSeconds);
        emit ExecuteOperatorFeePeriodUpdated(timeInSeconds);
    }

    function _setLiquidationPeriod(uint64 blocks) private {
        require(blocks >= SHORTEST_LIQUIDATION_PERIOD, NewBlockPeriodIsBelowMinimum());
        _requireRange(blocks, SHORTEST_LIQUIDATION_PERIOD, LONGEST_LIQUIDATION_PERIOD);
        Layout.load().parameters.liquidationPeriod = uint32(blocks);
        emit LiquidationThresholdPeriodUpdated(blocks);
    }

    /// @dev Not zero: a settlement of a cluster alone relies on it (`Clusters`).
    function _setMinimumCollateral(uint256 amount) private {
        uint256 units = Units.packExact(amount);
        _requireRange(amount, 1, HIGHEST_COLLATERAL);
        Layout.load().parameters.minimumCollateral = uint64(units);
        emit MinimumLiquidationCollateralUpdated(amount);
    }

    function _setMinimumFee(uint256 minFee) private {
        Parameters storage parameters = Layout.load().parameters;
        uint256 units = Units.packExact(minFee);
        require(units <= parameters.maximumOperatorFee, InvalidOperatorFeeRange());
        parameters.minimumOperatorFee = uint32(units);
        emit MinimumOperatorEthFeeUpdated(minFee);
    }

    function _setValidatorLimit(uint32 limit) private {
        _requireRange(limit, 1, HIGHEST_VALIDATOR_LIMIT);
        Layout.load().parameters.validatorsPerOperatorLimit = uint16(limit);
        emit ValidatorsPerOperatorLimitUpdated(limit);
    }

    // forge-lint: disable-end(unsafe-typecast)

    function _setVerifier(address verifier) private {
        require(verifier == address(0) || verifier.code.length != 0, NotAContract(verifier));
        Layout.load().rights.beaconVerifier = verifier;
        emit BeaconVerifierUpdated(verifier);
    }
}
