// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IAllowList} from "../interfaces/IAllowList.sol";

/// @title An allow-list contract as an operator would write one: a set of addresses, the same for
/// every operator.
/// @notice For tests only: anyone may change the set.
contract AllowList is IAllowList, IERC165 {
    mapping(address account => bool isListed) private listed;

    constructor(address[] memory accounts) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            listed[accounts[i]] = true;
        }
    }

    /// @notice Adds an account to the set, or takes it out.
    function set(address account, bool isListed) external {
        listed[account] = isListed;
    }

    /// @inheritdoc IAllowList
    function isWhitelisted(address account, uint256) external view override returns (bool) {
        return listed[account];
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure override returns (bool) {
        return
            interfaceId == type(IAllowList).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
