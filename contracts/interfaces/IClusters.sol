// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "./Types.sol";

/// @title Clusters: balance, liquidation, reactivation.
/// @notice A cluster is one owner's validators on one set of operators. It pays its operators and
/// the network per block from its balance. `cluster` is the struct of its last event:
/// `ClusterDoesNotExist` for an unknown cluster, `IncorrectClusterState` for another struct.
interface IClusters {
    /// @notice Adds the ether sent to the cluster's balance. Does not reactivate it.
    /// @dev A stranger must send at least the minimum collateral (`DepositTooSmall`), because a
    /// deposit changes the struct and voids what the owner has sent but not yet seen mined.
    function deposit(address clusterOwner, uint64[] calldata operatorIds, Cluster calldata cluster)
        external
        payable;

    /// @notice Pays from the balance to the owner, who is the caller.
    /// @param amount In wei. With validators, enough must stay that nobody may liquidate.
    function withdraw(uint64[] calldata operatorIds, uint256 amount, Cluster calldata cluster)
        external;

    /// @notice Ends the operators' work for a cluster that cannot pay, or for the caller's own.
    /// @dev A stranger is paid min(balance, max(2 x minimum collateral, 300,000 x base fee)) and
    /// the rest stays the owner's; the owner is paid everything.
    function liquidate(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external;

    /// @notice Ends a liquidation of the caller's cluster; ether sent joins the balance.
    /// @dev Warning: whitelists are not asked again. Refused with fewer live operators than a
    /// quorum (`TooFewOperators`).
    function reactivate(uint64[] calldata operatorIds, Cluster calldata cluster) external payable;
}
