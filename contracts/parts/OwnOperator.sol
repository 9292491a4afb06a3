// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CallerNotOwnerWithData, OperatorDoesNotExist} from "../interfaces/Errors.sol";
import {Layout, OperatorProfile} from "../storage/Layout.sol";

/// @title The check of every function that is for an operator's owner.
library OwnOperator {
    /// @notice The operator's profile, if it exists and is the caller's.
    function load(uint64 operatorId) internal view returns (OperatorProfile storage profile) {
        profile = Layout.load().profiles[operatorId];
        (address owner, bool removed) = (profile.owner, profile.removed);
        require(owner != address(0) && !removed, OperatorDoesNotExist());
        require(owner == msg.sender, CallerNotOwnerWithData(msg.sender, owner));
    }
}
