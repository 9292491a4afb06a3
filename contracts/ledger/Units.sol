// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MaxPrecisionExceeded} from "../interfaces/Errors.sol";

/// @dev Wei in one fee unit. Fees and stored credits are whole units.
uint256 constant FEE_UNIT = 100_000;
/// @dev ETH of effective balance that fees are quoted for, and a validator's until proven
/// otherwise.
uint256 constant BASELINE_ETH = 32;
/// @dev ETH of effective balance a validator can have at most.
uint256 constant MAX_EFFECTIVE_BALANCE_ETH = 2048;
/// @dev Highest fee, in units per block. With 13 operators and the network, sums of fees over 2^30
/// blocks stay below 2^64.
uint256 constant MAX_FEE_UNITS = 2 ** 30 - 1;

/// @title Amounts in wei and in fee units; the rounding is in the name.
library Units {
    /// @notice The amount in units; `MaxPrecisionExceeded` unless it is a whole number of them.
    function packExact(uint256 amountWei) internal pure returns (uint256) {
        require(amountWei % FEE_UNIT == 0, MaxPrecisionExceeded());
        return amountWei / FEE_UNIT;
    }

    function packDown(uint256 amountWei) internal pure returns (uint256) {
        return amountWei / FEE_UNIT;
    }

    /// @dev `units` is at most 2^108 wherever this is called: 14 fees, 2^32 blocks, 2^32 ETH.
    function toWei(uint256 units) internal pure returns (uint256) {
        unchecked {
            return units * FEE_UNIT;
        }
    }

    /// @notice An amount quoted for 32 ETH, for this effective balance, rounded up: what is owed.
    /// @dev Bounds as above.
    function scaleUp(uint256 unitsPerBaseline, uint256 effectiveBalance)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return (unitsPerBaseline * effectiveBalance + BASELINE_ETH - 1) / BASELINE_ETH;
        }
    }

    /// @notice The same rounded down: what is earned.
    function scaleDown(uint256 unitsPerBaseline, uint256 effectiveBalance)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return (unitsPerBaseline * effectiveBalance) / BASELINE_ETH;
        }
    }
}
