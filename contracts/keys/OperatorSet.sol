// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    InvalidOperatorIdsLength,
    OperatorsListNotUnique,
    UnsortedOperatorsList
} from "../interfaces/Errors.sol";

/// @title The operators of a cluster: 3f + 1 of them, f from 1 to 4, ids strictly ascending.
library OperatorSet {
    uint256 private constant SMALLEST = 4;
    uint256 private constant LARGEST = 13;

    /// @notice Passes for 4, 7, 10 and 13 operators.
    function requireSize(uint64[] calldata operatorIds) internal pure {
        uint256 size = operatorIds.length;
        require(size >= SMALLEST && size <= LARGEST && size % 3 == 1, InvalidOperatorIdsLength());
    }

    /// @notice Passes if the id may follow its predecessor in a list.
    function requireAfter(uint256 operatorId, uint256 predecessor) internal pure {
        if (operatorId > predecessor) return;
        require(operatorId != predecessor, OperatorsListNotUnique());
        revert UnsortedOperatorsList();
    }

    /// @notice 2f + 1 of `size` = 3f + 1.
    function quorum(uint256 size) internal pure returns (uint256) {
        return 2 * ((size - 1) / 3) + 1;
    }
}
