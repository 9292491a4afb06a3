// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClusterAlreadyEnabled,
    ClusterIsLiquidated,
    DepositTooSmall,
    InsufficientBalance,
    TooFewOperators
} from "../interfaces/Errors.sol";
import {IClusters} from "../interfaces/IClusters.sol";
import {Cluster} from "../interfaces/Types.sol";
import {OperatorSet} from "../keys/OperatorSet.sol";
import {ClusterLedger} from "../ledger/ClusterLedger.sol";
import {NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {Layout, RegistryStorage} from "../storage/Layout.sol";
import {Accounts, OpenCluster} from "./Accounts.sol";
import {ClusterLogs} from "./ClusterLogs.sol";

/// @title Funds, liquidates and reactivates clusters.
abstract contract Clusters is Accounts, IClusters {
    /// @inheritdoc IClusters
    function deposit(address clusterOwner, uint64[] calldata operatorIds, Cluster calldata cluster)
        external
        payable
    {
        OpenCluster memory open = _open(clusterOwner, operatorIds, cluster);
        if (msg.sender != clusterOwner) {
            require(
                msg.value >= Units.toWei(Layout.load().parameters.minimumCollateral),
                DepositTooSmall()
            );
        }
        open.cluster.balance += msg.value;
        _store(open);
        ClusterLogs.emitValue(
            ClusterDeposited.selector, clusterOwner, operatorIds, msg.value, open.cluster
        );
    }

    /// @inheritdoc IClusters
    function withdraw(uint64[] calldata operatorIds, uint256 amount, Cluster calldata cluster)
        external
        nonReentrant
    {
        OpenCluster memory open = _open(msg.sender, operatorIds, cluster);
        if (open.cluster.active) _settleClusterOnly(open, operatorIds);
        require(amount <= open.cluster.balance, InsufficientBalance());
        open.cluster.balance -= amount;
        require(!_isLiquidatable(open), InsufficientBalance());
        _store(open);
        ClusterLogs.emitValue(
            ClusterWithdrawn.selector, msg.sender, operatorIds, amount, open.cluster
        );
        _pay(amount);
    }

    /// @inheritdoc IClusters
    function liquidate(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external nonReentrant {
        OpenCluster memory open = _open(clusterOwner, operatorIds, cluster);
        require(open.cluster.active, ClusterIsLiquidated());
        _pay(_liquidate(open, operatorIds));
    }

    /// @inheritdoc IClusters
    function reactivate(uint64[] calldata operatorIds, Cluster calldata cluster) external payable {
        OpenCluster memory open = _open(msg.sender, operatorIds, cluster);
        require(!open.cluster.active, ClusterAlreadyEnabled());
        _settle(
            open,
            operatorIds,
            int256(uint256(open.cluster.validatorCount)),
            int256(open.effectiveBalance),
            address(0)
        );
        uint256 quorum = OperatorSet.quorum(operatorIds.length);
        require(open.liveOperators >= quorum, TooFewOperators(open.liveOperators, quorum));
        open.cluster.active = true;
        open.cluster.balance += msg.value;
        require(!_isLiquidatable(open), InsufficientBalance());
        _store(open);
        ClusterLogs.emitStatus(ClusterReactivated.selector, msg.sender, operatorIds, open.cluster);
    }

    /// @notice Settles the cluster alone: operators and network are read and not written.
    /// @dev A shortfall needs no booking here. It leaves a balance of zero, below the minimum
    /// collateral, which is at least one unit: with validators the call reverts, and without there
    /// is no effective balance and nothing was used.
    function _settleClusterOnly(OpenCluster memory open, uint64[] calldata operatorIds)
        private
        view
    {
        RegistryStorage storage $ = Layout.load();
        uint256 index;
        for (uint256 i; i < operatorIds.length; ++i) {
            OperatorWord word = $.operators[operatorIds[i]];
            if (word.isLive()) {
                word = word.settle();
                open.feeRate += word.fee();
            }
            index += word.index();
        }
        NetworkWord network = $.network.settle();
        open.feeRate += network.fee();
        ClusterLedger.charge(open.cluster, open.effectiveBalance, index, network.index());
    }
}
