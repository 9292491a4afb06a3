// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "../../contracts/interfaces/Types.sol";
import {ClusterLedger} from "../../contracts/ledger/ClusterLedger.sol";
import {Parameters} from "../../contracts/storage/Layout.sol";
import {VM} from "./Cheatcodes.sol";

/// @title What a cluster owes, against the formulas of docs/fees.md in checked arithmetic.
contract ClusterLedgerTest {
    uint256 private constant UNIT = 100_000;
    uint256 private constant BOUNTY_GAS = 300_000;

    Parameters private _parameters;

    /// @notice For every balance; fuzzed amounts are often far above or far below what is used.
    function testFuzz_charge_equals_plain_arithmetic(
        Cluster memory cluster,
        uint32 effectiveBalance,
        uint64 index,
        uint64 networkIndex
    ) external pure {
        (index, networkIndex) = _later(cluster, index, networkIndex);
        uint256 accrued = (index - cluster.index) + uint256(networkIndex - cluster.networkFeeIndex);
        _compareCharge(
            cluster, effectiveBalance, index, networkIndex, _usage(accrued, effectiveBalance)
        );
    }

    /// @notice The same close to the edge: the balance is what is used, give or take four units.
    function testFuzz_charge_near_what_the_balance_holds(
        Cluster memory cluster,
        uint32 effectiveBalance,
        uint64 index,
        uint64 networkIndex,
        uint256 offset
    ) external pure {
        (index, networkIndex) = _later(cluster, index, networkIndex);
        uint256 accrued = (index - cluster.index) + uint256(networkIndex - cluster.networkFeeIndex);
        uint256 usage = _usage(accrued, effectiveBalance);
        cluster.balance = usage + (offset % (8 * UNIT));
        cluster.balance = cluster.balance > 4 * UNIT ? cluster.balance - 4 * UNIT : 0;
        _compareCharge(cluster, effectiveBalance, index, networkIndex, usage);
    }

    function testFuzz_liquidatable_equals_plain_arithmetic(
        Cluster memory cluster,
        uint32 effectiveBalance,
        uint40 feeRate,
        uint32 period,
        uint64 minimumCollateral
    ) external {
        bool answer = _isLiquidatable(cluster, effectiveBalance, feeRate, period, minimumCollateral);
        uint256 least = _leastBalance(effectiveBalance, feeRate, period, minimumCollateral);
        bool expected = cluster.active && cluster.validatorCount != 0 && cluster.balance < least;
        require(answer == expected, "differs");
    }

    /// @notice The balance that just suffices does, and one wei less does not.
    function testFuzz_liquidatable_begins_one_wei_below_the_least_balance(
        uint32 effectiveBalance,
        uint40 feeRate,
        uint32 period,
        uint64 minimumCollateral
    ) external {
        uint256 least = _leastBalance(effectiveBalance, feeRate, period, minimumCollateral);
        Cluster memory cluster = Cluster(1, 0, 0, true, least);
        require(
            !_isLiquidatable(cluster, effectiveBalance, feeRate, period, minimumCollateral),
            "enough is too little"
        );
        if (least == 0) return;
        cluster.balance = least - 1;
        require(
            _isLiquidatable(cluster, effectiveBalance, feeRate, period, minimumCollateral),
            "too little is enough"
        );
    }

    /// @notice Exact, without any rounding.
    function testFuzz_burn_rate_is_exact(uint32 effectiveBalance, uint40 feeRate) external pure {
        uint256 burn = ClusterLedger.burnRate(effectiveBalance, feeRate);
        require(burn * 32 == uint256(feeRate) * effectiveBalance * UNIT, "rounded");
    }

    function testFuzz_bounty_is_the_greater_of_gas_and_twice_the_collateral(
        uint64 minimumCollateral,
        uint64 baseFee
    ) external {
        _parameters.minimumCollateral = minimumCollateral;
        VM.fee(baseFee);
        uint256 byCollateral = 2 * uint256(minimumCollateral) * UNIT;
        uint256 byGas = BOUNTY_GAS * uint256(baseFee);
        uint256 expected = byGas > byCollateral ? byGas : byCollateral;
        require(ClusterLedger.bounty(_parameters) == expected, "differs");
    }

    function testFuzz_move_sets_the_indexes_alone(
        Cluster memory cluster,
        uint64 index,
        uint64 networkIndex
    ) external pure {
        Cluster memory moved = _copy(cluster);
        ClusterLedger.move(moved, index, networkIndex);
        cluster.index = index;
        cluster.networkFeeIndex = networkIndex;
        _requireEqual(moved, cluster);
    }

    function _compareCharge(
        Cluster memory cluster,
        uint256 effectiveBalance,
        uint64 index,
        uint64 networkIndex,
        uint256 usage
    ) private pure {
        Cluster memory charged = _copy(cluster);
        uint256 shortfall = ClusterLedger.charge(charged, effectiveBalance, index, networkIndex);
        uint256 missing = usage > cluster.balance ? usage - cluster.balance : 0;
        require(shortfall == _divideUp(missing, UNIT), "shortfall");
        cluster.balance = missing == 0 ? cluster.balance - usage : 0;
        cluster.index = index;
        cluster.networkFeeIndex = networkIndex;
        _requireEqual(charged, cluster);
    }

    /// @notice Both indexes, moved up to where the cluster's are if they were before.
    function _later(Cluster memory cluster, uint64 index, uint64 networkIndex)
        private
        pure
        returns (uint64, uint64)
    {
        return (
            index > cluster.index ? index : cluster.index,
            networkIndex > cluster.networkFeeIndex ? networkIndex : cluster.networkFeeIndex
        );
    }

    function _isLiquidatable(
        Cluster memory cluster,
        uint256 effectiveBalance,
        uint256 feeRate,
        uint32 period,
        uint64 minimumCollateral
    ) private returns (bool) {
        _parameters.liquidationPeriod = period;
        _parameters.minimumCollateral = minimumCollateral;
        return ClusterLedger.isLiquidatable(cluster, effectiveBalance, feeRate, _parameters);
    }

    /// @notice In wei.
    function _leastBalance(
        uint256 effectiveBalance,
        uint256 feeRate,
        uint256 period,
        uint256 minimumCollateral
    ) private pure returns (uint256) {
        uint256 units = _divideUp(period * feeRate * effectiveBalance, 32);
        return (units > minimumCollateral ? units : minimumCollateral) * UNIT;
    }

    /// @notice In wei, for what 32 ETH have accrued in units.
    function _usage(uint256 accrued, uint256 effectiveBalance) private pure returns (uint256) {
        return _divideUp(accrued * effectiveBalance, 32) * UNIT;
    }

    function _divideUp(uint256 dividend, uint256 divisor) private pure returns (uint256) {
        return dividend == 0 ? 0 : (dividend - 1) / divisor + 1;
    }

    function _copy(Cluster memory cluster) private pure returns (Cluster memory) {
        return Cluster(
            cluster.validatorCount,
            cluster.networkFeeIndex,
            cluster.index,
            cluster.active,
            cluster.balance
        );
    }

    function _requireEqual(Cluster memory one, Cluster memory other) private pure {
        require(keccak256(abi.encode(one)) == keccak256(abi.encode(other)), "structs differ");
    }
}
