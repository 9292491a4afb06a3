// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ApprovalNotWithinTimeframe,
    FeeExceedsIncreaseLimit,
    FeeIncreaseNotAllowed,
    FeeTooHigh,
    NoFeeDeclared,
    SameFeeChangeNotAllowed
} from "../interfaces/Errors.sol";
import {IRegistryEvents} from "../interfaces/Events.sol";
import {IOperatorFees} from "../interfaces/IOperatorFees.sol";
import {Units} from "../ledger/Units.sol";
import {
    FeeDeclaration,
    Layout,
    OperatorProfile,
    Parameters,
    RegistryStorage
} from "../storage/Layout.sol";
import {Fees} from "./Fees.sol";
import {OwnOperator} from "./OwnOperator.sol";

/// @title Changes operators' fees: announced upwards, at once downwards.
abstract contract OperatorFees is IRegistryEvents, IOperatorFees {
    uint256 private constant PERCENTAGE_BASE = 10_000;

    /// @inheritdoc IOperatorFees
    function declareOperatorFee(uint64 operatorId, uint256 fee) external {
        OperatorProfile storage profile = OwnOperator.load(operatorId);
        RegistryStorage storage $ = Layout.load();
        Parameters storage parameters = $.parameters;
        Fees.requireAllowed(parameters, fee);
        uint256 feeUnits = Units.packExact(fee);
        uint256 current = $.operators[operatorId].fee();
        require(feeUnits != current, SameFeeChangeNotAllowed());
        require(current != 0, FeeIncreaseNotAllowed());
        uint256 highest = current * (PERCENTAGE_BASE + parameters.feeIncreaseLimit);
        highest = (highest + PERCENTAGE_BASE - 1) / PERCENTAGE_BASE;
        require(feeUnits <= highest, FeeExceedsIncreaseLimit());
        // Fees are below 2^30, and seconds since 1970 below 2^40 for 34,000 years.
        // forge-lint: disable-start(unsafe-typecast)
        uint40 begin = uint40(block.timestamp + parameters.declarePeriod);
        profile.declaration = FeeDeclaration({
            fee: uint40(feeUnits), begin: begin, end: begin + parameters.executePeriod
        });
        // forge-lint: disable-end(unsafe-typecast)
        emit OperatorFeeDeclared(msg.sender, operatorId, block.number, fee);
    }

    /// @inheritdoc IOperatorFees
    function executeOperatorFee(uint64 operatorId) external {
        OperatorProfile storage profile = OwnOperator.load(operatorId);
        FeeDeclaration memory declaration = profile.declaration;
        require(declaration.end != 0, NoFeeDeclared());
        require(
            block.timestamp >= declaration.begin && block.timestamp <= declaration.end,
            ApprovalNotWithinTimeframe()
        );
        uint256 fee = Units.toWei(declaration.fee);
        Parameters storage parameters = Layout.load().parameters;
        require(declaration.fee <= parameters.maximumOperatorFee, FeeTooHigh());
        Fees.requireNotTooLow(parameters, fee);
        delete profile.declaration;
        _setFee(operatorId, declaration.fee);
    }

    /// @inheritdoc IOperatorFees
    function cancelDeclaredOperatorFee(uint64 operatorId) external {
        OperatorProfile storage profile = OwnOperator.load(operatorId);
        require(profile.declaration.end != 0, NoFeeDeclared());
        delete profile.declaration;
        emit OperatorFeeDeclarationCancelled(msg.sender, operatorId);
    }

    /// @inheritdoc IOperatorFees
    function reduceOperatorFee(uint64 operatorId, uint256 fee) external {
        OperatorProfile storage profile = OwnOperator.load(operatorId);
        RegistryStorage storage $ = Layout.load();
        Fees.requireNotTooLow($.parameters, fee);
        uint256 feeUnits = Units.packExact(fee);
        require(feeUnits < $.operators[operatorId].fee(), FeeIncreaseNotAllowed());
        if (profile.declaration.end != 0) delete profile.declaration;
        _setFee(operatorId, feeUnits);
    }

    /// @notice Settles at the old fee, then sets the new one.
    function _setFee(uint64 operatorId, uint256 feeUnits) private {
        RegistryStorage storage $ = Layout.load();
        $.operators[operatorId] = $.operators[operatorId].settle().withFee(feeUnits);
        emit OperatorFeeExecuted(msg.sender, operatorId, block.number, Units.toWei(feeUnits));
    }
}
