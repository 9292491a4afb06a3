// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "./Types.sol";

/// @title Validators: registration, removal, exit requests, fee recipients.
/// @notice `operatorIds` is always the cluster's whole set: 4, 7, 10 or 13 ids, strictly ascending.
/// `cluster` is the struct of the cluster's last event, or `(0, 0, 0, true, 0)` for a new one.
interface IValidators {
    /// @notice Registers a validator of the caller; ether sent joins the cluster's balance.
    /// @param publicKey BLS public key, 48 bytes.
    /// @param sharesData Signature of owner and nonce, share public keys, encrypted shares: 96 +
    /// 304 bytes per operator.
    /// @dev Warning: the registry cannot see whether shares decrypt or the nonce they were made for
    /// was right. Nodes ignore a registration that is wrong, and its fees are charged all the same.
    /// Warning: two owners may register one key; nodes act on the first whose shares the validator
    /// key signed.
    function registerValidator(
        bytes calldata publicKey,
        uint64[] calldata operatorIds,
        bytes calldata sharesData,
        Cluster calldata cluster
    ) external payable;

    /// @notice Registers several validators in one cluster; each uses up one owner nonce, in order.
    function bulkRegisterValidator(
        bytes[] calldata publicKeys,
        uint64[] calldata operatorIds,
        bytes[] calldata sharesData,
        Cluster calldata cluster
    ) external payable;

    /// @notice Removes a validator of the caller; fees end with this block.
    /// @dev Warning: does not exit it from the beacon chain. Nobody signs its duties any more.
    function removeValidator(
        bytes calldata publicKey,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external;

    /// @notice Removes several validators of one cluster.
    function bulkRemoveValidator(
        bytes[] calldata publicKeys,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external;

    /// @notice Asks the operators to sign the validator's voluntary exit. Changes no state and may
    /// be repeated.
    function exitValidator(bytes calldata publicKey, uint64[] calldata operatorIds) external;

    /// @notice Asks the operators to sign several voluntary exits.
    function bulkExitValidator(bytes[] calldata publicKeys, uint64[] calldata operatorIds) external;

    /// @notice Sets where the caller's validators send execution rewards.
    function setFeeRecipientAddress(address recipientAddress) external;
}
