// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Twin: mocks/PlainHashes.sol; compared by tests/forge/Keys.t.sol.
// solhint-disable no-inline-assembly

/// @dev What the registry keeps of a validator, from the lowest bit:
/// sequence of its cluster 32 | effective balance 16 | slot of its last proof 40.
/// Effective balance is ETH; slot 0 means that nothing was proven yet. Zero: not registered.
type ValidatorWord is uint256;

using ValidatorKey for ValidatorWord global;

ValidatorWord constant NO_RECORD = ValidatorWord.wrap(0);

/// @title Names and packs validator records.
library ValidatorKey {
    uint256 private constant MASK_16 = 0xffff;
    uint256 private constant MASK_32 = 0xffffffff;
    uint256 private constant MASK_40 = 0xffffffffff;
    uint256 private constant EFFECTIVE_BALANCE_AT = 32;
    uint256 private constant SLOT_AT = 48;

    /// @notice A record belongs to key and owner: two owners may register one key, and nodes act on
    /// the one the validator key signed for.
    /// @return id Keccak-256 of `abi.encodePacked(publicKey, owner)`. Twin: `mocks/PlainHashes`.
    function idOf(bytes calldata publicKey, address owner) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, publicKey.offset, publicKey.length)
            mstore(add(data, publicKey.length), shl(96, owner))
            id := keccak256(data, add(publicKey.length, 20))
        }
    }

    function pack(uint256 clusterSequence_, uint256 effectiveBalance_, uint256 lastProofSlot_)
        internal
        pure
        returns (ValidatorWord)
    {
        return ValidatorWord.wrap(
            clusterSequence_ | (effectiveBalance_ << EFFECTIVE_BALANCE_AT)
                | (lastProofSlot_ << SLOT_AT)
        );
    }

    function exists(ValidatorWord self) internal pure returns (bool) {
        return ValidatorWord.unwrap(self) != 0;
    }

    function clusterSequence(ValidatorWord self) internal pure returns (uint256) {
        return ValidatorWord.unwrap(self) & MASK_32;
    }

    function effectiveBalance(ValidatorWord self) internal pure returns (uint256) {
        return (ValidatorWord.unwrap(self) >> EFFECTIVE_BALANCE_AT) & MASK_16;
    }

    function lastProofSlot(ValidatorWord self) internal pure returns (uint256) {
        return (ValidatorWord.unwrap(self) >> SLOT_AT) & MASK_40;
    }

    /// @notice Whether this is a record of the cluster with that sequence number, which is not 0.
    function isIn(ValidatorWord self, uint256 sequence) internal pure returns (bool) {
        return sequence != 0 && self.clusterSequence() == sequence;
    }
}
