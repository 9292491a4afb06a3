// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Memory as it may be found in the middle of a call: used before, and wanted afterwards.
library Memory {
    /// @dev More than the longest log: 13 operators' ids and shares take less than 5,000 bytes.
    uint256 private constant DIRT_BYTES = 8_192;
    uint256 private constant GUARD_WORDS = 16;

    /// @notice Fills what lies beyond the free pointer, so that padding nobody wrote shows.
    function soil() internal pure {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, not(0))
            for { let filled := 0x20 } lt(filled, DIRT_BYTES) { filled := shl(1, filled) } {
                mcopy(add(start, filled), start, filled)
            }
        }
    }

    /// @notice Takes the memory that follows everything allocated so far.
    function guard() internal pure returns (uint256[] memory words) {
        words = new uint256[](GUARD_WORDS);
        for (uint256 i; i < GUARD_WORDS; ++i) {
            words[i] = ~i;
        }
    }

    /// @notice Reverts if somebody wrote there.
    function requireIntact(uint256[] memory words) internal pure {
        require(words.length == GUARD_WORDS, "a guard's length was overwritten");
        for (uint256 i; i < GUARD_WORDS; ++i) {
            require(words[i] == ~i, "allocated memory was overwritten");
        }
    }
}
