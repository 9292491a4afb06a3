// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Operators: registration, removal, earnings.
/// @notice Functions on an existing operator are for its owner alone: `CallerNotOwnerWithData` for
/// others, `OperatorDoesNotExist` if it was never registered or is removed.
interface IOperators {
    /// @notice Registers an operator; the caller becomes its owner. Ids start at 1 and are never
    /// reused.
    /// @param publicKey ABI encoding of one string: the base64 text of the RSA public key's PEM.
    /// @param fee In wei per block and 32 ETH of effective balance: 0, or between the minimum and
    /// the maximum, in multiples of 100,000 wei.
    /// @param setPrivate True to start with nobody allowed but the whitelist, which is empty.
    /// @dev Warning: a fee of zero is final, because an operator at zero cannot raise it. A key is
    /// unique per owner only: nodes bind to an operator by its id.
    function registerOperator(bytes calldata publicKey, uint256 fee, bool setPrivate)
        external
        returns (uint64 id);

    /// @notice Removes the operator for ever and pays out its earnings.
    /// @dev Warning: its validators stay registered with one operator less, and this owner cannot
    /// register the same key again.
    function removeOperator(uint64 operatorId) external;

    /// @notice Pays earnings to the operator's owner.
    /// @param amount In wei, a multiple of 100,000; 0 means everything.
    function withdrawOperatorEarnings(uint64 operatorId, uint256 amount) external;

    /// @notice Pays all earnings to the operator's owner.
    function withdrawAllOperatorEarnings(uint64 operatorId) external;

    /// @notice The same; clients of the compatibility target call it.
    function withdrawAllVersionOperatorEarnings(uint64 operatorId) external;
}
