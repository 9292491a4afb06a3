// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ETHTransferFailed, Reentrancy} from "../interfaces/Errors.sol";
import {IRegistryEvents} from "../interfaces/Events.sol";

/// @title How ether leaves: to the caller, last, and never from within.
abstract contract Payments is IRegistryEvents {
    /// @dev True while a call that pays ether runs. Transient, so it costs no storage.
    bool private transient _entered;

    /// @dev On every function that pays ether. All state is written before ether leaves; this
    /// keeps even a mistake there from paying twice.
    modifier nonReentrant() {
        require(!_entered, Reentrancy());
        _entered = true;
        _;
        _entered = false;
    }

    /// @notice Pays the caller, after everything else.
    function _pay(uint256 amountWei) internal {
        if (amountWei == 0) return;
        (bool paid,) = msg.sender.call{value: amountWei}("");
        require(paid, ETHTransferFailed());
    }
}
