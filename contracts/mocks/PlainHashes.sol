// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "../interfaces/Types.sol";

/// @title The hashes of `keys` without assembly: what the fast ones are compared with.
/// @dev For tests only. Operator ids are read as whole words, as the fast twin takes them.
library PlainHashes {
    function clusterId(address owner, uint256[] memory operatorIds)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(owner, operatorIds));
    }

    /// @return High 192 bits of the hash, the other bits zero.
    function commitment(Cluster memory cluster) internal pure returns (uint256) {
        return uint256(bytes32(bytes24(keccak256(abi.encode(cluster)))));
    }

    function validatorId(bytes memory publicKey, address owner) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(publicKey, owner));
    }
}
