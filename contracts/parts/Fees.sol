// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    FeeTooHigh,
    FeeTooLow,
    InvalidOperatorFeeRange,
    MaxValueExceeded
} from "../interfaces/Errors.sol";
import {IRegistryEvents} from "../interfaces/Events.sol";
import {MAX_FEE_UNITS, Units} from "../ledger/Units.sol";
import {Layout, Parameters} from "../storage/Layout.sol";

/// @title The bounds of the fees operators ask for.
library Fees {
    /// @param fee In wei per block and 32 ETH; 0 is always allowed.
    function requireAllowed(Parameters storage parameters, uint256 fee) internal view {
        requireNotTooLow(parameters, fee);
        require(fee <= Units.toWei(parameters.maximumOperatorFee), FeeTooHigh());
    }

    /// @param fee In wei per block and 32 ETH; 0 is always allowed.
    function requireNotTooLow(Parameters storage parameters, uint256 fee) internal view {
        require(fee == 0 || fee >= Units.toWei(parameters.minimumOperatorFee), FeeTooLow());
    }

    /// @notice Sets the highest fee an operator may ask for.
    /// @param maxFee In wei per block and 32 ETH.
    function setMaximum(uint256 maxFee) internal {
        Parameters storage parameters = Layout.load().parameters;
        uint256 units = Units.packExact(maxFee);
        require(units <= MAX_FEE_UNITS, MaxValueExceeded());
        require(units >= parameters.minimumOperatorFee, InvalidOperatorFeeRange());
        // Below 2^30.
        // forge-lint: disable-next-line(unsafe-typecast)
        parameters.maximumOperatorFee = uint32(units);
        emit IRegistryEvents.OperatorMaximumFeeUpdated(maxFee);
    }
}
