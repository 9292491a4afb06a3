// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistryEvents} from "../interfaces/Events.sol";
import {Cluster} from "../interfaces/Types.sol";

/// @title The cluster logs without assembly: what the fast ones are compared with.
/// @dev For tests only. Every log is the compiler's own encoding of the declared event.
library PlainClusterLogs {
    function deposited(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) internal {
        emit IRegistryEvents.ClusterDeposited(owner, operatorIds, value, cluster);
    }

    function withdrawn(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) internal {
        emit IRegistryEvents.ClusterWithdrawn(owner, operatorIds, value, cluster);
    }

    function liquidated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        internal
    {
        emit IRegistryEvents.ClusterLiquidated(owner, operatorIds, cluster);
    }

    function reactivated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        internal
    {
        emit IRegistryEvents.ClusterReactivated(owner, operatorIds, cluster);
    }

    function added(
        uint64[] calldata operatorIds,
        bytes calldata publicKey,
        bytes calldata shares,
        Cluster memory cluster
    ) internal {
        emit IRegistryEvents.ValidatorAdded(msg.sender, operatorIds, publicKey, shares, cluster);
    }

    function removed(
        uint64[] calldata operatorIds,
        bytes calldata publicKey,
        Cluster memory cluster
    ) internal {
        emit IRegistryEvents.ValidatorRemoved(msg.sender, operatorIds, publicKey, cluster);
    }

    function exited(uint64[] calldata operatorIds, bytes calldata publicKey) internal {
        emit IRegistryEvents.ValidatorExited(msg.sender, operatorIds, publicKey);
    }
}
