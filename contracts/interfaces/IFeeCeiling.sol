// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The highest fee operators may ask for. For the owner: `CallerNotOwner` for others.
interface IFeeCeiling {
    /// @param maxFee In wei per block and 32 ETH; not below the minimum
    /// (`InvalidOperatorFeeRange`). Existing operators keep their fee.
    function updateMaximumOperatorFee(uint256 maxFee) external;
}
