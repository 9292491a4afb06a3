// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Private here, and named as private state is.
// solhint-disable immutable-vars-naming

import {BeaconRootUnavailable, InvalidProof} from "../interfaces/Errors.sol";
import {IBeaconVerifier} from "../interfaces/IBeaconVerifier.sol";
import {ValidatorProof} from "../interfaces/Types.sol";

/// @title The beacon verifier without assembly: what the fast one is compared with.
/// @notice For tests only. It shares no code with contracts/proofs and follows the specification
/// line by line: consensus-specs, ssz/simple-serialize.md and ssz/merkle-proofs.md.
contract PlainBeaconVerifier is IBeaconVerifier {
    address private constant BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02;

    uint64 private immutable _genesisTime;
    uint64 private immutable _secondsPerSlot;
    uint64 private immutable _validFrom;
    uint64 private immutable _validUntil;

    constructor(uint64 genesisTime, uint64 secondsPerSlot, uint64 validFrom, uint64 validUntil) {
        _genesisTime = genesisTime;
        _secondsPerSlot = secondsPerSlot;
        _validFrom = validFrom;
        _validUntil = validUntil;
    }

    /// @inheritdoc IBeaconVerifier
    function verify(
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) external view returns (uint64 slot) {
        bool inWindow = _validFrom <= beaconTimestamp && beaconTimestamp < _validUntil;
        (bool found, bytes memory answer) = BEACON_ROOTS.staticcall(abi.encode(beaconTimestamp));
        if (!inWindow || !found || answer.length != 32 || bytes32(answer) == bytes32(0)) {
            revert BeaconRootUnavailable(beaconTimestamp);
        }
        if (!_holds(bytes32(answer), stateRoot, 11, stateRootBranch)) revert InvalidProof();
        for (uint256 i = 0; i < proofs.length; ++i) {
            ValidatorProof calldata proof = proofs[i];
            if (proof.publicKey.length != 48 || proof.validatorIndex >= 2 ** 40) {
                revert InvalidProof();
            }
            uint256 index = 150 * 2 ** 40 + proof.validatorIndex;
            if (!_holds(stateRoot, _containerRoot(proof), index, proof.branch)) {
                revert InvalidProof();
            }
        }
        return (beaconTimestamp - _genesisTime) / _secondsPerSlot;
    }

    function _holds(bytes32 root, bytes32 leaf, uint256 index, bytes32[] calldata branch)
        private
        pure
        returns (bool)
    {
        bytes32 node = leaf;
        for (uint256 i = 0; i < branch.length; ++i) {
            // A branch that goes on at the root is longer than the index is deep.
            if (index == 1) return false;
            node = index % 2 == 0 ? _pair(node, branch[i]) : _pair(branch[i], node);
            index /= 2;
        }
        return index == 1 && node == root;
    }

    function _containerRoot(ValidatorProof calldata proof) private pure returns (bytes32) {
        bytes32 first = _pair(
            sha256(abi.encodePacked(proof.publicKey, bytes16(0))), proof.withdrawalCredentials
        );
        bytes32 second = _pair(_number(proof.effectiveBalanceGwei), _number(proof.slashed ? 1 : 0));
        bytes32 third =
            _pair(_number(proof.activationEligibilityEpoch), _number(proof.activationEpoch));
        bytes32 fourth = _pair(_number(proof.exitEpoch), _number(proof.withdrawableEpoch));
        return _pair(_pair(first, second), _pair(third, fourth));
    }

    function _number(uint64 number) private pure returns (bytes32) {
        bytes memory word = new bytes(32);
        for (uint256 i = 0; i < 8; ++i) {
            // Truncation is meant: the byte of weight 256^i goes to place i.
            word[i] = bytes1(uint8(number >> (8 * i)));
        }
        return bytes32(word);
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(left, right));
    }
}
