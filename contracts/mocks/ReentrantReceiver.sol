// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title An account that calls back while it is being paid.
/// @notice For tests of re-entrancy: `arm` says what to call on the next ether received, and the
/// outcome is kept to be looked at afterwards. Only the first payment after `arm` calls back, so a
/// successful call back cannot loop.
contract ReentrantReceiver {
    bool public isArmed;
    address public target;
    uint256 public value;
    bytes public data;

    /// @notice Payments received, and how many of them called back.
    uint256 public payments;
    uint256 public callbacks;

    /// @notice Outcome of the last call back.
    bool public succeeded;
    bytes public answer;

    /// @notice What to call on the next ether received.
    /// @param nextValue Ether to send along, in wei, from this contract's balance.
    function arm(address nextTarget, uint256 nextValue, bytes calldata nextData) external {
        (isArmed, target, value, data) = (true, nextTarget, nextValue, nextData);
    }

    /// @notice Calls the account with the ether sent along and passes its answer or its revert on.
    function execute(address account, bytes calldata call_)
        external
        payable
        returns (bytes memory)
    {
        return Address.functionCallWithValue(account, call_, msg.value);
    }

    // solhint-disable-next-line no-complex-fallback
    receive() external payable {
        ++payments;
        if (!isArmed) return;
        isArmed = false;
        ++callbacks;
        (succeeded, answer) = target.call{value: value}(data);
    }
}
