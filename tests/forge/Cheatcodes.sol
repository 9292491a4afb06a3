// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The few of forge's commands that these tests use.
interface Cheatcodes {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function recordLogs() external;

    function getRecordedLogs() external returns (Log[] memory);

    /// @notice Sets the number of the block that the test runs in.
    function roll(uint256 blockNumber) external;

    /// @notice Sets its base fee.
    function fee(uint256 weiPerGas) external;
}

/// @dev Where forge listens: the last 20 bytes of keccak256("hevm cheat code").
Cheatcodes constant VM = Cheatcodes(address(uint160(uint256(keccak256("hevm cheat code")))));
