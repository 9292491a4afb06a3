"""Recovery with real keys: optimistic, verified together, culprits named one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec.structs import replace

from operator_node.duties.recover import recover_all
from operator_node.duties.types import RecoveryRequest
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.crypto.threshold import split
from sdk.types import OperatorId, PublicKey

OPERATORS = tuple(OperatorId(number) for number in (1, 2, 3, 4))
THRESHOLD = 3


@cache
def secret_of(index: int) -> SecretKey:
    return SecretKey(1000 + index)


@cache
def shares_of(index: int) -> Mapping[OperatorId, SecretKey]:
    coefficients = [SecretKey(7 + index), SecretKey(11 + index)]
    return split(secret_of(index), coefficients, OPERATORS)


def request(
    index: int, *, bad: Mapping[int, bytes] | None = None, signers: int = 4
) -> RecoveryRequest:
    """Partial signatures of the first operators over a root; `bad` replaces some of them."""
    root = bytes([index]) * 32
    shares = dict(list(shares_of(index).items())[:signers])
    partials = {operator: bytes(bls.sign(share, root)) for operator, share in shares.items()}
    partials |= {OperatorId(who): signature for who, signature in (bad or {}).items()}
    return RecoveryRequest(
        validator_index=index,
        validator_key=bls.public_key(secret_of(index)),
        root=root,
        partials=partials,
        share_keys={operator: bls.public_key(share) for operator, share in shares.items()},
        threshold=THRESHOLD,
    )


def expected(index: int) -> bytes:
    return bls.sign(secret_of(index), bytes([index]) * 32)


def wrong_signature(index: int) -> bytes:
    return bls.sign(shares_of(index)[OperatorId(1)], b"something else")


def test_every_request_gets_its_validators_signature_in_order() -> None:
    results = recover_all([request(1), request(2), request(3, signers=3)])
    assert [result.signature for result in results] == [expected(1), expected(2), expected(3)]
    assert all(not result.culprits for result in results)


def test_nothing_asked_is_nothing_answered() -> None:
    assert recover_all([]) == ()


def test_partial_that_this_node_made_is_taken_as_the_point_it_was_made_as() -> None:
    """Under bytes that are no point at all, so that decoding them could not have worked."""
    whole = request(1, signers=3)
    made = bls.parse_signature(whole.partials[OperatorId(1)])
    asked = request(1, bad={1: b"own"}, signers=3)
    (result,) = recover_all([asked], {b"own": made})
    assert (result.signature, result.culprits) == (expected(1), frozenset())


def test_bad_partial_among_enough_good_ones_is_named_and_left_out() -> None:
    good, spoiled = recover_all([request(1), request(2, bad={2: wrong_signature(2)})])
    assert good.signature == expected(1)
    assert spoiled.signature == expected(2)
    assert spoiled.culprits == {2}


def test_too_few_good_partials_give_none_and_all_culprits() -> None:
    bad = {1: wrong_signature(1), 3: bytes(96)}
    (result,) = recover_all([request(1, bad=bad)])
    assert result.signature is None
    assert result.culprits == {1, 3}


def test_bytes_that_are_no_point_are_a_culprits() -> None:
    (result,) = recover_all([request(1, bad={4: b"\xff" * 96, 2: b"short"})])
    assert result.culprits == {2, 4}
    assert result.signature is None


def test_bad_partial_that_was_not_needed_is_not_looked_for() -> None:
    (result,) = recover_all([request(1, bad={4: bytes(96)})])
    assert result.signature == expected(1)
    assert result.culprits == frozenset()


def test_fewer_than_a_threshold_recover_nothing_and_blame_nobody() -> None:
    (result,) = recover_all([request(1, signers=2)])
    assert result.signature is None
    assert result.culprits == frozenset()


def test_validator_key_that_is_no_key_blames_nobody() -> None:
    (result,) = recover_all([replace(request(1), validator_key=PublicKey(bytes(48)))])
    assert result.signature is None
    assert result.culprits == frozenset()


def test_share_key_that_is_no_key_cannot_vouch_for_its_operator() -> None:
    base = request(1, bad={1: wrong_signature(1)})
    keys = {**base.share_keys, OperatorId(2): PublicKey(bytes(48))}
    (result,) = recover_all([replace(base, share_keys=keys)])
    assert result.signature is None
    assert result.culprits == {1, 2}


def test_liar_in_every_request_is_named_in_each_and_nobody_else() -> None:
    lies = [request(index, bad={1: wrong_signature(index)}) for index in range(1, 6)]
    results = recover_all([*lies, request(6)])
    assert [result.culprits for result in results] == [{1}] * 5 + [frozenset()]
    assert [result.signature for result in results] == [expected(index) for index in range(1, 7)]


def test_operator_that_lies_for_one_validator_is_not_named_for_another() -> None:
    spoiled, good = recover_all([request(1, bad={1: wrong_signature(1)}, signers=3), request(2)])
    assert (spoiled.signature, set(spoiled.culprits)) == (None, {1})
    assert (good.signature, good.culprits) == (expected(2), frozenset())


def test_distrusted_operators_are_combined_last() -> None:
    distrusted = frozenset({OperatorId(1)})
    (result,) = recover_all([request(1, bad={1: wrong_signature(1)})], distrusted=distrusted)
    assert (result.signature, result.culprits) == (expected(1), frozenset())


def test_distrusted_operator_that_lies_again_loses_all_of_its_partials() -> None:
    """To find which hold is what takes long, and what a liar would have its peers do."""
    requests = [request(1, bad={1: wrong_signature(1)}, signers=3), request(2, signers=3)]
    first, second = recover_all(requests, distrusted=frozenset({OperatorId(1)}))
    assert (first.signature, set(first.culprits)) == (None, {1})
    assert (second.signature, set(second.culprits)) == (None, {1})


def test_distrusted_operator_that_is_honest_now_counts() -> None:
    distrusted = frozenset({OperatorId(2)})
    (result,) = recover_all([request(1, signers=3)], distrusted=distrusted)
    assert (result.signature, result.culprits) == (expected(1), frozenset())


def test_exchanged_partials_of_two_operators_are_both_found() -> None:
    """Their sum is right, so that only a check of each tells."""
    base = request(1)
    first, second = base.partials[OperatorId(1)], base.partials[OperatorId(2)]
    (result,) = recover_all([request(1, bad={1: second, 2: first})])
    assert result.culprits == {1, 2}
    assert result.signature is None
