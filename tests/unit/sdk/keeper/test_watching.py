"""Whose signatures a watch checks."""

from __future__ import annotations

from sdk.keeper.conditions import Filters
from sdk.keeper.watching import BATCH, judge_for
from sdk.registry import NonceClaim, SignatureVerdict, cluster_id
from sdk.testing import builders, keys
from sdk.types import SIGNATURE_BYTES, Address, OperatorId, Signature

OWNER, OTHER = builders.address(1), builders.address(2)
IDS = builders.operator_ids()
VALID, INVALID, UNCHECKED = (
    SignatureVerdict.VALID,
    SignatureVerdict.INVALID,
    SignatureVerdict.UNCHECKED,
)


def claim(*, owner: bytes = OWNER, nonce: int = 0, signed_for: int = 0) -> NonceClaim:
    share = keys.key_share(1, ids=IDS, owner=Address(owner), nonce=signed_for)
    signature = Signature(share.shares_data[:SIGNATURE_BYTES])
    return NonceClaim(Address(owner), nonce, share.public_key, signature)


def test_with_owners_named_only_theirs_are_checked() -> None:
    judge = judge_for(Filters(owners=frozenset({OWNER})))
    claims = [claim(), None, claim(nonce=1), claim(owner=OTHER), claim(owner=OTHER, nonce=1)]
    assert judge(claims) == [VALID, UNCHECKED, INVALID, UNCHECKED, UNCHECKED]


def test_with_anything_else_named_or_nothing_all_are_checked() -> None:
    claims = [claim(), claim(owner=OTHER, nonce=1)]
    for filters in (
        Filters(),
        Filters(operators=frozenset({OperatorId(1)})),
        Filters(owners=frozenset({OWNER}), clusters=frozenset({cluster_id(OTHER, IDS)})),
    ):
        assert judge_for(filters)(claims) == [VALID, INVALID]


def test_batches_keep_the_order() -> None:
    good, bad = claim(), claim(nonce=7)
    claims = [bad if number % 50 == 3 else good for number in range(2 * BATCH + 5)]
    verdicts = judge_for(Filters())(claims)
    assert [verdict is INVALID for verdict in verdicts] == [each is bad for each in claims]
