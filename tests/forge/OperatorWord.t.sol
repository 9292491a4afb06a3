// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OperatorWord, OperatorWords} from "../../contracts/ledger/OperatorWord.sol";
import {VM} from "./Cheatcodes.sol";

/// @title The operator's word against a struct and plain, checked arithmetic.
contract OperatorWordTest {
    /// @dev Every field in the place its comment names; `flags` is the highest byte, 0 or 1.
    struct Plain {
        uint32 blockNumber;
        uint40 fee;
        uint64 index;
        uint64 credit;
        uint32 effectiveBalance;
        uint16 validators;
        bool isPrivate;
    }

    function testFuzz_fields_are_read_where_they_were_packed(Plain calldata plain) external pure {
        _requireEqual(_pack(plain), plain);
        require(_pack(plain).isLive() == (plain.blockNumber != 0), "is live");
    }

    function testFuzz_new_account_is_empty(uint32 blockNumber, uint40 fee, bool isPrivate)
        external
    {
        VM.roll(blockNumber);
        _requireEqual(
            OperatorWords.open(fee, isPrivate), Plain(blockNumber, fee, 0, 0, 0, 0, isPrivate)
        );
    }

    /// @notice At any later block, up to the highest fee; a credit stops at its highest value.
    function testFuzz_settle_equals_plain_arithmetic(Plain memory plain, uint32 blocks) external {
        plain.fee %= 2 ** 30;
        // The rest of the index is what the bound on fees leaves (`Units`).
        plain.index %= 2 ** 63;
        uint32 room = type(uint32).max - plain.blockNumber;
        if (blocks > room) blocks = room;
        OperatorWord word = _pack(plain);
        VM.roll(uint256(plain.blockNumber) + blocks);
        uint256 accrued = uint256(blocks) * plain.fee;
        uint256 credit = plain.credit + (accrued * plain.effectiveBalance) / 32;
        plain.credit = credit > type(uint64).max ? type(uint64).max : uint64(credit);
        plain.index += uint64(accrued);
        plain.blockNumber += blocks;
        _requireEqual(word.settle(), plain);
    }

    /// @notice Settling twice in a block is settling once.
    function testFuzz_settle_again_changes_nothing(Plain memory plain, uint16 blocks) external {
        plain.fee %= 2 ** 30;
        plain.index %= 2 ** 63;
        plain.blockNumber %= type(uint32).max - type(uint16).max;
        VM.roll(uint256(plain.blockNumber) + blocks);
        OperatorWord once = _pack(plain).settle();
        require(OperatorWord.unwrap(once.settle()) == OperatorWord.unwrap(once), "differs");
    }

    function testFuzz_credit_stops_at_its_highest_value(Plain memory plain) external {
        plain.blockNumber = 1;
        plain.fee = 2 ** 30 - 1;
        plain.index = 0;
        plain.effectiveBalance = type(uint32).max;
        OperatorWord word = _pack(plain);
        VM.roll(type(uint32).max);
        require(word.settle().credit() == type(uint64).max, "not the highest value");
        require(word.settle().validators() == plain.validators, "neighbour touched");
    }

    /// @notice Adding and taking off, whatever the neighbours hold.
    function testFuzz_change_moves_validators_and_balance_alone(
        Plain memory plain,
        uint16 validators,
        uint32 effectiveBalance
    ) external pure {
        OperatorWord word = _pack(plain);
        int256 moreValidators = int256(uint256(validators)) - int256(uint256(plain.validators));
        int256 moreEth = int256(uint256(effectiveBalance)) - int256(uint256(plain.effectiveBalance));
        plain.validators = validators;
        plain.effectiveBalance = effectiveBalance;
        _requireEqual(word.change(moreValidators, moreEth), plain);
    }

    function testFuzz_with_fee_sets_the_fee_alone(Plain memory plain, uint40 fee) external pure {
        OperatorWord word = _pack(plain).withFee(fee);
        plain.fee = fee;
        _requireEqual(word, plain);
    }

    function testFuzz_with_credit_sets_the_credit_alone(Plain memory plain, uint64 credit)
        external
        pure
    {
        OperatorWord word = _pack(plain).withCredit(credit);
        plain.credit = credit;
        _requireEqual(word, plain);
    }

    function testFuzz_with_private_sets_the_flag_alone(Plain memory plain, bool isPrivate)
        external
        pure
    {
        OperatorWord word = _pack(plain).withPrivate(isPrivate);
        plain.isPrivate = isPrivate;
        _requireEqual(word, plain);
    }

    function testFuzz_removed_keeps_index_and_flag(Plain memory plain) external pure {
        _requireEqual(_pack(plain).removed(), Plain(0, 0, plain.index, 0, 0, 0, plain.isPrivate));
    }

    /// @notice The word by multiplication, in the order of the comment on the type.
    function _pack(Plain memory plain) private pure returns (OperatorWord) {
        uint256 word = plain.isPrivate ? 1 : 0;
        word = word * 2 ** 16 + plain.validators;
        word = word * 2 ** 32 + plain.effectiveBalance;
        word = word * 2 ** 64 + plain.credit;
        word = word * 2 ** 64 + plain.index;
        word = word * 2 ** 40 + plain.fee;
        word = word * 2 ** 32 + plain.blockNumber;
        return OperatorWord.wrap(word);
    }

    function _requireEqual(OperatorWord word, Plain memory plain) private pure {
        require(word.blockNumber() == plain.blockNumber, "block");
        require(word.fee() == plain.fee, "fee");
        require(word.index() == plain.index, "index");
        require(word.credit() == plain.credit, "credit");
        require(word.effectiveBalance() == plain.effectiveBalance, "effective balance");
        require(word.validators() == plain.validators, "validators");
        require(word.isPrivate() == plain.isPrivate, "private");
        // Nothing beside the fields.
        require(OperatorWord.unwrap(word) == OperatorWord.unwrap(_pack(plain)), "word as a whole");
    }
}
