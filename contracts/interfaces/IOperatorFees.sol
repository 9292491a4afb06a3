// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How an operator changes its fee.
/// @notice For the operator's owner alone: `CallerNotOwnerWithData` for others,
/// `OperatorDoesNotExist` if it was never registered or is removed.
interface IOperatorFees {
    /// @notice Announces a new fee, to be executed inside a window of time; replaces an older
    /// announcement.
    /// @param fee In wei per block and 32 ETH; at most the fee increase limit above the current
    /// one.
    function declareOperatorFee(uint64 operatorId, uint256 fee) external;

    /// @notice Makes the announced fee the current one. The old fee holds up to and including this
    /// block.
    function executeOperatorFee(uint64 operatorId) external;

    /// @notice Takes an announcement back.
    function cancelDeclaredOperatorFee(uint64 operatorId) external;

    /// @notice Lowers the fee at once and drops an announcement.
    /// @param fee In wei per block and 32 ETH.
    function reduceOperatorFee(uint64 operatorId, uint256 fee) external;
}
