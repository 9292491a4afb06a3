"""Splitting, recovery, and naming who sent a bad partial signature, on every backend."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from sdk import committee
from sdk.crypto import bls, threshold
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import InputError, InvalidPoint
from sdk.types import OperatorId, PublicKey

MESSAGE = b"\x5a" * 32
SECRET = SecretKey(0x263DBD792F5B1BE47ED85F8938C0F29586AF0D3AC7B977F21C278FE1462040E3)


def ids_of(*numbers: int) -> list[OperatorId]:
    return [OperatorId(number) for number in numbers]


def shares_of(ids: list[OperatorId], *, needed: int, seed: int = 1) -> dict[OperatorId, SecretKey]:
    rng = random.Random(seed)
    coefficients = [SecretKey(rng.randrange(1, CURVE_ORDER)) for _ in range(needed - 1)]
    return threshold.split(SECRET, coefficients, ids)


@pytest.mark.parametrize(("size", "needed"), [(4, 3), (7, 5), (10, 7), (13, 9)])
def test_threshold_is_two_f_plus_one(size: int, needed: int) -> None:
    assert committee.threshold_of(size) == needed


@pytest.mark.parametrize("size", [0, 1, 3, 5, 6, 8, 12, 14, 16])
def test_other_committee_sizes_are_refused(size: int) -> None:
    with pytest.raises(InputError, match="4, 7, 10 or 13"):
        committee.threshold_of(size)


def test_share_is_the_polynomial_at_the_operator_id() -> None:
    shares = threshold.split(SecretKey(7), [SecretKey(5), SecretKey(3)], ids_of(1, 2, 10, 2**40))
    assert [share.reveal() for share in shares.values()] == [
        7 + 5 * x + 3 * x * x for x in (1, 2, 10, 2**40)
    ]


def test_every_3_of_4_recover_key_public_key_and_signature(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    for chosen in combinations(shares, 3):
        some = {operator: shares[operator] for operator in chosen}
        assert threshold.recover_secret(some) == SECRET
        keys = {operator: bls.public_key(share) for operator, share in some.items()}
        assert threshold.recover_public_key(keys) == bls.public_key(SECRET)
        partials = {operator: bls.sign(share, MESSAGE) for operator, share in some.items()}
        assert threshold.recover_signature(partials) == bls.sign(SECRET, MESSAGE)


@pytest.mark.parametrize(
    ("ids", "needed"),
    [
        (ids_of(1, 2, 3, 4, 5, 6, 7), 5),
        (ids_of(*range(5, 15)), 7),
        (ids_of(*range(1, 14)), 9),
        (ids_of(3, 77, 2048, 1234567), 3),
        (ids_of(1, 2, 2**31, 2**64 - 1), 3),
    ],
    ids=["7", "10", "13", "sparse", "beyond 31 bits"],
)
def test_signature_is_recovered_for_size_and_ids(
    backend: str, ids: list[OperatorId], needed: int
) -> None:
    shares = shares_of(ids, needed=needed)
    partials = {operator: bls.sign(shares[operator], MESSAGE) for operator in ids[-needed:]}
    assert threshold.recover_signature(partials) == bls.sign(SECRET, MESSAGE)
    keys = {operator: bls.public_key(shares[operator]) for operator in ids[-needed:]}
    assert threshold.recover_public_key(keys) == bls.public_key(SECRET)


def test_fewer_than_t_recover_something_else(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    two = {operator: shares[operator] for operator in ids_of(1, 2)}
    assert threshold.recover_secret(two) != SECRET
    partials = {operator: bls.sign(share, MESSAGE) for operator, share in two.items()}
    recovered = threshold.recover_signature(partials)
    assert not bls.verify(bls.public_key(SECRET), MESSAGE, recovered)


@pytest.mark.parametrize(
    "ids", [ids_of(1, 1, 2, 3), ids_of(0, 1, 2, 3), ids_of(CURVE_ORDER, 1, 2), []]
)
def test_ids_that_collide_or_vanish_are_refused(ids: list[OperatorId]) -> None:
    with pytest.raises(InputError):
        shares_of(ids, needed=3)


def test_fewer_operators_than_the_threshold_are_refused() -> None:
    with pytest.raises(InputError):
        shares_of(ids_of(1, 2), needed=3)


def combine_with(
    partials: dict[OperatorId, bytes], shares: dict[OperatorId, SecretKey]
) -> threshold.Combined:
    return threshold.combine(
        partials,
        {operator: bls.public_key(share) for operator, share in shares.items()},
        validator_key=bls.public_key(SECRET),
        message=MESSAGE,
        threshold=3,
    )


def partials_of(shares: dict[OperatorId, SecretKey]) -> dict[OperatorId, bytes]:
    return {operator: bls.sign(share, MESSAGE) for operator, share in shares.items()}


def test_good_partials_combine_without_a_culprit(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    combined = combine_with(partials_of(shares), shares)
    assert combined == threshold.Combined(bls.sign(SECRET, MESSAGE), frozenset())


def test_bad_partial_is_named_and_the_rest_still_combine(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    partials = partials_of(shares)
    partials[OperatorId(2)] = bls.sign(shares[OperatorId(2)], b"another message")
    combined = combine_with(partials, shares)
    assert combined == threshold.Combined(bls.sign(SECRET, MESSAGE), frozenset({OperatorId(2)}))


def test_partial_that_is_no_point_is_named(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    partials = partials_of(shares)
    partials[OperatorId(1)] = bytes([0xC0]) + bytes(95)
    assert combine_with(partials, shares).culprits == {OperatorId(1)}


def test_too_few_good_partials_give_no_signature_but_the_culprit(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    partials = partials_of(shares)
    del partials[OperatorId(4)]
    partials[OperatorId(3)] = partials[OperatorId(1)]
    assert combine_with(partials, shares) == threshold.Combined(None, frozenset({OperatorId(3)}))


def test_fewer_partials_than_t_give_nothing_and_blame_nobody(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    partials = partials_of(shares)
    del partials[OperatorId(3)], partials[OperatorId(4)]
    assert combine_with(partials, shares) == threshold.Combined(None, frozenset())


def test_share_keys_of_one_polynomial_carry_the_validator_key(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    keys: dict[OperatorId, PublicKey] = {i: bls.public_key(s) for i, s in shares.items()}
    validator_key = bls.public_key(SECRET)
    assert threshold.carry_key(keys, validator_key=validator_key, threshold=3)


def test_one_foreign_share_key_at_any_place_is_seen(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    for operator in shares:
        keys = {i: bls.public_key(s) for i, s in shares.items()}
        keys[operator] = bls.public_key(SecretKey(99))
        assert not threshold.carry_key(keys, validator_key=bls.public_key(SECRET), threshold=3)


def test_higher_degree_is_seen(backend: str) -> None:
    """With degree t one t-subset may recover the key, but not every one."""
    shares = shares_of(ids_of(1, 2, 3, 4), needed=4)
    keys = {operator: bls.public_key(share) for operator, share in shares.items()}
    assert not threshold.carry_key(keys, validator_key=bls.public_key(SECRET), threshold=3)


def test_polynomial_through_zero_carries_no_key_and_raises_nothing(backend: str) -> None:
    """f(x) = x² - x: every share key is valid, the key they recombine to is the identity."""
    ids = ids_of(3, 4, 5, 6)
    keys = {i: bls.public_key(SecretKey(i * i - i)) for i in ids}
    assert not threshold.carry_key(keys, validator_key=bls.public_key(SECRET), threshold=3)
    with pytest.raises(InvalidPoint):
        threshold.recover_public_key({i: keys[i] for i in ids[:3]})


def test_polynomial_that_vanishes_at_a_later_operator_carries_no_key(backend: str) -> None:
    """f(x) = (x - 6)(x - 7): three good keys, and the identity where operator 6 should be."""
    ids = ids_of(3, 4, 5, 6)
    keys = {i: bls.public_key(SecretKey((i - 6) * (i - 7))) for i in ids[:3]}
    keys[ids[3]] = bls.public_key(SecretKey(99))
    validator_key = bls.public_key(SecretKey(42))
    assert not threshold.carry_key(keys, validator_key=validator_key, threshold=3)


def test_invalid_share_key_raises(backend: str) -> None:
    shares = shares_of(ids_of(1, 2, 3, 4), needed=3)
    keys = {operator: bls.public_key(share) for operator, share in shares.items()}
    keys[OperatorId(4)] = PublicKey(bytes([0xC0]) + bytes(47))
    with pytest.raises(InvalidPoint):
        threshold.carry_key(keys, validator_key=bls.public_key(SECRET), threshold=3)
