// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IAllowList} from "../interfaces/IAllowList.sol";

/// @title An allow-list contract that misbehaves when asked, for tests of the caller's defences.
/// @notice It always says that it implements the interface; what it does with the question is its
/// mode.
contract GreedyAllowList is IERC165 {
    /// @param BurnAllGas Uses up all gas it is given.
    /// @param Revert Reverts without data.
    /// @param RevertLong Reverts with 50,000 bytes.
    /// @param AnswerNothing Succeeds with no data.
    /// @param AnswerOneByte Succeeds with the single byte 1.
    /// @param AnswerTwo Succeeds with the number 2, which is no boolean.
    /// @param AnswerAllOnes Succeeds with a word of ones, which is no boolean.
    /// @param AnswerLong Succeeds with `true` and 50,000 bytes after it.
    /// @param WriteState Changes its own storage, then answers `true`.
    /// @param AnswerTrue Behaves.
    /// @param AnswerFalse Behaves.
    enum Mode {
        BurnAllGas,
        Revert,
        RevertLong,
        AnswerNothing,
        AnswerOneByte,
        AnswerTwo,
        AnswerAllOnes,
        AnswerLong,
        WriteState,
        AnswerTrue,
        AnswerFalse
    }

    uint256 private constant LONG = 50_000;

    Mode public mode;
    uint256 public timesAsked;

    constructor(Mode initial) {
        mode = initial;
    }

    /// @notice Chooses what the next questions meet.
    function setMode(Mode next) external {
        mode = next;
    }

    /// @notice The one function of `IAllowList`, here without `view` so that a mode can try to
    /// write.
    function isWhitelisted(address, uint256) external returns (bool) {
        Mode now_ = mode;
        if (now_ == Mode.BurnAllGas) _burn();
        if (now_ == Mode.Revert) _end({fails: true, size: 0, word: 0});
        if (now_ == Mode.RevertLong) _end({fails: true, size: LONG, word: 1});
        if (now_ == Mode.AnswerNothing) _end({fails: false, size: 0, word: 0});
        if (now_ == Mode.AnswerOneByte) _end({fails: false, size: 1, word: 1 << 248});
        if (now_ == Mode.AnswerTwo) _end({fails: false, size: 32, word: 2});
        if (now_ == Mode.AnswerAllOnes) _end({fails: false, size: 32, word: type(uint256).max});
        if (now_ == Mode.AnswerLong) _end({fails: false, size: LONG, word: 1});
        if (now_ == Mode.WriteState) ++timesAsked;
        return now_ != Mode.AnswerFalse;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure override returns (bool) {
        return
            interfaceId == type(IAllowList).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    function _burn() private pure {
        // The invalid instruction takes whatever gas the call was given.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _end(bool fails, uint256 size, uint256 word) private pure {
        // Memory from 0x80 on is free: nothing runs after this in the call.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, word)
            if fails {
                revert(at, size)
            }
            return(at, size)
        }
    }
}
