// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "../../contracts/interfaces/Types.sol";
import {Cheatcodes, VM} from "./Cheatcodes.sol";
import {FastEmitter, ILogEmitter, PlainEmitter} from "./LogEmitters.sol";

/// @title The logs written in assembly equal the compiler's, byte for byte.
contract ClusterLogsTest {
    uint256 private constant MOST_KEYS = 4;
    uint256 private constant KEY_BYTES = 48;

    ILogEmitter private immutable FAST = new FastEmitter();
    ILogEmitter private immutable PLAIN = new PlainEmitter();

    function testFuzz_logs_of_values_equal(
        uint8 f,
        uint64[13] calldata ids,
        address owner,
        uint256 value,
        Cluster calldata cluster
    ) external {
        uint64[] memory operatorIds = _operatorIds(f, ids);
        _compare(abi.encodeCall(FAST.deposited, (owner, operatorIds, value, cluster)), 1);
        _compare(abi.encodeCall(FAST.withdrawn, (owner, operatorIds, value, cluster)), 1);
    }

    function testFuzz_logs_of_status_equal(
        uint8 f,
        uint64[13] calldata ids,
        address owner,
        Cluster calldata cluster
    ) external {
        uint64[] memory operatorIds = _operatorIds(f, ids);
        _compare(abi.encodeCall(FAST.liquidated, (owner, operatorIds, cluster)), 1);
        _compare(abi.encodeCall(FAST.reactivated, (owner, operatorIds, cluster)), 1);
    }

    function testFuzz_logs_of_registrations_equal(
        uint8 f,
        uint64[13] calldata ids,
        uint8 keys,
        bytes32 seed,
        Cluster calldata cluster
    ) external {
        uint64[] memory operatorIds = _operatorIds(f, ids);
        uint256 count = 1 + (keys % MOST_KEYS);
        bytes[] memory shares = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            shares[i] = _noise(96 + 304 * operatorIds.length, keccak256(abi.encode(seed, i)));
        }
        _compare(
            abi.encodeCall(FAST.added, (operatorIds, _publicKeys(count, seed), shares, cluster)),
            count
        );
    }

    function testFuzz_logs_of_removals_equal(
        uint8 f,
        uint64[13] calldata ids,
        uint8 keys,
        bytes32 seed,
        Cluster calldata cluster
    ) external {
        uint64[] memory operatorIds = _operatorIds(f, ids);
        uint256 count = 1 + (keys % MOST_KEYS);
        bytes[] memory publicKeys = _publicKeys(count, seed);
        _compare(abi.encodeCall(FAST.removed, (operatorIds, publicKeys, cluster)), count);
    }

    function testFuzz_logs_of_exits_equal(
        uint8 f,
        uint64[13] calldata ids,
        uint8 keys,
        bytes32 seed
    ) external {
        uint64[] memory operatorIds = _operatorIds(f, ids);
        uint256 count = 1 + (keys % MOST_KEYS);
        _compare(abi.encodeCall(FAST.exited, (operatorIds, _publicKeys(count, seed))), count);
    }

    /// @notice Sends the same call to both and compares all they emit.
    function _compare(bytes memory call, uint256 count) private {
        Cheatcodes.Log[] memory fast = _logsOf(FAST, call);
        Cheatcodes.Log[] memory plain = _logsOf(PLAIN, call);
        require(fast.length == count && plain.length == count, "number of logs");
        for (uint256 i; i < count; ++i) {
            require(
                keccak256(abi.encode(fast[i].topics)) == keccak256(abi.encode(plain[i].topics)),
                "topics differ"
            );
            require(keccak256(fast[i].data) == keccak256(plain[i].data), "data differs");
        }
    }

    function _logsOf(ILogEmitter emitter, bytes memory call)
        private
        returns (Cheatcodes.Log[] memory)
    {
        VM.recordLogs();
        (bool done, bytes memory answer) = address(emitter).call(call);
        require(done, string(answer));
        return VM.getRecordedLogs();
    }

    /// @notice 4, 7, 10 or 13 ids.
    function _operatorIds(uint8 f, uint64[13] calldata ids)
        private
        pure
        returns (uint64[] memory operatorIds)
    {
        operatorIds = new uint64[](4 + 3 * uint256(f % 4));
        for (uint256 i; i < operatorIds.length; ++i) {
            operatorIds[i] = ids[i];
        }
    }

    function _publicKeys(uint256 count, bytes32 seed)
        private
        pure
        returns (bytes[] memory publicKeys)
    {
        publicKeys = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            publicKeys[i] = _noise(KEY_BYTES, keccak256(abi.encode("key", seed, i)));
        }
    }

    /// @notice That many bytes, none of them predictable.
    function _noise(uint256 size, bytes32 seed) private pure returns (bytes memory noise) {
        noise = new bytes(size);
        // Word by word; what the last one has too much lies in the array's own padding.
        assembly ("memory-safe") {
            let end := add(noise, add(0x20, size))
            for { let at := add(noise, 0x20) } lt(at, end) { at := add(at, 0x20) } {
                mstore(at, seed)
                seed := keccak256(at, 0x20)
            }
        }
    }
}
