// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BeaconRootUnavailable, InvalidProof} from "../interfaces/Errors.sol";
import {IBeaconVerifier} from "../interfaces/IBeaconVerifier.sol";
import {ValidatorProof} from "../interfaces/Types.sol";
import {ValidatorTree} from "./ValidatorTree.sol";

/// @title Proves validators of the beacon states of Electra and Fulu against the roots the chain
/// keeps (EIP-4788).
/// @notice Holds no state and no rights: its answers depend on its four immutables and on the
/// chain's beacon roots.
/// @dev Warning: the window is what makes the proofs sound. A branch shows that 32 bytes lie at a
/// position; that the position holds a validator is knowledge about the state's shape. At a fork
/// that changes the shape, the same position may lie inside a field that strangers fill, and 32
/// bytes of their choice (the withdrawal credentials of a pending deposit, say) may be read as an
/// inner node, under which they can build any validator they like. So:
/// - `validUntil` is at most the time of the first fork that changes the shape; a verifier whose
///   window has ended answers nothing, and effective balances stay as recorded until governance
///   names the next one;
/// - `validFrom` is later than the first block of the first fork that has the shape, not merely its
///   time: the root kept under a timestamp is that of the block before, which may still have the
///   older shape.
contract BeaconVerifier is IBeaconVerifier {
    /// @notice The window or the slot length makes no sense.
    error InvalidWindow(
        uint64 genesisTime, uint64 secondsPerSlot, uint64 validFrom, uint64 validUntil
    );

    /// @notice The beacon roots contract: its own timestamp ring of 8,191 blocks, about 27 hours.
    address public constant BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02;

    /// @notice UNIX seconds of slot 0.
    uint64 public immutable GENESIS_TIME;
    uint64 public immutable SECONDS_PER_SLOT;
    /// @notice First timestamp that may be asked for, in UNIX seconds.
    uint64 public immutable VALID_FROM;
    /// @notice First timestamp that may no longer be asked for, in UNIX seconds.
    uint64 public immutable VALID_UNTIL;

    /// @param genesisTime UNIX seconds of slot 0.
    /// @param secondsPerSlot At least 1.
    /// @param validFrom Later than the first block whose state has this shape, and not before
    /// genesis.
    /// @param validUntil Not after the first fork that changes the shape.
    constructor(uint64 genesisTime, uint64 secondsPerSlot, uint64 validFrom, uint64 validUntil) {
        if (secondsPerSlot == 0 || validFrom < genesisTime || validUntil <= validFrom) {
            revert InvalidWindow(genesisTime, secondsPerSlot, validFrom, validUntil);
        }
        GENESIS_TIME = genesisTime;
        SECONDS_PER_SLOT = secondsPerSlot;
        VALID_FROM = validFrom;
        VALID_UNTIL = validUntil;
    }

    /// @inheritdoc IBeaconVerifier
    /// @dev An empty list of proofs is accepted if the state root is proven.
    function verify(
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) external view returns (uint64 slot) {
        if (beaconTimestamp < VALID_FROM || beaconTimestamp >= VALID_UNTIL) {
            revert BeaconRootUnavailable(beaconTimestamp);
        }
        bytes32 beaconRoot = _beaconRoot(beaconTimestamp);
        if (
            stateRootBranch.length != ValidatorTree.STATE_ROOT_SIBLINGS
                || !ValidatorTree.isInTree(
                    beaconRoot, stateRoot, ValidatorTree.STATE_ROOT_INDEX, stateRootBranch
                )
        ) revert InvalidProof();
        for (uint256 i = 0; i < proofs.length; ++i) {
            _requireValidator(stateRoot, proofs[i]);
        }
        // The constructor holds GENESIS_TIME <= VALID_FROM, and VALID_FROM <= beaconTimestamp.
        return (beaconTimestamp - GENESIS_TIME) / SECONDS_PER_SLOT;
    }

    /// @dev Reverts unless the claimed container lies at the claimed index of the state's
    /// validators.
    function _requireValidator(bytes32 stateRoot, ValidatorProof calldata proof) private view {
        if (
            proof.publicKey.length != ValidatorTree.PUBLIC_KEY_BYTES
                || proof.validatorIndex >= ValidatorTree.MAXIMUM_VALIDATORS
                || proof.branch.length != ValidatorTree.VALIDATOR_SIBLINGS
        ) revert InvalidProof();
        (bytes32 leaf, bool hashed) = ValidatorTree.containerRoot(proof);
        // No overflow: the index is below 2^40, so this only fills the low 40 bits.
        uint256 index = ValidatorTree.FIRST_VALIDATOR_INDEX | proof.validatorIndex;
        if (!hashed || !ValidatorTree.isInTree(stateRoot, leaf, index, proof.branch)) {
            revert InvalidProof();
        }
    }

    /// @dev The root kept under the timestamp. No code at the address answers with no bytes, an
    /// unknown timestamp with a revert; neither is a root, nor are 32 zero bytes.
    function _beaconRoot(uint64 beaconTimestamp) private view returns (bytes32 root) {
        (bool found, bytes memory answer) =
            BEACON_ROOTS.staticcall(abi.encode(uint256(beaconTimestamp)));
        if (found && answer.length == 32) root = abi.decode(answer, (bytes32));
        if (root == bytes32(0)) revert BeaconRootUnavailable(beaconTimestamp);
    }
}
