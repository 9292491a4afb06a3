// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster, ValidatorProof} from "./Types.sol";

/// @title Effective balances, proven from the beacon chain's own roots.
interface IEffectiveBalances {
    /// @notice Records the effective balances of validators of a cluster, 32 to 2048 ETH each. What
    /// the cluster pays changes with this block. Anyone may call.
    /// @param beaconTimestamp Timestamp under which this chain recorded the beacon root (EIP-4788),
    /// at most about 27 hours old, above the last one proven for each validator.
    /// @param stateRoot State root of that beacon block.
    /// @param stateRootBranch Siblings from the state root to the block's root.
    /// @dev Ether sent joins the balance before the liquidation test, so that an owner can prove a
    /// higher balance and pay for it at once. If the cluster is liquidatable afterwards it is
    /// liquidated, with the caller as liquidator. `NothingChanged` if no balance differs from its
    /// record.
    /// Warning: the prover chooses among all roots of those 27 hours.
    /// Warning: changes the struct, so what the owner has sent and not yet seen mined reverts.
    function proveEffectiveBalances(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster,
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) external payable;
}
