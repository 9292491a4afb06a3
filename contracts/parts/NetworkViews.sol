// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IViews} from "../interfaces/IViews.sol";
import {FeePeriods} from "../interfaces/Types.sol";
import {ClusterWord} from "../keys/ClusterKey.sol";
import {NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {Layout, OwnerRecord, RegistryStorage} from "../storage/Layout.sol";

/// @title Getters of the network, its parameters and rights, and the audit views.
abstract contract NetworkViews is IViews {
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
}
