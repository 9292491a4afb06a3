// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBeaconVerifier} from "../interfaces/IBeaconVerifier.sol";
import {ValidatorProof} from "../interfaces/Types.sol";

/// @title A verifier that believes every claim, for fuzzing the accounting around it.
/// @notice For tests only: the fields of each proof are taken as true and the branches are never
/// read.
/// @dev Warning: behind a registry that holds money, anyone could set any effective balance.
contract OpenBeaconVerifier is IBeaconVerifier {
    /// @inheritdoc IBeaconVerifier
    /// @dev Accepts everything and answers the timestamp itself as the slot.
    function verify(uint64 beaconTimestamp, bytes32, bytes32[] calldata, ValidatorProof[] calldata)
        external
        pure
        returns (uint64 slot)
    {
        return beaconTimestamp;
    }
}
