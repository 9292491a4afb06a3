// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What an external whitelisting contract implements, besides ERC-165 for this interface.
interface IAllowList {
    /// @notice Whether `account` may register validators with the operator.
    /// @dev Called with 100,000 gas and without the right to change state. A revert, or an answer
    /// that is not one word, counts as no.
    function isWhitelisted(address account, uint256 operatorId) external view returns (bool);
}
