// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClusterDoesNotExist, ClusterIsLiquidated} from "../interfaces/Errors.sol";
import {IViews} from "../interfaces/IViews.sol";
import {Cluster, DeclaredFeeData, FeePeriods, OperatorData} from "../interfaces/Types.sol";
import {ClusterKey, ClusterWord} from "../keys/ClusterKey.sol";
import {ValidatorKey, ValidatorWord} from "../keys/ValidatorKey.sol";
import {ClusterLedger} from "../ledger/ClusterLedger.sol";
import {NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {AllowLists} from "./AllowLists.sol";
import {
    FeeDeclaration,
    Layout,
    OperatorProfile,
    OwnerRecord,
    RegistryStorage
} from "../storage/Layout.sol";

/// @title The registry's getters.
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

    // ------------------------------------------------------------------ network and parameters

    /// @inheritdoc IViews
    function getNetworkFee() external view returns (uint256) {
        return Units.toWei(Layout.load().network.fee());
    }

    /// @inheritdoc IViews
    function getNetworkEarnings() external view returns (uint256) {
        return Units.toWei(Layout.load().network.settle().earnings());
    }

    /// @inheritdoc IViews
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
        )
    {
        NetworkWord network = Layout.load().network.settle();
        uint256 eth = network.effectiveBalance();
        blockNumber = uint32(network.blockNumber());
        fee = Units.toWei(network.fee());
        index = uint64(network.index());
        balance = Units.toWei(network.earnings());
        effectiveBalance = eth > type(uint32).max ? type(uint32).max : uint32(eth);
        validatorCount = uint32(network.validators());
        uncoveredDebt = Units.toWei(network.debt());
    }

    /// @inheritdoc IViews
    function getOperatorFeeIncreaseLimit() external view returns (uint64) {
        return Layout.load().parameters.feeIncreaseLimit;
    }

    /// @inheritdoc IViews
    function getMaximumOperatorFee() external view returns (uint256) {
        return Units.toWei(Layout.load().parameters.maximumOperatorFee);
    }

    /// @inheritdoc IViews
    function getMinimumOperatorEthFee() external view returns (uint256) {
        return Units.toWei(Layout.load().parameters.minimumOperatorFee);
    }

    /// @inheritdoc IViews
    function getOperatorFeePeriods() external view returns (FeePeriods memory) {
        return FeePeriods({
            declarePeriod: Layout.load().parameters.declarePeriod,
            executePeriod: Layout.load().parameters.executePeriod
        });
    }

    /// @inheritdoc IViews
    function getLiquidationThresholdPeriod() external view returns (uint64) {
        return Layout.load().parameters.liquidationPeriod;
    }

    /// @inheritdoc IViews
    function getMinimumLiquidationCollateral() external view returns (uint256) {
        return Units.toWei(Layout.load().parameters.minimumCollateral);
    }

    /// @inheritdoc IViews
    function getValidatorsPerOperatorLimit() external view returns (uint32) {
        return Layout.load().parameters.validatorsPerOperatorLimit;
    }

    /// @inheritdoc IViews
    function getNetworkValidatorsCount() external view returns (uint32) {
        return uint32(Layout.load().network.validators());
    }

    /// @inheritdoc IViews
    function getVersion() external pure returns (string memory version) {
        return "v2.0.0";
    }

    /// @inheritdoc IViews
    function owner() external view returns (address) {
        return Layout.load().rights.owner;
    }

    /// @inheritdoc IViews
    function pendingOwner() external view returns (address) {
        return Layout.load().rights.pendingOwner;
    }

    /// @inheritdoc IViews
    function ssvNetwork() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IViews
    function getBeaconVerifier() external view returns (address verifier, bool frozen) {
        return (Layout.load().rights.beaconVerifier, Layout.load().rights.verifierFrozen);
    }

    /// @inheritdoc IViews
    function getUpgradesRenounced() external view returns (bool) {
        return Layout.load().rights.upgradesRenounced;
    }

    // -------------------------------------------------------------------------------- audit views

    /// @inheritdoc IViews
    function getRegistryCounters()
        external
        view
        returns (
            uint64 lastOperatorId,
            uint32 clustersCreated,
            uint32 validatorCount,
            uint32 blockNumber
        )
    {
        RegistryStorage storage $ = Layout.load();
        return (
            $.counters.lastOperatorId,
            $.counters.clustersCreated,
            uint32($.network.validators()),
            uint32(block.number)
        );
    }

    /// @inheritdoc IViews
    function getClusterWords(bytes32[] calldata clusterIds)
        external
        view
        returns (bytes32[] memory words)
    {
        words = new bytes32[](clusterIds.length);
        for (uint256 i; i < clusterIds.length; ++i) {
            words[i] = bytes32(ClusterWord.unwrap(Layout.load().clusters[clusterIds[i]]));
        }
    }

    /// @inheritdoc IViews
    function getOperatorWords(uint64 fromId, uint64 toId)
        external
        view
        returns (bytes32[] memory words)
    {
        uint64 last = Layout.load().counters.lastOperatorId;
        if (toId > last) toId = last;
        if (fromId > toId) return words;
        words = new bytes32[](uint256(toId) - fromId + 1);
        for (uint256 i; i < words.length; ++i) {
            words[i] = bytes32(OperatorWord.unwrap(Layout.load().operators[fromId + i]));
        }
    }

    /// @inheritdoc IViews
    function getOwnerWords(address[] calldata owners)
        external
        view
        returns (bytes32[] memory words)
    {
        words = new bytes32[](owners.length);
        for (uint256 i; i < owners.length; ++i) {
            OwnerRecord memory record = Layout.load().owners[owners[i]];
            words[i] = bytes32(record.nonce | (uint256(uint160(record.feeRecipient)) << 32));
        }
    }

    /// @inheritdoc IViews
    function getNetworkWord() external view returns (bytes32) {
        return bytes32(NetworkWord.unwrap(Layout.load().network));
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
