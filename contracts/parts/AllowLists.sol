// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {IAllowList} from "../interfaces/IAllowList.sol";
import {Layout} from "../storage/Layout.sol";

/// @title Whom private operators accept: a bit per address and operator, or a contract's answer.
library AllowLists {
    /// @dev Gas a whitelisting contract may use for one answer.
    uint256 internal constant ANSWER_GAS = 100_000;
    uint256 private constant NO_GROUP = type(uint256).max;

    /// @dev 256 operators' bits of one address, as last read.
    struct Group {
        uint256 number;
        uint256 bits;
    }

    /// @notice A group that was not read yet.
    function none() internal pure returns (Group memory) {
        return Group({number: NO_GROUP, bits: 0});
    }

    /// @notice Whether the account is listed for the operator or its contract says so. The bits of
    /// neighbouring operators are read once: pass the same group for all of one account.
    function admits(Group memory group, address account, uint256 operatorId)
        internal
        view
        returns (bool)
    {
        uint256 number = operatorId >> 8;
        if (group.number != number) {
            group.number = number;
            group.bits = Layout.load().allowed[account][number];
        }
        if (group.bits & bit(operatorId) != 0) return true;
        address asked = Layout.load().profiles[operatorId].whitelistingContract;
        return asked != address(0) && answersYes(asked, account, operatorId);
    }

    /// @notice The operator's bit inside its group of 256.
    function bit(uint256 operatorId) internal pure returns (uint256) {
        return 1 << (operatorId & 0xff);
    }

    /// @notice Whether the contract answers true. A revert and a malformed answer are a no; the gas
    /// limit also bounds what can be returned.
    function answersYes(address asked, address account, uint256 operatorId)
        internal
        view
        returns (bool)
    {
        (bool answered, bytes memory answer) = asked.staticcall{gas: ANSWER_GAS}(
            abi.encodeCall(IAllowList.isWhitelisted, (account, operatorId))
        );
        return answered && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }

    /// @notice Whether the account is a contract that declares `IAllowList` by ERC-165.
    function isAllowList(address account) internal view returns (bool) {
        return ERC165Checker.supportsInterface(account, type(IAllowList).interfaceId);
    }
}
