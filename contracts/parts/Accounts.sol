// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CallerNotWhitelistedWithData,
    ClusterNotLiquidatable,
    ExceedValidatorLimitWithData,
    OperatorDoesNotExist,
    TooManyValidators
} from "../interfaces/Errors.sol";
import {Cluster} from "../interfaces/Types.sol";
import {ClusterKey, ClusterWord} from "../keys/ClusterKey.sol";
import {OperatorSet} from "../keys/OperatorSet.sol";
import {ClusterLedger} from "../ledger/ClusterLedger.sol";
import {MAX_NETWORK_VALIDATORS, NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";
import {Units} from "../ledger/Units.sol";
import {Layout, RegistryStorage} from "../storage/Layout.sol";
import {AllowLists} from "./AllowLists.sol";
import {ClusterLogs} from "./ClusterLogs.sol";
import {Payments} from "./Payments.sol";

/// @dev A cluster while a call works on it.
/// @param cluster The caller's struct, checked, then settled and changed.
/// @param effectiveBalance In ETH.
/// @param feeRate Fees of operators and network in units per block and 32 ETH; set by a settlement.
/// @param liveOperators Operators that are not removed; set by a settlement.
struct OpenCluster {
    Cluster cluster;
    bytes32 id;
    address owner;
    uint256 sequence;
    uint256 effectiveBalance;
    uint256 feeRate;
    uint256 liveOperators;
}

/// @title What all calls on clusters share: the one settlement, liquidation, storing.
abstract contract Accounts is Payments {
    /// @notice Reads an existing cluster and checks the caller's struct.
    function _open(address owner, uint64[] calldata operatorIds, Cluster calldata cluster)
        internal
        view
        returns (OpenCluster memory open)
    {
        open.cluster = cluster;
        open.owner = owner;
        open.id = ClusterKey.idOf(owner, operatorIds);
        ClusterWord word = Layout.load().clusters[open.id];
        word.requireCurrent(open.cluster);
        open.sequence = word.sequence();
        open.effectiveBalance = word.effectiveBalance();
    }

    /// @notice Settles operators, network and cluster at this block, then changes the sums that
    /// operators and network keep. Called before any change it could affect; twice in a block is
    /// once. Removed operators add their frozen index and are otherwise skipped.
    /// @param validators What is added to the number of validators, or taken off it.
    /// @param eth The same for effective balance, in ETH.
    /// @param newcomer Who registers validators, and must be admitted by each operator; else zero.
    function _settle(
        OpenCluster memory open,
        uint64[] calldata operatorIds,
        int256 validators,
        int256 eth,
        address newcomer
    ) internal {
        RegistryStorage storage $ = Layout.load();
        uint256 index = _settleOperators(open, operatorIds, validators, eth, newcomer);
        NetworkWord network = $.network.settle();
        open.feeRate += network.fee();
        if (open.cluster.active) {
            uint256 shortfall =
                ClusterLedger.charge(open.cluster, open.effectiveBalance, index, network.index());
            if (shortfall != 0) network = _book(open, network, shortfall);
        } else {
            ClusterLedger.move(open.cluster, index, network.index());
        }
        if (validators > 0) {
            require(
                network.validators() + uint256(validators) <= MAX_NETWORK_VALIDATORS,
                TooManyValidators(MAX_NETWORK_VALIDATORS)
            );
        }
        $.network = network.change(validators, eth);
    }

    /// @notice Settles and changes the operators; see `_settle`.
    /// @return index Sum of their indexes at this block, in units.
    function _settleOperators(
        OpenCluster memory open,
        uint64[] calldata operatorIds,
        int256 validators,
        int256 eth,
        address newcomer
    ) private returns (uint256 index) {
        RegistryStorage storage $ = Layout.load();
        uint256 limit = $.parameters.validatorsPerOperatorLimit;
        AllowLists.Group memory group = AllowLists.none();
        uint256 feeRate;
        uint256 live;
        uint256 previous;
        for (uint256 i; i < operatorIds.length; ++i) {
            uint64 operatorId = operatorIds[i];
            OperatorWord word = $.operators[operatorId];
            if (newcomer != address(0)) {
                if (i != 0) OperatorSet.requireAfter(operatorId, previous);
                previous = operatorId;
                require(word.isLive(), OperatorDoesNotExist());
                if (word.isPrivate()) {
                    require(
                        AllowLists.admits(group, newcomer, operatorId),
                        CallerNotWhitelistedWithData(operatorId)
                    );
                }
            }
            unchecked {
                // At most 13 operators, each with a fee below 2^40 and an index below 2^64; a call
                // adds at most as many validators as calldata has keys.
                if (word.isLive()) {
                    ++live;
                    feeRate += word.fee();
                    word = word.settle();
                    if (validators > 0) {
                        require(
                            word.validators() + uint256(validators) <= limit,
                            ExceedValidatorLimitWithData(operatorId)
                        );
                    }
                    $.operators[operatorId] = word.change(validators, eth);
                }
                index += word.index();
            }
        }
        open.feeRate = feeRate;
        open.liveOperators = live;
    }

    /// @notice Takes a shortfall from the network's earnings. What they cannot bear is uncovered
    /// debt: operators were credited it already, and nobody paid.
    function _book(OpenCluster memory open, NetworkWord network, uint256 shortfall)
        private
        returns (NetworkWord booked)
    {
        // Below 2^108, see `Units`.
        // forge-lint: disable-next-line(unsafe-typecast)
        booked = network.book(-int256(shortfall));
        uint256 added = booked.debt() - network.debt();
        if (added != 0) emit DebtUncovered(open.owner, open.id, Units.toWei(added));
    }

    /// @notice Liquidates an active cluster: settles it, takes it out of its parties' sums, stores
    /// and reports it. The caller of the transaction is the liquidator.
    /// @return reward What the liquidator is to be paid once everything is written, in wei.
    function _liquidate(OpenCluster memory open, uint64[] calldata operatorIds)
        internal
        returns (uint256 reward)
    {
        Cluster memory cluster = open.cluster;
        _settle(
            open,
            operatorIds,
            -int256(uint256(cluster.validatorCount)),
            -int256(open.effectiveBalance),
            address(0)
        );
        reward = cluster.balance;
        if (msg.sender != open.owner) {
            require(_isLiquidatable(open), ClusterNotLiquidatable());
            uint256 bounty = ClusterLedger.bounty(Layout.load().parameters);
            if (reward > bounty) reward = bounty;
        }
        cluster.active = false;
        cluster.balance -= reward;
        ClusterLedger.move(cluster, 0, 0);
        _store(open);
        ClusterLogs.emitStatus(ClusterLiquidated.selector, open.owner, operatorIds, cluster);
    }

    /// @notice Whether a settled cluster may be liquidated.
    function _isLiquidatable(OpenCluster memory open) internal view returns (bool) {
        return ClusterLedger.isLiquidatable(
            open.cluster, open.effectiveBalance, open.feeRate, Layout.load().parameters
        );
    }

    function _store(OpenCluster memory open) internal {
        Layout.load().clusters[open.id] =
            ClusterKey.pack(open.cluster, open.effectiveBalance, open.sequence);
    }
}
