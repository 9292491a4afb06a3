"""Registrations are drafted only with operators that take them and funds that last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.api import drafts_validators as drafts
from sdk.client.export import decode_call
from sdk.errors import PhalanxError
from sdk.registry import Network, Operator, Parameters, Parties, new_cluster, runway
from sdk.shares.keyshares_file import KeyShare
from sdk.testing import builders
from sdk.types import BlockNumber, OperatorId, Wei

AT = BlockNumber(100)
OWNER = builders.address(1)
IDS = builders.operator_ids(1, 2, 3, 4)
OPERATORS = {each: builders.operator(each) for each in IDS}
NETWORK = Network(
    parameters=Parameters(liquidation_period_blocks=50, minimum_collateral_wei=Wei(10**9)),
)
PARTIES = Parties(new_cluster(OWNER, IDS, sequence=0), tuple(OPERATORS.values()), NETWORK)


def share(number: int) -> KeyShare:
    key = builders.public_key(number)
    return KeyShare(key, IDS, builders.shares(4, number=number), OWNER, None, key, ())


def fit(changes: dict[int, Operator], *, admitting: tuple[int, ...] = (), added: int = 2) -> object:
    known = {**OPERATORS, **{OperatorId(each): made for each, made in changes.items()}}
    admitted = [OperatorId(each) for each in admitting]
    return drafts.require_fit(known, IDS, added=added, limit=500, admitting=admitted)


def changed(number: int, **changes: object) -> dict[int, Operator]:
    return {number: replace(OPERATORS[OperatorId(number)], **changes)}  # type: ignore[arg-type]


def test_one_validator_is_one_call_and_more_are_the_bulk_call() -> None:
    for count, function in ((1, "registerValidator"), (3, "bulkRegisterValidator")):
        least = runway.deposit_needed_wei(
            PARTIES, for_blocks=0, at=BlockNumber(AT + 1), new_validators=count
        )
        shares = [share(number) for number in range(count)]
        made = drafts.register(PARTIES, shares, nonce=7, amount_wei=least, at=AT)
        name, arguments = decode_call(made.data, source="the draft")
        assert (name, made.value_wei, made.sender) == (function, least, OWNER)
        assert made.nonces == tuple(range(7, 7 + count))
        assert made.balance_after_wei == least
        keys = [bytes(each.public_key) for each in shares]
        assert arguments[0] == (keys[0] if count == 1 else tuple(keys))
        with pytest.raises(PhalanxError, match="liquidatable at once"):
            drafts.register(PARTIES, shares, nonce=7, amount_wei=Wei(least - 1), at=AT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (changed(2, removed_at=AT), "operator_removed"),
        (changed(3, validator_count=499), "operator_full"),
        (changed(4, is_private=True), "operator_private"),
    ],
)
def test_an_operator_that_does_not_take_them_is_named(
    changes: dict[int, Operator], code: str
) -> None:
    assert fit({}) == []
    with pytest.raises(PhalanxError) as failure:
        fit(changes)
    assert failure.value.code == code
    assert str(next(iter(changes))) in failure.value.message


def test_an_operator_that_does_not_exist_is_named() -> None:
    known = {each: OPERATORS[each] for each in IDS[:3]}
    with pytest.raises(PhalanxError, match="operator 4 does not exist"):
        drafts.require_fit(known, IDS, added=1, limit=500, admitting=[])


def test_a_private_operator_takes_those_on_its_list_and_perhaps_those_of_its_contract() -> None:
    assert fit(changed(4, is_private=True), admitting=(4,)) == []
    asked = fit(changed(4, is_private=True, whitelisting_contract=builders.address(90)))
    assert asked == ["A contract decides whether operator 4 admits this owner."]
