// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FEE_UNIT, MAX_FEE_UNITS, Units} from "../../contracts/ledger/Units.sol";

/// @title Conversions and rounding against checked arithmetic.
contract UnitsTest {
    /// @notice Whole amounts pass and come back; all others are refused.
    function testFuzz_pack_exact_takes_whole_units_alone(uint256 amountWei) external view {
        try this.packExact(amountWei) returns (uint256 units) {
            require(units * FEE_UNIT == amountWei, "lost something");
        } catch {
            require(amountWei % FEE_UNIT != 0, "refused a whole amount");
        }
    }

    function testFuzz_whole_units_come_back(uint112 units) external view {
        require(Units.toWei(units) == uint256(units) * FEE_UNIT, "to wei");
        require(this.packExact(Units.toWei(units)) == units, "exactly");
        require(Units.packDown(Units.toWei(units)) == units, "down");
    }

    function testFuzz_pack_down_loses_less_than_a_unit(uint256 amountWei) external pure {
        uint256 packed = Units.packDown(amountWei) * FEE_UNIT;
        require(packed <= amountWei && amountWei - packed < FEE_UNIT, "not rounded down");
    }

    /// @notice Up to 14 fees over 2^32 blocks, and 2^40 ETH.
    function testFuzz_scaling_rounds_to_its_side(uint72 unitsPerBaseline, uint40 effectiveBalance)
        external
        pure
    {
        uint256 exact = uint256(unitsPerBaseline) * effectiveBalance;
        uint256 up = Units.scaleUp(unitsPerBaseline, effectiveBalance);
        uint256 down = Units.scaleDown(unitsPerBaseline, effectiveBalance);
        require(up * 32 >= exact && up * 32 < exact + 32, "not rounded up");
        require(down * 32 <= exact && down * 32 + 32 > exact, "not rounded down");
        require(exact % 32 == 0 ? up == down : up == down + 1, "not the same number");
    }

    /// @notice A debit is never below the sum of the credits it pays.
    function testFuzz_debit_covers_its_credits(uint64[14] calldata accrued, uint32 effectiveBalance)
        external
        pure
    {
        uint256 sum;
        uint256 credits;
        for (uint256 i; i < accrued.length; ++i) {
            sum += accrued[i];
            credits += Units.scaleDown(accrued[i], effectiveBalance);
        }
        require(Units.scaleUp(sum, effectiveBalance) >= credits, "credits exceed the debit");
    }

    function test_indexes_fit_for_four_centuries_of_the_highest_fees() external pure {
        require(14 * MAX_FEE_UNITS * 2 ** 30 <= type(uint64).max, "sum of indexes");
        require(uint256(2 ** 30) * 12 / 365.25 days >= 400, "blocks");
    }

    function packExact(uint256 amountWei) external pure returns (uint256) {
        return Units.packExact(amountWei);
    }
}
