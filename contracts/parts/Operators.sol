// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    InsufficientBalance,
    InvalidOperatorPublicKey,
    OperatorAlreadyExists
} from "../interfaces/Errors.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {OperatorWord, OperatorWords} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {Layout, OperatorProfile, RegistryStorage} from "../storage/Layout.sol";
import {Fees} from "./Fees.sol";
import {OwnOperator} from "./OwnOperator.sol";
import {Payments} from "./Payments.sol";

/// @title Registers and removes operators, pays their earnings.
abstract contract Operators is Payments, IOperators {
    /// @inheritdoc IOperators
    function registerOperator(bytes calldata publicKey, uint256 fee, bool setPrivate)
        external
        returns (uint64 id)
    {
        RegistryStorage storage $ = Layout.load();
        Fees.requireAllowed($.parameters, fee);
        uint256 feeUnits = Units.packExact(fee);
        bytes32 key = keccak256(abi.encodePacked(msg.sender, publicKey));
        require(!$.operatorKeys[key], OperatorAlreadyExists());
        require(_isString(publicKey), InvalidOperatorPublicKey());
        $.operatorKeys[key] = true;
        id = ++$.counters.lastOperatorId;
        $.operators[id] = OperatorWords.open(feeUnits, setPrivate);
        $.profiles[id].owner = msg.sender;
        emit OperatorAdded(id, msg.sender, publicKey, fee);
        uint64[] memory operatorIds = new uint64[](1);
        operatorIds[0] = id;
        emit OperatorPrivacyStatusUpdated(operatorIds, setPrivate);
    }

    /// @inheritdoc IOperators
    function removeOperator(uint64 operatorId) external nonReentrant {
        OperatorProfile storage profile = OwnOperator.load(operatorId);
        RegistryStorage storage $ = Layout.load();
        OperatorWord word = $.operators[operatorId].settle();
        $.operators[operatorId] = word.removed();
        profile.removed = true;
        if (profile.whitelistingContract != address(0)) delete profile.whitelistingContract;
        if (profile.declaration.end != 0) delete profile.declaration;
        uint256 earned = Units.toWei(word.credit());
        if (earned != 0) emit OperatorWithdrawn(msg.sender, operatorId, earned);
        emit OperatorRemoved(operatorId);
        _pay(earned);
    }

    /// @inheritdoc IOperators
    function withdrawOperatorEarnings(uint64 operatorId, uint256 amount) external nonReentrant {
        OwnOperator.load(operatorId);
        _withdraw(operatorId, Units.packExact(amount));
    }

    /// @inheritdoc IOperators
    function withdrawAllOperatorEarnings(uint64 operatorId) external nonReentrant {
        OwnOperator.load(operatorId);
        _withdraw(operatorId, 0);
    }

    /// @inheritdoc IOperators
    function withdrawAllVersionOperatorEarnings(uint64 operatorId) external nonReentrant {
        OwnOperator.load(operatorId);
        _withdraw(operatorId, 0);
    }

    /// @param units To pay the caller; 0 for everything.
    function _withdraw(uint64 operatorId, uint256 units) private {
        RegistryStorage storage $ = Layout.load();
        OperatorWord word = $.operators[operatorId].settle();
        uint256 credit = word.credit();
        if (units == 0) units = credit;
        require(units != 0 && units <= credit, InsufficientBalance());
        $.operators[operatorId] = word.withCredit(credit - units);
        uint256 amount = Units.toWei(units);
        emit OperatorWithdrawn(msg.sender, operatorId, amount);
        _pay(amount);
    }

    /// @notice Whether the bytes are the ABI encoding of one non-empty string and nothing more.
    function _isString(bytes calldata encoded) private pure returns (bool) {
        if (encoded.length < 96 || uint256(bytes32(encoded[:32])) != 32) return false;
        uint256 length = uint256(bytes32(encoded[32:64]));
        // Not above the rest of the bytes, so the rounding below cannot overflow.
        if (length == 0 || length > encoded.length) return false;
        return encoded.length == 64 + ((length + 31) / 32) * 32;
    }
}
