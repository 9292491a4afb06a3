// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    MAX_NETWORK_VALIDATORS,
    NetworkWord,
    NetworkWords
} from "../../contracts/ledger/NetworkWord.sol";
import {VM} from "./Cheatcodes.sol";

/// @title The network's word against a struct and plain, checked arithmetic.
contract NetworkWordTest {
    /// @dev Every field in the place its comment names; two of them are less wide than their types.
    struct Plain {
        uint32 blockNumber;
        uint24 fee;
        uint56 index;
        int80 balance;
        uint40 effectiveBalance;
        uint24 validators;
    }

    int80 private constant HIGHEST = type(int80).max;
    /// @dev One above the type's, so that its negation exists.
    int80 private constant LOWEST = -type(int80).max;

    function testFuzz_fields_are_read_where_they_were_packed(Plain calldata plain) external pure {
        _requireEqual(_pack(plain), plain);
    }

    function testFuzz_new_account_is_empty(uint32 blockNumber, uint24 fee) external {
        VM.roll(blockNumber);
        _requireEqual(NetworkWords.open(fee), Plain(blockNumber, fee, 0, 0, 0, 0));
    }

    function testFuzz_balance_is_either_earnings_or_debt(Plain memory plain) external pure {
        if (plain.balance < LOWEST) plain.balance = LOWEST;
        NetworkWord word = _pack(plain);
        require(word.earnings() == 0 || word.debt() == 0, "both");
        require(int256(word.earnings()) - int256(word.debt()) == plain.balance, "not the balance");
    }

    /// @notice At any later block; what is earned pays debt first, being the same number.
    function testFuzz_settle_equals_plain_arithmetic(Plain memory plain, uint32 blocks) external {
        _bound(plain);
        blocks = _blocksAfter(plain.blockNumber, blocks);
        NetworkWord word = _pack(plain);
        VM.roll(uint256(plain.blockNumber) + blocks);
        uint256 accrued = uint256(blocks) * plain.fee;
        int256 earned = int256((accrued * plain.effectiveBalance) / 32);
        plain.balance = _clamped(plain.balance + earned);
        plain.index += uint56(accrued);
        plain.blockNumber += blocks;
        _requireEqual(word.settle(), plain);
    }

    /// @notice Settling twice in a block is settling once.
    function testFuzz_settle_again_changes_nothing(Plain memory plain, uint32 blocks) external {
        _bound(plain);
        VM.roll(uint256(plain.blockNumber) + _blocksAfter(plain.blockNumber, blocks));
        NetworkWord once = _pack(plain).settle();
        require(NetworkWord.unwrap(once.settle()) == NetworkWord.unwrap(once), "differs");
    }

    /// @notice Incomes and shortfalls of any size that can occur, and beyond what the word holds.
    function testFuzz_book_changes_the_balance_alone(Plain memory plain, int112 units)
        external
        pure
    {
        NetworkWord word = _pack(plain).book(units);
        plain.balance = _clamped(int256(plain.balance) + units);
        _requireEqual(word, plain);
    }

    /// @notice The same, where the sum mostly fits.
    function testFuzz_small_bookings_add_up(Plain memory plain, int80 units) external pure {
        NetworkWord word = _pack(plain).book(units);
        plain.balance = _clamped(int256(plain.balance) + units);
        _requireEqual(word, plain);
    }

    /// @notice Adding and taking off, whatever the neighbours hold.
    function testFuzz_change_moves_validators_and_balance_alone(
        Plain memory plain,
        uint24 validators,
        uint40 effectiveBalance
    ) external pure {
        NetworkWord word = _pack(plain);
        int256 moreValidators = int256(uint256(validators)) - int256(uint256(plain.validators));
        int256 moreEth = int256(uint256(effectiveBalance)) - int256(uint256(plain.effectiveBalance));
        plain.validators = validators;
        plain.effectiveBalance = effectiveBalance;
        _requireEqual(word.change(moreValidators, moreEth), plain);
    }

    function testFuzz_with_fee_sets_the_fee_alone(Plain memory plain, uint24 fee) external pure {
        NetworkWord word = _pack(plain).withFee(fee);
        plain.fee = fee;
        _requireEqual(word, plain);
    }

    function test_most_validators_are_what_the_field_holds() external pure {
        require(MAX_NETWORK_VALIDATORS == type(uint24).max, "differs");
        NetworkWord full = NetworkWord.wrap(0).change(int256(MAX_NETWORK_VALIDATORS), 0);
        require(full.validators() == MAX_NETWORK_VALIDATORS, "lost");
    }

    /// @notice What the bound on fees guarantees (`Units`).
    function _bound(Plain memory plain) private pure {
        plain.fee %= 2 ** 19;
        plain.index %= 2 ** 55;
    }

    /// @notice As many blocks as asked for, or as the number of the block has room for.
    function _blocksAfter(uint32 blockNumber, uint32 blocks) private pure returns (uint32) {
        uint32 room = type(uint32).max - blockNumber;
        return blocks < room ? blocks : room;
    }

    function _clamped(int256 units) private pure returns (int80) {
        if (units > HIGHEST) return HIGHEST;
        return units < LOWEST ? LOWEST : int80(units);
    }

    /// @notice The word by multiplication, in the order of the comment on the type.
    function _pack(Plain memory plain) private pure returns (NetworkWord) {
        uint256 word = plain.validators;
        word = word * 2 ** 40 + plain.effectiveBalance;
        // A negative balance is written as its difference from 2^80.
        word *= 2 ** 80;
        word += plain.balance < 0
            ? uint256(2 ** 80 + int256(plain.balance))
            : uint256(int256(plain.balance));
        word = word * 2 ** 56 + plain.index;
        word = word * 2 ** 24 + plain.fee;
        word = word * 2 ** 32 + plain.blockNumber;
        return NetworkWord.wrap(word);
    }

    function _requireEqual(NetworkWord word, Plain memory plain) private pure {
        require(word.blockNumber() == plain.blockNumber, "block");
        require(word.fee() == plain.fee, "fee");
        require(word.index() == plain.index, "index");
        require(word.balance() == plain.balance, "balance");
        require(word.effectiveBalance() == plain.effectiveBalance, "effective balance");
        require(word.validators() == plain.validators, "validators");
        // Nothing beside the fields.
        require(NetworkWord.unwrap(word) == NetworkWord.unwrap(_pack(plain)), "word as a whole");
    }
}
