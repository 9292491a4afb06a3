// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who may register validators with a private operator.
/// @notice Asked only when a validator is registered: exit, removal, deposit, reactivation and
/// validators already there are never affected. Functions are for the owner of every operator
/// named.
interface IOperatorAccess {
    /// @notice Lets every address use every operator.
    /// @param operatorIds Strictly ascending.
    /// @param whitelistAddresses No whitelisting contracts: `AddressIsWhitelistingContract`.
    function setOperatorsWhitelists(
        uint64[] calldata operatorIds,
        address[] calldata whitelistAddresses
    ) external;

    /// @notice Takes every address off every operator's list.
    /// @param operatorIds Strictly ascending.
    function removeOperatorsWhitelists(
        uint64[] calldata operatorIds,
        address[] calldata whitelistAddresses
    ) external;

    /// @notice Asks a contract, besides the list, whom these operators accept.
    /// @param whitelistingContract Supports `IAllowList` by ERC-165.
    /// @dev Warning: the contract can change its answers at any time.
    function setOperatorsWhitelistingContract(
        uint64[] calldata operatorIds,
        address whitelistingContract
    ) external;

    /// @notice Asks no contract any more.
    function removeOperatorsWhitelistingContract(uint64[] calldata operatorIds) external;

    /// @notice From now on only allowed owners register validators with these operators.
    /// @dev Warning: nothing checks that anybody is allowed.
    function setOperatorsPrivateUnchecked(uint64[] calldata operatorIds) external;

    /// @notice From now on everybody may register validators with these operators.
    function setOperatorsPublicUnchecked(uint64[] calldata operatorIds) external;
}
