// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFeeCeiling} from "../interfaces/IFeeCeiling.sol";
import {Units} from "../ledger/Units.sol";
import {Layout} from "../storage/Layout.sol";
import {Fees} from "./Fees.sol";
import {Owned} from "./Owned.sol";

/// @title The highest fee operators may ask for.
/// @dev The one parameter that the core itself can set: the second hop to the other ones would cost
/// more than this setter may (docs/benchmarks.md).
abstract contract FeeCeiling is Owned, IFeeCeiling {
    /// @inheritdoc IFeeCeiling
    function updateMaximumOperatorFee(uint256 maxFee) external onlyOwner {
        uint256 current = Layout.load().parameters.maximumOperatorFee;
        Fees.setMaximum(maxFee);
        _requireStep(current, Units.packDown(maxFee));
    }
}
