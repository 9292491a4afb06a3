// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "../interfaces/Types.sol";
import {Parameters} from "../storage/Layout.sol";
import {FEE_UNIT, Units} from "./Units.sol";

/// @title What a cluster owes, and when it may be liquidated. Mirrored by `sdk.registry.ledger`.
/// @dev Pure maths on a cluster's struct; `parts/Accounts` applies it. Debits round up and credits
/// down, so clusters never pay less than operators and network receive.
library ClusterLedger {
    /// @dev Gas whose price at the block's base fee a liquidator may earn, so that liquidating pays
    /// even when gas is dear.
    uint256 internal constant BOUNTY_GAS = 300_000;

    /// @notice Brings the struct of an active cluster to the given indexes.
    /// @param cluster Changed in place: indexes, and the balance after what was used.
    /// @param index Sum of the operators' indexes at this block, in units.
    /// @param networkIndex The network's index at this block, in units.
    /// @return shortfall What the balance did not hold of it, in units, rounded up.
    function charge(
        Cluster memory cluster,
        uint256 effectiveBalance,
        uint256 index,
        uint256 networkIndex
    ) internal pure returns (uint256 shortfall) {
        unchecked {
            // Indexes never decrease. Sums of 14 indexes stay below 2^64 for 2^30 blocks at the
            // highest fee (`MAX_FEE_UNITS`), which is four centuries.
            uint256 accrued = (index - cluster.index) + (networkIndex - cluster.networkFeeIndex);
            uint256 usage = Units.toWei(Units.scaleUp(accrued, effectiveBalance));
            uint256 balance = cluster.balance;
            if (usage > balance) {
                shortfall = (usage / FEE_UNIT) - (balance / FEE_UNIT);
                cluster.balance = 0;
            } else {
                cluster.balance = balance - usage;
            }
        }
        move(cluster, index, networkIndex);
    }

    /// @notice Sets the indexes without charging.
    function move(Cluster memory cluster, uint256 index, uint256 networkIndex) internal pure {
        // Below 2^64, see `charge`.
        // forge-lint: disable-next-line(unsafe-typecast)
        cluster.index = uint64(index);
        // forge-lint: disable-next-line(unsafe-typecast)
        cluster.networkFeeIndex = uint64(networkIndex);
    }

    /// @notice Whether anyone may liquidate a cluster with this settled struct.
    /// @param feeRate Fees of its operators and the network, in units per block and 32 ETH.
    function isLiquidatable(
        Cluster memory cluster,
        uint256 effectiveBalance,
        uint256 feeRate,
        Parameters storage parameters
    ) internal view returns (bool) {
        if (!cluster.active || cluster.validatorCount == 0) return false;
        unchecked {
            // At most 432,000 blocks and 14 fees below 2^30.
            uint256 fees = parameters.liquidationPeriod * feeRate;
            uint256 threshold = Units.scaleUp(fees, effectiveBalance);
            if (threshold < parameters.minimumCollateral) threshold = parameters.minimumCollateral;
            return cluster.balance < Units.toWei(threshold);
        }
    }

    /// @notice What the cluster uses, in wei per block. Exact, because 32 divides the unit.
    function burnRate(uint256 effectiveBalance, uint256 feeRate) internal pure returns (uint256) {
        return Units.scaleDown(Units.toWei(feeRate), effectiveBalance);
    }

    /// @notice What a liquidator who is not the owner is paid at most, in wei.
    function bounty(Parameters storage parameters) internal view returns (uint256) {
        unchecked {
            // The collateral is at most 0.05 ETH; the base fee is money that exists.
            uint256 byCollateral = 2 * Units.toWei(parameters.minimumCollateral);
            uint256 byGas = BOUNTY_GAS * block.basefee;
            return byGas > byCollateral ? byGas : byCollateral;
        }
    }
}
