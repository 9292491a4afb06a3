// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Twin: mocks/PlainClusterLogs.sol; compared by tests/forge/ClusterLogs.t.sol.
// solhint-disable no-inline-assembly

import {IRegistryEvents} from "../interfaces/Events.sol";
import {Cluster} from "../interfaces/Types.sol";

/// @dev Where in memory the data of a log begins that is emitted once per validator.
type LogTemplate is uint256;

using ClusterLogs for LogTemplate global;

/// @title Writes the logs that carry operator ids, and keys or a cluster.
/// @dev Assembly, because the compiler's encoding costs up to a tenth of a call: it checks every id
/// again, and encodes a bulk call's ids and cluster once per validator. Here ids, keys and shares
/// are copied as they came, and only key and shares are replaced between the logs of a bulk call.
/// Sound because every caller has found a record or cluster under a hash of the very same bytes, or
/// has read each id with its check. Twin: `mocks/PlainClusterLogs`; a differential test compares.
library ClusterLogs {
    // Every data part is laid out as: head (one word per argument, five for the cluster), then
    // operator ids, then the public key, then the shares. An offset in the head counts from its
    // start. A public key takes 3 words: its length and 48 bytes in two words.

    /// @notice Emits ClusterDeposited or ClusterWithdrawn: (operatorIds, value, cluster).
    function emitValue(
        bytes32 topic,
        address owner,
        uint64[] calldata operatorIds,
        uint256 value,
        Cluster memory cluster
    ) internal {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, 0xe0)
            mstore(add(data, 0x20), value)
            mcopy(add(data, 0x40), cluster, 0xa0)
            let size := shl(5, operatorIds.length)
            mstore(add(data, 0xe0), operatorIds.length)
            calldatacopy(add(data, 0x100), operatorIds.offset, size)
            log2(data, add(0x100, size), topic, owner)
        }
    }

    /// @notice Emits ClusterLiquidated or ClusterReactivated: (operatorIds, cluster).
    function emitStatus(
        bytes32 topic,
        address owner,
        uint64[] calldata operatorIds,
        Cluster memory cluster
    ) internal {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, 0xc0)
            mcopy(add(data, 0x20), cluster, 0xa0)
            let size := shl(5, operatorIds.length)
            mstore(add(data, 0xc0), operatorIds.length)
            calldatacopy(add(data, 0xe0), operatorIds.offset, size)
            log2(data, add(0xe0, size), topic, owner)
        }
    }

    /// @notice Prepares ValidatorAdded: (operatorIds, publicKey, shares, cluster).
    function added(uint64[] calldata operatorIds, Cluster memory cluster)
        internal
        pure
        returns (LogTemplate template)
    {
        assembly ("memory-safe") {
            template := mload(0x40)
            let size := shl(5, operatorIds.length)
            let key := add(0x120, size)
            mstore(template, 0x100)
            mstore(add(template, 0x20), key)
            mstore(add(template, 0x40), add(key, 0x60))
            mcopy(add(template, 0x60), cluster, 0xa0)
            mstore(add(template, 0x100), operatorIds.length)
            calldatacopy(add(template, 0x120), operatorIds.offset, size)
            mstore(add(template, key), 48)
            mstore(add(template, add(key, 0x40)), 0)
            // Shares: 96 + 304 bytes per operator, in whole words, and their length.
            let shares := and(add(add(96, mul(304, operatorIds.length)), 31), not(31))
            mstore(0x40, add(template, add(add(key, 0x80), shares)))
        }
    }

    /// @param publicKey 48 bytes.
    /// @param shares 96 + 304 bytes per operator.
    function emitAdded(LogTemplate template, bytes calldata publicKey, bytes calldata shares)
        internal
    {
        bytes32 topic = IRegistryEvents.ValidatorAdded.selector;
        assembly ("memory-safe") {
            let key := add(template, mload(add(template, 0x20)))
            calldatacopy(add(key, 0x20), publicKey.offset, 48)
            let data := add(key, 0x80)
            let size := and(add(shares.length, 31), not(31))
            mstore(add(key, 0x60), shares.length)
            // Zero after the shares' last bytes; not when they fill their last word.
            if lt(shares.length, size) { mstore(sub(add(data, size), 0x20), 0) }
            calldatacopy(data, shares.offset, shares.length)
            log2(template, sub(add(data, size), template), topic, caller())
        }
    }

    /// @notice Prepares ValidatorRemoved: (operatorIds, publicKey, cluster).
    function removed(uint64[] calldata operatorIds, Cluster memory cluster)
        internal
        pure
        returns (LogTemplate template)
    {
        assembly ("memory-safe") {
            template := mload(0x40)
            let size := shl(5, operatorIds.length)
            let key := add(0x100, size)
            mstore(template, 0xe0)
            mstore(add(template, 0x20), key)
            mcopy(add(template, 0x40), cluster, 0xa0)
            mstore(add(template, 0xe0), operatorIds.length)
            calldatacopy(add(template, 0x100), operatorIds.offset, size)
            mstore(add(template, key), 48)
            mstore(add(template, add(key, 0x40)), 0)
            mstore(0x40, add(template, add(key, 0x60)))
        }
    }

    /// @notice Prepares ValidatorExited: (operatorIds, publicKey).
    function exited(uint64[] calldata operatorIds) internal pure returns (LogTemplate template) {
        assembly ("memory-safe") {
            template := mload(0x40)
            let size := shl(5, operatorIds.length)
            let key := add(0x60, size)
            mstore(template, 0x40)
            mstore(add(template, 0x20), key)
            mstore(add(template, 0x40), operatorIds.length)
            calldatacopy(add(template, 0x60), operatorIds.offset, size)
            mstore(add(template, key), 48)
            mstore(add(template, add(key, 0x40)), 0)
            mstore(0x40, add(template, add(key, 0x60)))
        }
    }

    /// @notice Emits ValidatorRemoved or ValidatorExited from its template.
    /// @param publicKey 48 bytes.
    function emitKey(LogTemplate template, bytes32 topic, bytes calldata publicKey) internal {
        assembly ("memory-safe") {
            let key := mload(add(template, 0x20))
            calldatacopy(add(template, add(key, 0x20)), publicKey.offset, 48)
            log2(template, add(key, 0x60), topic, caller())
        }
    }
}
