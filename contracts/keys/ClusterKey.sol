// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Twin: mocks/PlainHashes.sol; compared by tests/forge/Keys.t.sol.
// solhint-disable no-inline-assembly

import {ClusterDoesNotExist, IncorrectClusterState} from "../interfaces/Errors.sol";
import {Cluster} from "../interfaces/Types.sol";

/// @dev What the registry keeps of a cluster, from the lowest bit:
/// sequence 32 | effective balance 32 | commitment 192.
/// The sequence number is 1 for the first cluster ever created and names owner and operators in
/// validator records; effective balance is ETH; the commitment is the high 192 bits of the hash of
/// the cluster's struct. Zero: no such cluster.
type ClusterWord is uint256;

using ClusterKey for ClusterWord global;

/// @title Names clusters and checks the struct a caller passes.
library ClusterKey {
    uint256 private constant MASK_32 = 0xffffffff;
    uint256 private constant EFFECTIVE_BALANCE_AT = 32;
    uint256 private constant COMMITMENT = ~uint256(0xffffffffffffffff);

    /// @notice Keccak-256 of the owner's 20 bytes and each operator id in 32 bytes, as
    /// `abi.encodePacked(owner, operatorIds)` lays them out.
    /// @dev Takes ids as they came: one that exceeds 64 bits gives an id that no cluster has,
    /// because registration reads each id with the compiler's check. Twin: `mocks/PlainHashes`.
    function idOf(address owner, uint64[] calldata operatorIds) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            let size := shl(5, operatorIds.length)
            mstore(data, shl(96, owner))
            calldatacopy(add(data, 20), operatorIds.offset, size)
            id := keccak256(data, add(20, size))
        }
    }

    function pack(Cluster memory cluster, uint256 effectiveBalance_, uint256 sequence_)
        internal
        pure
        returns (ClusterWord)
    {
        return ClusterWord.wrap(
            commitmentOf(cluster) | (effectiveBalance_ << EFFECTIVE_BALANCE_AT) | sequence_
        );
    }

    function exists(ClusterWord self) internal pure returns (bool) {
        return ClusterWord.unwrap(self) != 0;
    }

    function sequence(ClusterWord self) internal pure returns (uint256) {
        return ClusterWord.unwrap(self) & MASK_32;
    }

    function effectiveBalance(ClusterWord self) internal pure returns (uint256) {
        return (ClusterWord.unwrap(self) >> EFFECTIVE_BALANCE_AT) & MASK_32;
    }

    /// @notice High 192 bits of a hash, the other bits zero.
    function commitment(ClusterWord self) internal pure returns (uint256) {
        return ClusterWord.unwrap(self) & COMMITMENT;
    }

    /// @notice Passes if the cluster exists and this is its struct.
    function requireCurrent(ClusterWord self, Cluster memory cluster) internal pure {
        require(self.exists(), ClusterDoesNotExist());
        require(self.commitment() == commitmentOf(cluster), IncorrectClusterState());
    }

    /// @notice Whether this is how a cluster is passed that does not exist yet.
    function isNew(Cluster memory cluster) internal pure returns (bool) {
        return cluster.active && cluster.validatorCount == 0 && cluster.networkFeeIndex == 0
            && cluster.index == 0 && cluster.balance == 0;
    }

    /// @notice High 192 bits of the hash of `abi.encode(cluster)`, which is how a struct of five
    /// words lies in memory. Twin: `mocks/PlainHashes`.
    function commitmentOf(Cluster memory cluster) internal pure returns (uint256 hash) {
        assembly ("memory-safe") {
            hash := keccak256(cluster, 0xa0)
        }
        hash &= COMMITMENT;
    }
}
