// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Limits} from "./Limits.sol";

/// @title Counter
/// @notice The smallest contract that needs every part of the toolchain: a library beside it, a
/// dependency from the npm package, a constructor argument, state and a custom error.
contract Counter is Ownable {
    /// @notice What has been added so far.
    uint256 public total;

    /// @notice The sum would exceed `Limits.MOST`.
    error TooMuch(uint256 sum);

    /// @notice Starts with `start`, owned by the deployer.
    constructor(uint256 start) Ownable(msg.sender) {
        total = start;
    }

    /// @notice Adds `amount`; the owner only.
    function add(uint256 amount) external onlyOwner {
        uint256 sum = total + amount;
        if (sum > Limits.MOST) revert TooMuch(sum);
        total = sum;
    }
}
