// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Twin: mocks/PlainBeaconVerifier.sol; compared by tests/contracts_proofs.
// solhint-disable no-inline-assembly

import {ValidatorProof} from "../interfaces/Types.sol";

/// @title Where a validator lies in the beacon state of Electra and Fulu, and the hashing that
/// leads there.
/// @notice SSZ hashes pairs of 32 bytes with SHA-256. A position in a tree is a generalized index:
/// 1 is the root, 2i and 2i + 1 are the children of i.
/// @dev Assembly calls the precompile on scratch memory and allocates nothing that outlives a call.
/// The plain-Solidity twin is contracts/mocks/PlainBeaconVerifier.sol; a test compares the two.
library ValidatorTree {
    /// @notice The state root is the fourth of a block header's five fields.
    uint256 internal constant STATE_ROOT_INDEX = 11;
    uint256 internal constant STATE_ROOT_SIBLINGS = 3;
    /// @notice `validators` is field 11 of a state of 33 to 64 fields (64 + 11 = 75); the list's
    /// content is the left child of its root (150), the right one being its length; below lie 2^40
    /// places.
    uint256 internal constant FIRST_VALIDATOR_INDEX = 150 << 40;
    /// @notice 40 in the list, 1 for its length, 6 in the state.
    uint256 internal constant VALIDATOR_SIBLINGS = 47;
    uint256 internal constant MAXIMUM_VALIDATORS = 1 << 40;
    uint256 internal constant PUBLIC_KEY_BYTES = 48;

    /// @notice Whether `leaf` at generalized index `index` under `root` is what the siblings show.
    /// @param branch Siblings from the leaf upwards; the caller has checked that there are as many
    /// as levels.
    function isInTree(bytes32 root, bytes32 leaf, uint256 index, bytes32[] calldata branch)
        internal
        view
        returns (bool)
    {
        bytes32 node = leaf;
        bool hashed = true;
        assembly ("memory-safe") {
            let sibling := branch.offset
            let end := add(sibling, shl(5, branch.length))
            for {} lt(sibling, end) { sibling := add(sibling, 32) } {
                // The node's half of the 64 bytes at 0x00 is the right one if its index is odd.
                let half := shl(5, and(index, 1))
                mstore(half, node)
                mstore(xor(half, 32), calldataload(sibling))
                hashed := and(hashed, staticcall(gas(), 2, 0x00, 0x40, 0x00, 0x20))
                node := mload(0x00)
                index := shr(1, index)
            }
        }
        // A precompile that ran out of gas left its input in place of a hash.
        return hashed && node == root;
    }

    /// @notice The root of the validator's container, from its eight fields.
    /// @dev The caller has checked that the public key has 48 bytes.
    function containerRoot(ValidatorProof calldata proof)
        internal
        view
        returns (bytes32 root, bool hashed)
    {
        bytes calldata publicKey = proof.publicKey;
        bytes32 withdrawalCredentials = proof.withdrawalCredentials;
        uint256 effectiveBalance = littleEndian(proof.effectiveBalanceGwei);
        uint256 slashed = proof.slashed ? 1 << 248 : 0;
        uint256 eligibility = littleEndian(proof.activationEligibilityEpoch);
        uint256 activation = littleEndian(proof.activationEpoch);
        uint256 exit = littleEndian(proof.exitEpoch);
        uint256 withdrawable = littleEndian(proof.withdrawableEpoch);
        assembly ("memory-safe") {
            // Eight words beyond the free pointer, which stays where it is.
            let words := mload(0x40)
            calldatacopy(words, publicKey.offset, 48)
            mstore(add(words, 48), 0) // 16 zero bytes of padding
            hashed := staticcall(gas(), 2, words, 0x40, words, 0x20)
            mstore(add(words, 0x20), withdrawalCredentials)
            mstore(add(words, 0x40), effectiveBalance)
            mstore(add(words, 0x60), slashed)
            mstore(add(words, 0x80), eligibility)
            mstore(add(words, 0xa0), activation)
            mstore(add(words, 0xc0), exit)
            mstore(add(words, 0xe0), withdrawable)
            // Each layer overwrites the front half of the one below: 8 words, 4, 2, 1.
            hashed := and(hashed, staticcall(gas(), 2, words, 0x40, words, 0x20))
            let second := add(words, 0x20)
            let third := add(words, 0x40)
            hashed := and(hashed, staticcall(gas(), 2, third, 0x40, second, 0x20))
            hashed := and(hashed, staticcall(gas(), 2, add(words, 0x80), 0x40, third, 0x20))
            let fourth := add(words, 0x60)
            hashed := and(hashed, staticcall(gas(), 2, add(words, 0xc0), 0x40, fourth, 0x20))
            hashed := and(hashed, staticcall(gas(), 2, words, 0x40, words, 0x20))
            hashed := and(hashed, staticcall(gas(), 2, third, 0x40, second, 0x20))
            hashed := and(hashed, staticcall(gas(), 2, words, 0x40, words, 0x20))
            root := mload(words)
        }
    }

    /// @notice A number as SSZ writes it: eight bytes, lowest first, then 24 zero bytes.
    function littleEndian(uint64 number) internal pure returns (uint256) {
        uint256 n = number;
        n = ((n & 0xff00ff00ff00ff00) >> 8) | ((n & 0x00ff00ff00ff00ff) << 8);
        n = ((n & 0xffff0000ffff0000) >> 16) | ((n & 0x0000ffff0000ffff) << 16);
        n = (n >> 32) | ((n & 0xffffffff) << 32);
        return n << 192;
    }
}
