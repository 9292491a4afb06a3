// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClusterDoesNotExist, ClusterIsLiquidated} from "../interfaces/Errors.sol";
import {IViews} from "../interfaces/IViews.sol";
import {Cluster, DeclaredFeeData, OperatorData} from "../interfaces/Types.sol";
import {ClusterKey, ClusterWord} from "../keys/ClusterKey.sol";
import {ValidatorKey, ValidatorWord} from "../keys/ValidatorKey.sol";
import {ClusterLedger} from "../ledger/ClusterLedger.sol";
import {NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {AllowLists} from "./AllowLists.sol";
import {FeeDeclaration, Layout, OperatorProfile} from "../storage/Layout.sol";

/// @title Getters of operators, validators, owners and clusters.
abstract contract Views is IViews {
    /// @dev What `getClusterAssetType` says of clusters that pay in ether.
    uint8 private constant ETHER = 1;

    // -------------------------------------------------------------------------------- operators

    /// @inheritdoc IViews
    function getOperatorById(uint64 operatorId) external view returns (OperatorData memory) {
        OperatorWord word = Layout.load().operators[operatorId];
        OperatorProfile storage profile = Layout.load().profiles[operatorId];
        return OperatorData({
            owner: profile.owner,
            fee: Units.toWei(word.fee()),
            validatorCount: uint32(word.validators()),
            whitelistedAddress: profile.whitelistingContract,
            isPrivate: word.isPrivate(),
            isActive: word.isLive()
        });
    }

    /// @inheritdoc IViews
    function getOperatorFee(uint64 operatorId) external view returns (uint256) {
        return Units.toWei(Layout.load().operators[operatorId].fee());
    }

    /// @inheritdoc IViews
    function getOperatorEarnings(uint64 id) external view returns (uint256) {
        return Units.toWei(_operator(id).credit());
    }

    /// @inheritdoc IViews
    function getOperatorDeclaredFee(uint64 operatorId)
        external
        view
        returns (DeclaredFeeData memory)
    {
        FeeDeclaration memory declaration = Layout.load().profiles[operatorId].declaration;
        return DeclaredFeeData({
            isFeeDeclared: declaration.end != 0,
            fee: Units.toWei(declaration.fee),
            approvalBeginTime: declaration.begin,
            approvalEndTime: declaration.end
        });
    }

    /// @inheritdoc IViews
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
        )
    {
        OperatorWord word = _operator(operatorId);
        blockNumber = uint32(word.blockNumber());
        fee = Units.toWei(word.fee());
        index = uint64(word.index());
        balance = Units.toWei(word.credit());
        effectiveBalance = uint32(word.effectiveBalance());
        validatorCount = uint32(word.validators());
    }

    /// @inheritdoc IViews
    function getWhitelistedOperators(uint64[] calldata operatorIds, address whitelistedAddress)
        external
        view
        returns (uint64[] memory whitelistedOperatorIds)
    {
        uint64[] memory found = new uint64[](operatorIds.length);
        AllowLists.Group memory group = AllowLists.none();
        uint256 count;
        for (uint256 i; i < operatorIds.length; ++i) {
            if (AllowLists.admits(group, whitelistedAddress, operatorIds[i])) {
                found[count++] = operatorIds[i];
            }
        }
        whitelistedOperatorIds = new uint64[](count);
        for (uint256 i; i < count; ++i) {
            whitelistedOperatorIds[i] = found[i];
        }
    }

    /// @inheritdoc IViews
    function isWhitelistingContract(address contractAddress) external view returns (bool) {
        return AllowLists.isAllowList(contractAddress);
    }

    /// @inheritdoc IViews
    function isAddressWhitelistedInWhitelistingContract(
        address addressToCheck,
        uint256 operatorId,
        address whitelistingContract
    ) external view returns (bool isWhitelisted) {
        return AllowLists.isAllowList(whitelistingContract)
            && AllowLists.answersYes(whitelistingContract, addressToCheck, operatorId);
    }

    // ------------------------------------------------------------------- validators and owners

    /// @inheritdoc IViews
    function getValidator(address clusterOwner, bytes calldata publicKey)
        external
        view
        returns (bool)
    {
        return Layout.load().validators[ValidatorKey.idOf(publicKey, clusterOwner)].exists();
    }

    /// @inheritdoc IViews
    function getValidatorRecord(address owner_, bytes calldata publicKey)
        external
        view
        returns (address, uint32 clusterSequence, uint16 effectiveBalance, uint40 lastProofSlot)
    {
        ValidatorWord word = Layout.load().validators[ValidatorKey.idOf(publicKey, owner_)];
        return (
            word.exists() ? owner_ : address(0),
            uint32(word.clusterSequence()),
            uint16(word.effectiveBalance()),
            uint40(word.lastProofSlot())
        );
    }

    /// @inheritdoc IViews
    function getOwnerNonce(address owner_) external view returns (uint32) {
        return Layout.load().owners[owner_].nonce;
    }

    /// @inheritdoc IViews
    function getFeeRecipient(address owner_) external view returns (address) {
        return Layout.load().owners[owner_].feeRecipient;
    }

    // --------------------------------------------------------------------------------- clusters

    /// @inheritdoc IViews
    function isLiquidatable(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (bool) {
        (Cluster memory settled, uint256 effectiveBalance, uint256 feeRate) =
            _settled(clusterOwner, operatorIds, cluster);
        return
            ClusterLedger.isLiquidatable(
                settled, effectiveBalance, feeRate, Layout.load().parameters
            );
    }

    /// @inheritdoc IViews
    function isLiquidated(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (bool) {
        _requireCurrent(clusterOwner, operatorIds, cluster);
        return !cluster.active;
    }

    /// @inheritdoc IViews
    function getBurnRate(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint256) {
        (, uint256 effectiveBalance, uint256 feeRate) = _settled(clusterOwner, operatorIds, cluster);
        return cluster.active ? ClusterLedger.burnRate(effectiveBalance, feeRate) : 0;
    }

    /// @inheritdoc IViews
    function getBalance(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint256 balance) {
        (Cluster memory settled,,) = _settled(clusterOwner, operatorIds, cluster);
        require(settled.active, ClusterIsLiquidated());
        return settled.balance;
    }

    /// @inheritdoc IViews
    function getEffectiveBalance(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external view returns (uint32 effectiveBalance) {
        ClusterWord word = _requireCurrent(clusterOwner, operatorIds, cluster);
        require(cluster.active, ClusterIsLiquidated());
        return uint32(word.effectiveBalance());
    }

    /// @inheritdoc IViews
    function getClusterAssetType(address owner_, uint64[] calldata operatorIds)
        external
        view
        returns (uint8)
    {
        bytes32 id = ClusterKey.idOf(owner_, operatorIds);
        require(Layout.load().clusters[id].exists(), ClusterDoesNotExist());
        return ETHER;
    }

    /// @inheritdoc IViews
    function getClusterId(address owner_, uint64[] calldata operatorIds)
        external
        pure
        returns (bytes32)
    {
        return ClusterKey.idOf(owner_, operatorIds);
    }

    /// @inheritdoc IViews
    function getClusterHash(bytes32 clusterId)
        external
        view
        returns (bytes32 hash, uint32 effectiveBalance, uint32 sequence)
    {
        ClusterWord word = Layout.load().clusters[clusterId];
        return
            (bytes32(word.commitment()), uint32(word.effectiveBalance()), uint32(word.sequence()));
    }

    /// @notice The operator's account at this block.
    function _operator(uint256 operatorId) private view returns (OperatorWord word) {
        word = Layout.load().operators[operatorId];
        if (word.isLive()) word = word.settle();
    }

    function _requireCurrent(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster memory cluster
    ) private view returns (ClusterWord word) {
        word = Layout.load().clusters[ClusterKey.idOf(clusterOwner, operatorIds)];
        word.requireCurrent(cluster);
    }

    /// @notice The cluster as a settlement at this block would leave it; a liquidated one as it is.
    /// @return settled Its struct.
    /// @return effectiveBalance In ETH.
    /// @return feeRate Fees of operators and network, in units per block and 32 ETH.
    function _settled(address clusterOwner, uint64[] calldata operatorIds, Cluster calldata cluster)
        private
        view
        returns (Cluster memory settled, uint256 effectiveBalance, uint256 feeRate)
    {
        settled = cluster;
        effectiveBalance = _requireCurrent(clusterOwner, operatorIds, settled).effectiveBalance();
        NetworkWord network = Layout.load().network.settle();
        feeRate = network.fee();
        uint256 index;
        for (uint256 i; i < operatorIds.length; ++i) {
            OperatorWord word = _operator(operatorIds[i]);
            feeRate += word.fee();
            index += word.index();
        }
        if (settled.active) {
            ClusterLedger.charge(settled, effectiveBalance, index, network.index());
        }
    }
}
