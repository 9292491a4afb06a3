// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Units} from "./Units.sol";

/// @dev An operator's account in one word, from the lowest bit:
/// block 32 | fee 40 | index 64 | credit 64 | effective balance 32 | validators 16 | private 8.
/// Fee, index and credit are fee units; effective balance is ETH. Block 0 means that the operator
/// was never registered or is removed; a removed one keeps its index and the private flag.
type OperatorWord is uint256;

using OperatorWords for OperatorWord global;

/// @title Reads and settles an operator's account. Mirrored by `sdk.registry.ledger`.
library OperatorWords {
    uint256 private constant MASK_16 = 0xffff;
    uint256 private constant MASK_32 = 0xffffffff;
    uint256 private constant MASK_40 = 0xffffffffff;
    uint256 private constant MASK_64 = 0xffffffffffffffff;

    uint256 private constant FEE_AT = 32;
    uint256 private constant INDEX_AT = 72;
    uint256 private constant CREDIT_AT = 136;
    uint256 private constant EFFECTIVE_BALANCE_AT = 200;
    uint256 private constant VALIDATORS_AT = 232;
    uint256 private constant PRIVATE_AT = 248;

    uint256 private constant SETTLED_FIELDS =
        MASK_32 | (MASK_64 << INDEX_AT) | (MASK_64 << CREDIT_AT);

    /// @notice A new operator's account, opened at this block.
    function open(uint256 feeUnits, bool isPrivate_) internal view returns (OperatorWord) {
        uint256 flag = isPrivate_ ? 1 << PRIVATE_AT : 0;
        return OperatorWord.wrap(block.number | (feeUnits << FEE_AT) | flag);
    }

    function isLive(OperatorWord self) internal pure returns (bool) {
        return OperatorWord.unwrap(self) & MASK_32 != 0;
    }

    function blockNumber(OperatorWord self) internal pure returns (uint256) {
        return OperatorWord.unwrap(self) & MASK_32;
    }

    function fee(OperatorWord self) internal pure returns (uint256) {
        return (OperatorWord.unwrap(self) >> FEE_AT) & MASK_40;
    }

    function index(OperatorWord self) internal pure returns (uint256) {
        return (OperatorWord.unwrap(self) >> INDEX_AT) & MASK_64;
    }

    function credit(OperatorWord self) internal pure returns (uint256) {
        return (OperatorWord.unwrap(self) >> CREDIT_AT) & MASK_64;
    }

    function effectiveBalance(OperatorWord self) internal pure returns (uint256) {
        return (OperatorWord.unwrap(self) >> EFFECTIVE_BALANCE_AT) & MASK_32;
    }

    function validators(OperatorWord self) internal pure returns (uint256) {
        return (OperatorWord.unwrap(self) >> VALIDATORS_AT) & MASK_16;
    }

    function isPrivate(OperatorWord self) internal pure returns (bool) {
        return OperatorWord.unwrap(self) >> PRIVATE_AT != 0;
    }

    /// @notice Index, credit and block brought to this block. Only for live operators.
    /// @dev A credit that would not fit its 64 bits stays at the highest value, because an overflow
    /// must not stop a liquidation.
    function settle(OperatorWord self) internal view returns (OperatorWord) {
        uint256 word = OperatorWord.unwrap(self);
        unchecked {
            // Blocks never run backwards; 2^32 blocks times a fee below 2^30 fit the index.
            uint256 accrued = (block.number - (word & MASK_32)) * self.fee();
            uint256 earned = self.credit() + Units.scaleDown(accrued, self.effectiveBalance());
            if (earned > MASK_64) earned = MASK_64;
            return OperatorWord.wrap(
                (word & ~SETTLED_FIELDS) | block.number | ((self.index() + accrued) << INDEX_AT)
                    | (earned << CREDIT_AT)
            );
        }
    }

    /// @notice Validators and effective balance changed by these differences.
    /// @dev Both fields stay within their bits: validators are at most the operator limit, below
    /// 2^16, and ETH at most 2048 times as many; what is subtracted was added before.
    function change(OperatorWord self, int256 validators_, int256 eth)
        internal
        pure
        returns (OperatorWord)
    {
        unchecked {
            uint256 difference =
                (uint256(validators_) << VALIDATORS_AT) + (uint256(eth) << EFFECTIVE_BALANCE_AT);
            return OperatorWord.wrap(OperatorWord.unwrap(self) + difference);
        }
    }

    function withFee(OperatorWord self, uint256 feeUnits) internal pure returns (OperatorWord) {
        uint256 rest = OperatorWord.unwrap(self) & ~(MASK_40 << FEE_AT);
        return OperatorWord.wrap(rest | (feeUnits << FEE_AT));
    }

    function withCredit(OperatorWord self, uint256 units) internal pure returns (OperatorWord) {
        uint256 rest = OperatorWord.unwrap(self) & ~(MASK_64 << CREDIT_AT);
        return OperatorWord.wrap(rest | (units << CREDIT_AT));
    }

    function withPrivate(OperatorWord self, bool isPrivate_) internal pure returns (OperatorWord) {
        uint256 rest = OperatorWord.unwrap(self) & ~(uint256(0xff) << PRIVATE_AT);
        return OperatorWord.wrap(isPrivate_ ? rest | (1 << PRIVATE_AT) : rest);
    }

    /// @notice What stays of a removed operator: the index, which clusters still refer to, and the
    /// private flag.
    function removed(OperatorWord self) internal pure returns (OperatorWord) {
        uint256 kept = (MASK_64 << INDEX_AT) | (uint256(0xff) << PRIVATE_AT);
        return OperatorWord.wrap(OperatorWord.unwrap(self) & kept);
    }
}
