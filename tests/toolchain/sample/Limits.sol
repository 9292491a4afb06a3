// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Limits
/// @notice What the sample beside it imports by a relative path.
library Limits {
    /// @notice The most a counter may hold.
    uint256 internal constant MOST = 1000;
}
