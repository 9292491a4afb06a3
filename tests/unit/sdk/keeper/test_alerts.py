"""Alerts: each condition once, again when it changes, once when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdk.errors import ConfigError
from sdk.events import types
from sdk.keeper.alerts import Alarms, Alert, News
from sdk.keeper.conditions import Filters, Kind
from sdk.registry import (
    EventContext,
    OperatorChanged,
    Refusal,
    RegistryState,
    SignatureVerdict,
    apply,
    cluster_id,
    runway,
)
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import BlockNumber, FeeUnits, OperatorId, Wei
from sdk.units import units_to_wei

OWNER, OTHER = builders.address(1), builders.address(2)
IDS = builders.operator_ids()
KEY = builders.public_key(1)
START = BlockNumber(1)
DAY_S = 86_400
NOW_S = 1_700_000_000


class Registry:
    """A model, and the alarms that look at it."""

    def __init__(
        self,
        *thresholds: int,
        filters: Filters | None = None,
        blocks: int = 10_000,
        is_signed: bool = True,
    ) -> None:
        self.model = ModelRegistry(builders.network())
        for _ in range(5):
            self.model.register_operator(builders.address(9), FeeUnits(17_700))
        verdict = SignatureVerdict.VALID if is_signed else SignatureVerdict.INVALID
        needed = runway.deposit_needed_wei(
            self.model.parties(OWNER, IDS), for_blocks=blocks, at=START, new_validators=1
        )
        assert self.model.register(
            OWNER, IDS, [KEY], [builders.shares()], value_wei=needed, verdict=verdict
        )
        self.alarms = Alarms(filters or Filters(), runway_blocks=thresholds)
        self.time_s = NOW_S

    @property
    def state(self) -> RegistryState:
        return self.model.state

    def mine(self, blocks: int) -> list[tuple[Kind, News]]:
        self.model.mine(blocks)
        return self.news()

    def look(self) -> list[Alert]:
        return self.alarms.review(self.state, at=self.model.block, time_s=self.time_s)

    def news(self) -> list[tuple[Kind, News]]:
        return [(alert.kind, alert.news) for alert in self.look()]

    def tell(self, event: types.Event) -> None:
        """A log that the model has no call for."""
        at = EventContext(builders.at(self.model.block).position, self.time_s)
        self.state.commit(apply(self.state, event, at).changes)


def test_a_cluster_that_runs_dry_is_told_at_each_threshold_and_to_its_end() -> None:
    registry = Registry(1_000, 5_000, blocks=10_000)
    assert registry.news() == []
    assert registry.mine(5_000) == []
    assert registry.mine(1) == [(Kind.RUNWAY, News.BEGAN)]
    assert registry.mine(1) == []
    assert registry.mine(3_999) == [(Kind.RUNWAY, News.CHANGED)]
    assert registry.mine(999) == []
    assert registry.mine(1) == [(Kind.LIQUIDATABLE, News.BEGAN), (Kind.RUNWAY, News.ENDED)]
    assert registry.mine(10) == []
    registry.model.liquidate(OWNER, IDS, by_owner=False, base_fee_wei=Wei(10**9))
    assert registry.news() == [(Kind.LIQUIDATED, News.BEGAN), (Kind.LIQUIDATABLE, News.ENDED)]
    registry.model.reactivate(OWNER, IDS, value_wei=Wei(10**18))
    assert registry.news() == [(Kind.LIQUIDATED, News.ENDED)]


def test_a_runway_near_a_threshold_is_told_once() -> None:
    registry = Registry(5_000, blocks=5_003)
    assert registry.mine(4) == [(Kind.RUNWAY, News.BEGAN)]
    rate = 106_309 * 100_000
    for _ in range(5):
        registry.model.deposit(OWNER, IDS, value_wei=Wei(3 * rate))
        assert registry.news() == []
        assert registry.mine(3) == []
    registry.model.deposit(OWNER, IDS, value_wei=Wei(510 * rate))
    assert registry.news() == [(Kind.RUNWAY, News.ENDED)]


def test_alert_says_what_when_and_for_whom() -> None:
    registry = Registry(20_000, blocks=10_000)
    [alert] = registry.look()
    assert alert.facts["runway_blocks"] == 10_000
    assert alert.facts["liquidation_block"] == START + 10_001
    assert "10000 blocks are left, at least 1.3 days" in alert.text
    facts = alert.as_json()
    assert facts["kind"] == "runway"
    assert facts["news"] == "began"
    assert facts["block"] == START
    assert facts["cluster_id"] == "0x" + cluster_id(OWNER, IDS).hex() == alert.subject
    assert facts["operator_ids"] == [1, 2, 3, 4]


def declare(registry: Registry, fee_units: int, *, operator: int = 1) -> None:
    owner = registry.state.operators[OperatorId(operator)].owner
    network = registry.state.network
    periods = replace(network.parameters, declare_period_s=7 * DAY_S, execute_period_s=3 * DAY_S)
    registry.state._networks["network"] = replace(network, parameters=periods)
    registry.tell(
        types.OperatorFeeDeclared(
            owner, OperatorId(operator), registry.model.block, units_to_wei(fee_units)
        )
    )


def test_a_declared_fee_is_told_with_its_window_until_that_has_passed() -> None:
    registry = Registry()
    assert registry.news() == []
    declare(registry, 19_470)
    [alert] = registry.look()
    assert (alert.kind, alert.news, alert.subject) == (Kind.FEE_DECLARED, News.BEGAN, "1")
    assert "+10.0 %" in alert.text
    assert "in 7.0 days, and for 3.0 days" in alert.text
    assert alert.facts["begin_s"] == NOW_S + 7 * DAY_S
    assert alert.facts["end_s"] == NOW_S + 10 * DAY_S
    registry.time_s += 8 * DAY_S
    assert registry.mine(1) == []
    declare(registry, 19_000)
    assert registry.news() == [(Kind.FEE_DECLARED, News.CHANGED)]
    registry.time_s += 11 * DAY_S
    assert registry.mine(1) == [(Kind.FEE_DECLARED, News.ENDED)]


def test_a_fee_in_force_is_told_once_and_ends_its_declaration() -> None:
    registry = Registry()
    declare(registry, 19_470)
    registry.look()
    registry.model.change_operator_fee(OperatorId(1), FeeUnits(19_470))
    registry.tell(
        types.OperatorFeeExecuted(
            builders.address(9), OperatorId(1), registry.model.block, units_to_wei(19_470)
        )
    )
    assert registry.news() == [(Kind.FEE_CHANGED, News.BEGAN), (Kind.FEE_DECLARED, News.ENDED)]
    assert registry.mine(1) == []


def test_fees_of_operators_that_nobody_watched_uses_are_no_news() -> None:
    registry = Registry()
    registry.look()
    declare(registry, 20_000, operator=5)
    registry.model.change_operator_fee(OperatorId(5), FeeUnits(30_000))
    assert registry.news() == []


def test_a_refused_registration_is_told_with_its_reason() -> None:
    registry = Registry(is_signed=False)
    [alert] = registry.look()
    assert (alert.kind, alert.news) == (Kind.REGISTRATION_REFUSED, News.BEGAN)
    assert alert.facts["reason"] == Refusal.NONCE_SIGNATURE_INVALID.value
    assert alert.facts["public_key"] == "0x" + KEY.hex()
    assert registry.mine(1) == []
    registry.model.remove(OWNER, IDS, [KEY])
    assert registry.news() == [(Kind.REGISTRATION_REFUSED, News.ENDED)]


def test_lost_operators_are_told_one_by_one_until_it_cannot_sign() -> None:
    registry = Registry()
    registry.look()
    registry.model.remove_operator(OperatorId(2))
    [first] = registry.look()
    assert (first.kind, first.news) == (Kind.OPERATOR_REMOVED, News.BEGAN)
    assert "3 of 4 are left, and it signs with 3 or more" in first.text
    registry.model.remove_operator(OperatorId(4))
    [second] = registry.look()
    assert (second.kind, second.news) == (Kind.OPERATOR_REMOVED, News.CHANGED)
    assert "lost operator 2, 4: 2 of 4 are left, and it cannot sign any more" in second.text


@pytest.mark.parametrize(
    ("filters", "is_watched"),
    [
        (Filters(), True),
        (Filters(owners=frozenset({OWNER})), True),
        (Filters(owners=frozenset({OTHER})), False),
        (Filters(clusters=frozenset({cluster_id(OWNER, IDS)})), True),
        (Filters(clusters=frozenset({cluster_id(OTHER, IDS)})), False),
        (Filters(operators=frozenset({OperatorId(3)})), True),
        (Filters(operators=frozenset({OperatorId(5)})), False),
        (Filters(owners=frozenset({OTHER}), operators=frozenset({OperatorId(1)})), True),
    ],
)
def test_only_what_is_named_is_watched(filters: Filters, is_watched: bool) -> None:
    registry = Registry(20_000, filters=filters)
    assert bool(registry.look()) == is_watched


def test_an_operator_named_is_watched_without_a_cluster() -> None:
    registry = Registry(filters=Filters(operators=frozenset({OperatorId(5)})))
    registry.look()
    declare(registry, 20_000, operator=5)
    assert registry.news() == [(Kind.FEE_DECLARED, News.BEGAN)]


def test_what_a_reorganisation_takes_back_has_ended() -> None:
    registry = Registry()
    registry.look()
    before = registry.state.operators[OperatorId(1)]
    removed = replace(before, removed_at=START, fee_units=FeeUnits(0))
    registry.state.commit([OperatorChanged(before, removed)])
    assert registry.news() == [(Kind.OPERATOR_REMOVED, News.BEGAN)]
    registry.state.undo([OperatorChanged(before, removed)])
    assert registry.news() == [(Kind.OPERATOR_REMOVED, News.ENDED)]


@pytest.mark.parametrize("thresholds", [[0], [-5, 3], list(range(1, 18))])
def test_impossible_thresholds_are_refused(thresholds: list[int]) -> None:
    with pytest.raises(ConfigError) as caught:
        Alarms(Filters(), runway_blocks=thresholds)
    assert caught.value.code == "thresholds"
