// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AddressIsWhitelistingContract,
    InvalidOperatorIdsLength,
    InvalidWhitelistAddressesLength,
    InvalidWhitelistingContract,
    ZeroAddressNotAllowed
} from "../interfaces/Errors.sol";
import {IRegistryEvents} from "../interfaces/Events.sol";
import {IOperatorAccess} from "../interfaces/IOperatorAccess.sol";
import {OperatorSet} from "../keys/OperatorSet.sol";
import {Layout, RegistryStorage} from "../storage/Layout.sol";
import {AllowLists} from "./AllowLists.sol";
import {OwnOperator} from "./OwnOperator.sol";

/// @title Says who may register validators with an operator.
abstract contract OperatorAccess is IRegistryEvents, IOperatorAccess {
    /// @inheritdoc IOperatorAccess
    function setOperatorsWhitelists(
        uint64[] calldata operatorIds,
        address[] calldata whitelistAddresses
    ) external {
        _list(operatorIds, whitelistAddresses, true);
        emit OperatorMultipleWhitelistUpdated(operatorIds, whitelistAddresses);
    }

    /// @inheritdoc IOperatorAccess
    function removeOperatorsWhitelists(
        uint64[] calldata operatorIds,
        address[] calldata whitelistAddresses
    ) external {
        _list(operatorIds, whitelistAddresses, false);
        emit OperatorMultipleWhitelistRemoved(operatorIds, whitelistAddresses);
    }

    /// @inheritdoc IOperatorAccess
    function setOperatorsWhitelistingContract(
        uint64[] calldata operatorIds,
        address whitelistingContract
    ) external {
        require(
            AllowLists.isAllowList(whitelistingContract),
            InvalidWhitelistingContract(whitelistingContract)
        );
        _setContract(operatorIds, whitelistingContract);
    }

    /// @inheritdoc IOperatorAccess
    function removeOperatorsWhitelistingContract(uint64[] calldata operatorIds) external {
        _setContract(operatorIds, address(0));
    }

    /// @inheritdoc IOperatorAccess
    function setOperatorsPrivateUnchecked(uint64[] calldata operatorIds) external {
        _setPrivate(operatorIds, true);
    }

    /// @inheritdoc IOperatorAccess
    function setOperatorsPublicUnchecked(uint64[] calldata operatorIds) external {
        _setPrivate(operatorIds, false);
    }

    /// @notice Puts every address on every operator's list, or takes it off.
    function _list(uint64[] calldata operatorIds, address[] calldata accounts, bool listed)
        private
    {
        require(accounts.length != 0, InvalidWhitelistAddressesLength());
        AllowLists.Group[] memory groups = _ownGroups(operatorIds);
        for (uint256 i; i < accounts.length; ++i) {
            address account = accounts[i];
            require(account != address(0), ZeroAddressNotAllowed());
            // Not when taking off, or a contract could make itself irremovable.
            if (listed) {
                require(!AllowLists.isAllowList(account), AddressIsWhitelistingContract(account));
            }
            mapping(uint256 => uint256) storage allowed = Layout.load().allowed[account];
            for (uint256 j; j < groups.length; ++j) {
                AllowLists.Group memory group = groups[j];
                uint256 bits = allowed[group.number];
                allowed[group.number] = listed ? bits | group.bits : bits & ~group.bits;
            }
        }
    }

    /// @notice The caller's operators as bits, in groups of 256 neighbours; ids must ascend.
    /// @dev One group per id at most. An array from the first group to the last would be huge for
    /// sparse ids.
    function _ownGroups(uint64[] calldata operatorIds)
        private
        view
        returns (AllowLists.Group[] memory groups)
    {
        uint256 size = operatorIds.length;
        require(size != 0, InvalidOperatorIdsLength());
        groups = new AllowLists.Group[](size);
        uint256 count;
        uint256 previous;
        for (uint256 i; i < size; ++i) {
            uint64 operatorId = operatorIds[i];
            OwnOperator.load(operatorId);
            OperatorSet.requireAfter(operatorId, previous);
            if (i == 0 || operatorId >> 8 != previous >> 8) {
                groups[count++].number = operatorId >> 8;
            }
            groups[count - 1].bits |= AllowLists.bit(operatorId);
            previous = operatorId;
        }
        // Solidity cannot shorten an array in memory.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            // Cut the array to the groups there are.
            mstore(groups, count)
        }
    }

    function _setContract(uint64[] calldata operatorIds, address whitelistingContract) private {
        require(operatorIds.length != 0, InvalidOperatorIdsLength());
        for (uint256 i; i < operatorIds.length; ++i) {
            OwnOperator.load(operatorIds[i]).whitelistingContract = whitelistingContract;
        }
        emit OperatorWhitelistingContractUpdated(operatorIds, whitelistingContract);
    }

    function _setPrivate(uint64[] calldata operatorIds, bool toPrivate) private {
        require(operatorIds.length != 0, InvalidOperatorIdsLength());
        RegistryStorage storage $ = Layout.load();
        for (uint256 i; i < operatorIds.length; ++i) {
            uint64 operatorId = operatorIds[i];
            OwnOperator.load(operatorId);
            $.operators[operatorId] = $.operators[operatorId].withPrivate(toPrivate);
        }
        emit OperatorPrivacyStatusUpdated(operatorIds, toPrivate);
    }
}
