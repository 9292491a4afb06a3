// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CallerNotOwner, ParameterOutOfBounds, UpgradesRenounced} from "../interfaces/Errors.sol";
import {IRegistryEvents} from "../interfaces/Events.sol";
import {Layout} from "../storage/Layout.sol";

/// @title What is for the owner alone, and how far one change may go.
/// @dev Ownership is written out. The library's form brings a `renounceOwnership` that would leave
/// debt, fees and the verifier without anybody, and errors other than the interface's.
abstract contract Owned is IRegistryEvents {
    modifier onlyOwner() {
        require(msg.sender == Layout.load().rights.owner, CallerNotOwner());
        _;
    }

    /// @notice Passes if the next value is at most twice the current one and at least half of it,
    /// rounded down; amounts in fee units.
    function _requireStep(uint256 current, uint256 next) internal pure {
        if (current == 0) return;
        require(next <= 2 * current && next >= current / 2, ParameterOutOfBounds());
    }

    function _requireUpgradable() internal view {
        require(!Layout.load().rights.upgradesRenounced, UpgradesRenounced());
    }
}
