// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ValidatorProof} from "./Types.sol";

/// @title Checks validators of the beacon state against a beacon root that this chain recorded
/// (EIP-4788).
/// @notice One verifier knows one shape of the beacon state. Governance replaces it when a fork
/// changes the shape.
interface IBeaconVerifier {
    /// @notice Returns if every proof holds for the beacon block whose root the chain recorded
    /// under `beaconTimestamp`.
    /// @param beaconTimestamp Timestamp of an execution block; its beacon block's parent root is
    /// what is looked up.
    /// @param stateRoot State root of that parent beacon block.
    /// @param stateRootBranch Siblings from the state root up to the beacon block's root, lowest
    /// first.
    /// @param proofs Validators claimed to be in that state.
    /// @return slot Slot that `beaconTimestamp` belongs to. The state proven is that of an earlier
    /// slot.
    /// @dev Reverts `BeaconRootUnavailable` if the chain has no root for the timestamp or this
    /// verifier's shape does not cover it, and `InvalidProof` if a branch does not lead to it.
    /// Ether is never involved.
    function verify(
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) external view returns (uint64 slot);
}
