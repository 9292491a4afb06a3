// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Units} from "./Units.sol";

/// @dev The network's account in one word, from the lowest bit:
/// block 32 | fee 24 | index 56 | balance 80, signed | effective balance 40 | validators 24.
/// Fee, index and balance are fee units; effective balance is ETH. A negative balance is the
/// uncovered debt: what clusters used and could not pay, and operators were credited all the same.
/// Its 80 bits hold 32,768 operators' credits at their highest: a debt that did not fit would be
/// forgotten, and the registry would owe more than it knows. The network's fee is below 2^19 units
/// (`Governance`), so its index stays below 2^51 for all 2^32 blocks.
type NetworkWord is uint256;

using NetworkWords for NetworkWord global;

/// @dev Validators in active clusters that the word can count.
uint256 constant MAX_NETWORK_VALIDATORS = 2 ** 24 - 1;

/// @title Reads and settles the network's account. Mirrored by `sdk.registry.ledger`.
library NetworkWords {
    uint256 private constant MASK_24 = 0xffffff;
    uint256 private constant MASK_32 = 0xffffffff;
    uint256 private constant MASK_40 = 0xffffffffff;
    uint256 private constant MASK_56 = 0xffffffffffffff;
    uint256 private constant MASK_80 = 0xffffffffffffffffffff;

    uint256 private constant FEE_AT = 32;
    uint256 private constant INDEX_AT = 56;
    uint256 private constant BALANCE_AT = 112;
    uint256 private constant EFFECTIVE_BALANCE_AT = 192;
    uint256 private constant VALIDATORS_AT = 232;

    function open(uint256 feeUnits) internal view returns (NetworkWord) {
        return NetworkWord.wrap(block.number | (feeUnits << FEE_AT));
    }

    function blockNumber(NetworkWord self) internal pure returns (uint256) {
        return NetworkWord.unwrap(self) & MASK_32;
    }

    function fee(NetworkWord self) internal pure returns (uint256) {
        return (NetworkWord.unwrap(self) >> FEE_AT) & MASK_24;
    }

    function index(NetworkWord self) internal pure returns (uint256) {
        return (NetworkWord.unwrap(self) >> INDEX_AT) & MASK_56;
    }

    /// @notice Earnings, or the uncovered debt if negative.
    function balance(NetworkWord self) internal pure returns (int256) {
        // The conversion takes the low 80 bits, and with them the sign.
        // forge-lint: disable-next-line(unsafe-typecast)
        return int80(uint80(NetworkWord.unwrap(self) >> BALANCE_AT));
    }

    function earnings(NetworkWord self) internal pure returns (uint256) {
        int256 units = self.balance();
        return units > 0 ? uint256(units) : 0;
    }

    function debt(NetworkWord self) internal pure returns (uint256) {
        int256 units = self.balance();
        return units < 0 ? uint256(-units) : 0;
    }

    function effectiveBalance(NetworkWord self) internal pure returns (uint256) {
        return (NetworkWord.unwrap(self) >> EFFECTIVE_BALANCE_AT) & MASK_40;
    }

    function validators(NetworkWord self) internal pure returns (uint256) {
        return NetworkWord.unwrap(self) >> VALIDATORS_AT;
    }

    /// @notice Index, balance and block brought to this block.
    function settle(NetworkWord self) internal view returns (NetworkWord) {
        uint256 word = NetworkWord.unwrap(self);
        unchecked {
            // Blocks never run backwards; 2^32 blocks times a fee below 2^19 fit the index.
            uint256 accrued = (block.number - (word & MASK_32)) * self.fee();
            uint256 settled = (word & ~(MASK_32 | (MASK_56 << INDEX_AT))) | block.number
                | ((self.index() + accrued) << INDEX_AT);
            // At most 2^51 units for 32 ETH and 2^40 ETH: far below 2^255.
            int256 earned = int256(Units.scaleDown(accrued, self.effectiveBalance()));
            return NetworkWord.wrap(settled).book(earned);
        }
    }

    /// @notice The account after an income, or after a shortfall if negative.
    /// @dev Stays at the highest or lowest value of its 80 bits: an overflow must not stop a
    /// liquidation.
    function book(NetworkWord self, int256 units) internal pure returns (NetworkWord) {
        unchecked {
            // Incomes and shortfalls are below 2^108, see `Units`.
            int256 sum = self.balance() + units;
            if (sum > type(int80).max) sum = type(int80).max;
            if (sum < type(int80).min + 1) sum = type(int80).min + 1;
            uint256 rest = NetworkWord.unwrap(self) & ~(MASK_80 << BALANCE_AT);
            return NetworkWord.wrap(rest | ((uint256(sum) & MASK_80) << BALANCE_AT));
        }
    }

    /// @notice Validators and effective balance changed by these differences.
    /// @dev Both fields stay within their bits: callers that add keep validators at
    /// `MAX_NETWORK_VALIDATORS`, so ETH stays below 2^35; what is subtracted was added before.
    function change(NetworkWord self, int256 validators_, int256 eth)
        internal
        pure
        returns (NetworkWord)
    {
        unchecked {
            uint256 difference =
                (uint256(validators_) << VALIDATORS_AT) + (uint256(eth) << EFFECTIVE_BALANCE_AT);
            return NetworkWord.wrap(NetworkWord.unwrap(self) + difference);
        }
    }

    function withFee(NetworkWord self, uint256 feeUnits) internal pure returns (NetworkWord) {
        uint256 rest = NetworkWord.unwrap(self) & ~(MASK_24 << FEE_AT);
        return NetworkWord.wrap(rest | (feeUnits << FEE_AT));
    }
}
