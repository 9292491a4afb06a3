// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistryEvents} from "../../contracts/interfaces/Events.sol";
import {Cluster} from "../../contracts/interfaces/Types.sol";
import {PlainClusterLogs} from "../../contracts/mocks/PlainClusterLogs.sol";
import {ClusterLogs, LogTemplate} from "../../contracts/parts/ClusterLogs.sol";
import {Memory} from "./Memory.sol";

/// @title What both twins can be asked to emit.
interface ILogEmitter {
    function deposited(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster calldata cluster
    ) external;

    function withdrawn(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster calldata cluster
    ) external;

    function liquidated(address owner, uint64[] calldata operatorIds, Cluster calldata cluster)
        external;

    function reactivated(address owner, uint64[] calldata operatorIds, Cluster calldata cluster)
        external;

    function added(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        bytes[] calldata shares,
        Cluster calldata cluster
    ) external;

    function removed(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        Cluster calldata cluster
    ) external;

    function exited(uint64[] calldata operatorIds, bytes[] calldata publicKeys) external;
}

/// @title Logs as the registry writes them, from soiled memory and with a guard behind templates.
contract FastEmitter is ILogEmitter {
    function deposited(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) external {
        Memory.soil();
        ClusterLogs.emitValue(
            IRegistryEvents.ClusterDeposited.selector, owner, operatorIds, value, cluster
        );
    }

    function withdrawn(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) external {
        Memory.soil();
        ClusterLogs.emitValue(
            IRegistryEvents.ClusterWithdrawn.selector, owner, operatorIds, value, cluster
        );
    }

    function liquidated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        external
    {
        Memory.soil();
        ClusterLogs.emitStatus(
            IRegistryEvents.ClusterLiquidated.selector, owner, operatorIds, cluster
        );
    }

    function reactivated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        external
    {
        Memory.soil();
        ClusterLogs.emitStatus(
            IRegistryEvents.ClusterReactivated.selector, owner, operatorIds, cluster
        );
    }

    function added(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        bytes[] calldata shares,
        Cluster memory cluster
    ) external {
        Memory.soil();
        LogTemplate template = ClusterLogs.added(operatorIds, cluster);
        uint256[] memory guard = Memory.guard();
        for (uint256 i; i < publicKeys.length; ++i) {
            template.emitAdded(publicKeys[i], shares[i]);
        }
        Memory.requireIntact(guard);
    }

    function removed(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        Cluster memory cluster
    ) external {
        Memory.soil();
        LogTemplate template = ClusterLogs.removed(operatorIds, cluster);
        uint256[] memory guard = Memory.guard();
        for (uint256 i; i < publicKeys.length; ++i) {
            template.emitKey(IRegistryEvents.ValidatorRemoved.selector, publicKeys[i]);
        }
        Memory.requireIntact(guard);
    }

    function exited(uint64[] calldata operatorIds, bytes[] calldata publicKeys) external {
        Memory.soil();
        LogTemplate template = ClusterLogs.exited(operatorIds);
        uint256[] memory guard = Memory.guard();
        for (uint256 i; i < publicKeys.length; ++i) {
            template.emitKey(IRegistryEvents.ValidatorExited.selector, publicKeys[i]);
        }
        Memory.requireIntact(guard);
    }
}

/// @title The same logs as the compiler writes them.
contract PlainEmitter is ILogEmitter {
    function deposited(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) external {
        PlainClusterLogs.deposited(owner, operatorIds, value, cluster);
    }

    function withdrawn(
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) external {
        PlainClusterLogs.withdrawn(owner, operatorIds, value, cluster);
    }

    function liquidated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        external
    {
        PlainClusterLogs.liquidated(owner, operatorIds, cluster);
    }

    function reactivated(address owner, uint64[] calldata operatorIds, Cluster memory cluster)
        external
    {
        PlainClusterLogs.reactivated(owner, operatorIds, cluster);
    }

    function added(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        bytes[] calldata shares,
        Cluster memory cluster
    ) external {
        for (uint256 i; i < publicKeys.length; ++i) {
            PlainClusterLogs.added(operatorIds, publicKeys[i], shares[i], cluster);
        }
    }

    function removed(
        uint64[] calldata operatorIds,
        bytes[] calldata publicKeys,
        Cluster memory cluster
    ) external {
        for (uint256 i; i < publicKeys.length; ++i) {
            PlainClusterLogs.removed(operatorIds, publicKeys[i], cluster);
        }
    }

    function exited(uint64[] calldata operatorIds, bytes[] calldata publicKeys) external {
        for (uint256 i; i < publicKeys.length; ++i) {
            PlainClusterLogs.exited(operatorIds, publicKeys[i]);
        }
    }
}
