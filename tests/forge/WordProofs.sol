// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkWord} from "../../contracts/ledger/NetworkWord.sol";
import {OperatorWord} from "../../contracts/ledger/OperatorWord.sol";

/// @title What halmos proves of the packed words for all inputs: a change touches its fields alone.
contract WordProofs {
    function check_operator_change_touches_two_fields(
        uint256 word,
        uint16 validators,
        uint32 effectiveBalance
    ) external pure {
        OperatorWord before = OperatorWord.wrap(word);
        unchecked {
            int256 moreValidators = int256(uint256(validators)) - int256(before.validators());
            int256 moreEth = int256(uint256(effectiveBalance)) - int256(before.effectiveBalance());
            OperatorWord changed = before.change(moreValidators, moreEth);
            assert(changed.validators() == validators);
            assert(changed.effectiveBalance() == effectiveBalance);
            uint256 mask = ((uint256(1) << 48) - 1) << 200;
            assert((OperatorWord.unwrap(changed) ^ word) & ~mask == 0);
        }
    }

    function check_network_change_touches_two_fields(
        uint256 word,
        uint24 validators,
        uint40 effectiveBalance
    ) external pure {
        NetworkWord before = NetworkWord.wrap(word);
        unchecked {
            int256 moreValidators = int256(uint256(validators)) - int256(before.validators());
            int256 moreEth = int256(uint256(effectiveBalance)) - int256(before.effectiveBalance());
            NetworkWord changed = before.change(moreValidators, moreEth);
            assert(changed.validators() == validators);
            assert(changed.effectiveBalance() == effectiveBalance);
            uint256 mask = type(uint256).max << 192;
            assert((NetworkWord.unwrap(changed) ^ word) & ~mask == 0);
        }
    }

    function check_setters_touch_one_field(uint256 word, uint40 fee, uint64 credit, bool isPrivate)
        external
        pure
    {
        OperatorWord before = OperatorWord.wrap(word);
        OperatorWord withFee = before.withFee(fee);
        assert(withFee.fee() == fee);
        assert((OperatorWord.unwrap(withFee) ^ word) & ~(uint256(type(uint40).max) << 32) == 0);
        OperatorWord withCredit = before.withCredit(credit);
        assert(withCredit.credit() == credit);
        assert((OperatorWord.unwrap(withCredit) ^ word) & ~(uint256(type(uint64).max) << 136) == 0);
        OperatorWord withPrivate = before.withPrivate(isPrivate);
        assert(withPrivate.isPrivate() == isPrivate);
        assert((OperatorWord.unwrap(withPrivate) ^ word) & ~(uint256(0xff) << 248) == 0);
    }

    /// @notice The sum if it fits, else the bound on its side; the other 176 bits stay.
    function check_booking_adds_or_stops(uint256 word, int112 units) external pure {
        NetworkWord before = NetworkWord.wrap(word);
        NetworkWord booked = before.book(units);
        int256 sum = before.balance() + units;
        int256 balance = booked.balance();
        if (sum > type(int80).max) assert(balance == type(int80).max);
        else if (sum <= type(int80).min) assert(balance == -type(int80).max);
        else assert(balance == sum);
        assert((NetworkWord.unwrap(booked) ^ word) & ~(uint256(type(uint80).max) << 112) == 0);
    }
}
