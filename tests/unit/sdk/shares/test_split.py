"""Splitting one key: what comes out, and which operators are refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sdk.committee import nonce_message
from sdk.crypto import bls, threshold
from sdk.errors import InputError, InvariantBroken
from sdk.shares.layout import unpack
from sdk.shares.proofs import open_shares
from sdk.shares.split import Operator, check_operators, split_key
from sdk.testing.keys import (
    OWNER,
    key_share,
    operators,
    private_keys,
    random_below,
    validator_secret,
)
from sdk.types import MAX_OPERATOR_ID, OperatorId

FOUR = operators()


@pytest.mark.parametrize(("size", "needed"), [(4, 3), (7, 5), (10, 7), (13, 9)])
def test_any_t_shares_are_the_key_and_fewer_are_not(size: int, needed: int) -> None:
    ids = range(5, 5 + size)
    share = key_share(1, ids=ids)
    opened = open_shares(share, private_keys(ids))
    assert list(opened) == list(ids)
    for chosen in (list(opened)[:needed], list(opened)[-needed:]):
        some = {operator: opened[operator] for operator in chosen}
        assert threshold.recover_secret(some) == validator_secret(1)
        some.popitem()
        assert threshold.recover_secret(some) != validator_secret(1)


def test_share_of_an_operator_is_the_polynomial_at_its_id() -> None:
    secret = validator_secret(1)
    drawn = [11, 12]
    share = split_key(secret, FOUR, owner=OWNER, nonce=0, random_below=lambda _: drawn.pop(0))
    opened = open_shares(share, private_keys())
    for operator in share.operator_ids:
        # Coefficients are one more than what is drawn, so none is zero.
        assert opened[operator].reveal() == secret.reveal() + 12 * operator + 13 * operator**2


def test_validator_key_signs_owner_and_nonce() -> None:
    share = key_share(1, nonce=9)
    signature = unpack(share.shares_data, operators=4).signature
    assert signature == bls.sign(validator_secret(1), nonce_message(OWNER, 9))


def test_order_in_which_operators_are_given_does_not_matter() -> None:
    shuffled = [FOUR[at] for at in (2, 0, 3, 1)]
    share = split_key(
        validator_secret(1), shuffled, owner=OWNER, nonce=0, random_below=random_below(1)
    )
    assert share.operator_ids == (1, 2, 3, 4)
    assert [entry.operator_key for entry in share.operators] == [o.public_key.text for o in FOUR]
    assert share.shares_data[: 96 + 4 * 48] == key_share(1).shares_data[: 96 + 4 * 48]
    assert len(open_shares(share, private_keys())) == 4


def test_operator_ids_up_to_the_largest_on_chain_are_taken() -> None:
    ids = (1, 2**31, 2**63, MAX_OPERATOR_ID)
    opened = open_shares(key_share(1, ids=ids), private_keys(ids))
    del opened[OperatorId(1)]
    assert threshold.recover_secret(opened) == validator_secret(1)


def with_id(operator: Operator, number: int) -> Operator:
    return Operator(OperatorId(number), operator.public_key)


@pytest.mark.parametrize(
    ("committee", "code"),
    [
        ([], "operator_count"),
        (FOUR[:3], "operator_count"),
        (operators(range(1, 6)), "operator_count"),
        ([*FOUR[:3], with_id(FOUR[3], 1)], "operator_ids_not_unique"),
        ([*FOUR[:3], with_id(FOUR[3], 0)], "operator_id_range"),
        ([*FOUR[:3], with_id(FOUR[3], -1)], "operator_id_range"),
        ([*FOUR[:3], with_id(FOUR[3], MAX_OPERATOR_ID + 1)], "operator_id_range"),
        ([*FOUR[:3], with_id(FOUR[0], 4)], "operator_keys_not_unique"),
    ],
)
def test_committee_that_could_not_be_registered_or_trusted_is_refused(
    committee: Sequence[Operator], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_operators(committee)
    assert caught.value.code == code


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_nonce_that_no_file_can_hold_is_refused(nonce: int) -> None:
    with pytest.raises(InputError) as caught:
        key_share(1, nonce=nonce)
    assert caught.value.code == "nonce_range"


def test_shares_that_do_not_recombine_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = threshold.split

    def faulty(*arguments: object) -> object:
        shares = honest(*arguments)  # type: ignore[arg-type]
        return shares | {OperatorId(4): validator_secret(99)}

    monkeypatch.setattr(threshold, "split", faulty)
    with pytest.raises(InvariantBroken, match="shares or the signature made"):
        key_share(1)
