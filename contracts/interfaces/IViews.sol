// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster, DeclaredFeeData, FeePeriods, OperatorData} from "./Types.sol";

/// @title What anyone may read. Amounts are wei, as a transaction in the same block would settle;
/// indexes are fee units, and the audit views at the end answer words as they are stored.
interface IViews {
    /// @notice Whether this owner has registered the key.
    function getValidator(address clusterOwner, bytes calldata publicKey)
        external
        view
        returns (bool);
    function getOperatorFee(uint64 operatorId) external view returns (uint256);
    function getOperatorDeclaredFee(uint64 operatorId)
        external
        view
        returns (DeclaredFeeData memory);
    function getOperatorById(uint64 operatorId) external view returns (OperatorData memory);
    /// @notice Those of the operators, ids strictly ascending, that the address is listed for or
    /// whose contract allows it.
    function getWhitelistedOperators(uint64[] calldata operatorIds, address whitelistedAddress)
        external
        view
        returns (uint64[] memory whitelistedOperatorIds);
    function isWhitelistingContract(address contractAddress) external view returns (bool);
    function isAddressWhitelistedInWhitelistingContract(
        address addressToCheck,
        uint256 operatorId,
        address whitelistingContract
    ) external view returns (bool isWhitelisted);

    /// @notice Whether anyone may liquidate the cluster now; false if it is liquidated.
    function isLiquidatable(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (bool);
    function isLiquidated(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (bool);
    /// @notice Wei per block; 0 for a liquidated cluster.
    function getBurnRate(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint256);
    function getOperatorEarnings(uint64 id) external view returns (uint256);
    function getBalance(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint256 balance);
    /// @notice In ETH.
    function getEffectiveBalance(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint32 effectiveBalance);

    function getNetworkFee() external view returns (uint256);
    function getNetworkEarnings() external view returns (uint256);
    function getOperatorFeeIncreaseLimit() external view returns (uint64);
    function getMaximumOperatorFee() external view returns (uint256);
    function getMinimumOperatorEthFee() external view returns (uint256);
    function getOperatorFeePeriods() external view returns (FeePeriods memory);
    function getLiquidationThresholdPeriod() external view returns (uint64);
    function getMinimumLiquidationCollateral() external view returns (uint256);
    function getValidatorsPerOperatorLimit() external view returns (uint32);
    function getNetworkValidatorsCount() external view returns (uint32);
    function getVersion() external pure returns (string memory version);
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    /// @notice The registry's own address.
    function ssvNetwork() external view returns (address);
    /// @notice 1, for ether, if the cluster exists.
    function getClusterAssetType(address owner, uint64[] calldata operatorIds)
        external
        view
        returns (uint8);

    // Ours: what spares a client the history.

    /// @notice Number of validators the owner ever registered, which is the nonce of its next one.
    function getOwnerNonce(address owner) external view returns (uint32);
    /// @notice Zero until set; nodes then use the owner's address.
    function getFeeRecipient(address owner) external view returns (address);
    function getClusterId(address owner, uint64[] calldata operatorIds)
        external
        pure
        returns (bytes32);
    /// @notice First 192 bits of the commitment, effective balance in ETH, sequence number; all
    /// zero for an unknown cluster.
    function getClusterHash(bytes32 clusterId)
        external
        view
        returns (bytes32 hash, uint32 effectiveBalance, uint32 sequence);
    /// @notice All zero if this owner has not registered the key.
    function getValidatorRecord(address owner, bytes calldata publicKey)
        external
        view
        returns (address, uint32 clusterSequence, uint16 effectiveBalance, uint40 lastProofSlot);
    /// @notice The operator's account settled at this block; a removed one's is frozen.
    function getOperatorAccounting(uint64 operatorId)
        external
        view
        returns (
            uint32 blockNumber,
            uint256 fee,
            uint64 index,
            uint256 balance,
            uint32 effectiveBalance,
            uint32 validatorCount
        );
    /// @notice The network's account settled at this block. An effective balance of 2^32 ETH or
    /// more reads 2^32 - 1.
    function getNetworkAccounting()
        external
        view
        returns (
            uint32 blockNumber,
            uint256 fee,
            uint64 index,
            uint256 balance,
            uint32 effectiveBalance,
            uint32 validatorCount,
            uint256 uncoveredDebt
        );
    function getBeaconVerifier() external view returns (address verifier, bool frozen);
    function getUpgradesRenounced() external view returns (bool);

    // Audit views: a follower whose counts equal the counters, and whose every word matches, has
    // missed nothing that matters. Words are laid out as docs/contracts.md says.

    function getRegistryCounters()
        external
        view
        returns (
            uint64 lastOperatorId,
            uint32 clustersCreated,
            uint32 validatorCount,
            uint32 blockNumber
        );
    function getClusterWords(bytes32[] calldata clusterIds)
        external
        view
        returns (bytes32[] memory words);
    /// @notice Words of the operators from `fromId` to `toId`, both included.
    function getOperatorWords(uint64 fromId, uint64 toId)
        external
        view
        returns (bytes32[] memory words);
    /// @notice Owner nonce and fee recipient of each owner.
    function getOwnerWords(address[] calldata owners) external view returns (bytes32[] memory words);
    function getNetworkWord() external view returns (bytes32);
}
