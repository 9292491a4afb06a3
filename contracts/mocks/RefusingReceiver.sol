// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title An account that cannot be paid: calls whatever it is told to and refuses ether while it
/// is told to.
/// @notice For tests of payouts. Starts out refusing.
contract RefusingReceiver {
    error Refused(uint256 amount);

    bool public accepts;

    /// @notice Whether ether is taken from now on.
    function setAccepts(bool next) external {
        accepts = next;
    }

    /// @notice Calls the target with the ether sent along and passes its answer or its revert on.
    function execute(address target, bytes calldata data) external payable returns (bytes memory) {
        return Address.functionCallWithValue(target, data, msg.value);
    }

    receive() external payable {
        if (!accepts) revert Refused(msg.value);
    }
}
