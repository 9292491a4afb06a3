// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "../../contracts/interfaces/Types.sol";
import {ClusterKey, ClusterWord} from "../../contracts/keys/ClusterKey.sol";
import {ValidatorKey, ValidatorWord} from "../../contracts/keys/ValidatorKey.sol";
import {PlainHashes} from "../../contracts/mocks/PlainHashes.sol";
import {Layout} from "../../contracts/storage/Layout.sol";
import {Memory} from "./Memory.sol";

/// @title The hashes as the registry takes them, from soiled memory.
contract FastHashes {
    function clusterId(address owner, uint64[] calldata operatorIds)
        external
        pure
        returns (bytes32)
    {
        Memory.soil();
        return ClusterKey.idOf(owner, operatorIds);
    }

    function commitment(Cluster memory cluster) external pure returns (uint256) {
        Memory.soil();
        return ClusterKey.commitmentOf(cluster);
    }

    function validatorId(bytes calldata publicKey, address owner) external pure returns (bytes32) {
        Memory.soil();
        return ValidatorKey.idOf(publicKey, owner);
    }
}

/// @title Hashes equal those of their plain twins; packed words give back what was put in.
contract KeysTest {
    FastHashes private immutable FAST = new FastHashes();

    /// @notice Also for ids that exceed 64 bits: they are hashed as they came.
    function testFuzz_cluster_ids_equal(address owner, uint256[] calldata operatorIds)
        external
        view
    {
        bytes memory call =
            abi.encodeWithSelector(FastHashes.clusterId.selector, owner, operatorIds);
        (bool done, bytes memory answer) = address(FAST).staticcall(call);
        require(done, "reverts");
        require(
            abi.decode(answer, (bytes32)) == PlainHashes.clusterId(owner, operatorIds), "differs"
        );
    }

    function testFuzz_commitments_equal(Cluster calldata cluster) external view {
        require(FAST.commitment(cluster) == PlainHashes.commitment(cluster), "differs");
    }

    /// @notice For keys of any length.
    function testFuzz_validator_ids_equal(bytes calldata publicKey, address owner) external view {
        bytes32 id = FAST.validatorId(publicKey, owner);
        require(id == PlainHashes.validatorId(publicKey, owner), "differs");
    }

    function testFuzz_cluster_word_round_trip(
        Cluster calldata cluster,
        uint32 effectiveBalance,
        uint32 sequence
    ) external pure {
        ClusterWord word = ClusterKey.pack(cluster, effectiveBalance, sequence);
        require(word.effectiveBalance() == effectiveBalance, "effective balance");
        require(word.sequence() == sequence, "sequence");
        require(word.commitment() == PlainHashes.commitment(cluster), "commitment");
        word.requireCurrent(cluster);
    }

    function testFuzz_validator_word_round_trip(
        uint32 sequence,
        uint16 effectiveBalance,
        uint40 slot
    ) external pure {
        ValidatorWord word = ValidatorKey.pack(sequence, effectiveBalance, slot);
        require(word.clusterSequence() == sequence, "sequence");
        require(word.effectiveBalance() == effectiveBalance, "effective balance");
        require(word.lastProofSlot() == slot, "slot");
        require(word.isIn(sequence) == (sequence != 0), "is in its cluster");
        require(sequence == 1 || !word.isIn(1), "is in another cluster");
    }

    /// @notice ERC-7201.
    function test_storage_slot_equals_its_formula() external pure {
        bytes32 name = keccak256("phalanx.registry");
        bytes32 formula = keccak256(abi.encode(uint256(name) - 1)) & ~bytes32(uint256(0xff));
        require(Layout.SLOT == formula, "differs");
    }
}
