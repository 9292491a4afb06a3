"""The logs of a bulk call at once, against the same logs one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.events import EVENT_ABIS, Event
from sdk.events.types import ValidatorAdded, ValidatorRemoved
from sdk.registry import (
    Applied,
    Network,
    OperatorChanged,
    Parameters,
    RegistryState,
    SignatureVerdict,
    WhitelistChanged,
    apply,
)
from sdk.registry.bulk_calls import apply_bulk, bulk_length
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import BlockNumber, FeeUnits, OperatorId, Wei
from tests.property.test_absurd_events import EVENTS, event_of

OWNERS = [builders.address(number) for number in (1, 2)]
SETS = [builders.operator_ids(1, 2, 3, 4), builders.operator_ids(2, 3, 4, 5, 6, 7, 8)]
KEYS = [builders.public_key(number) for number in range(12)]
NETWORK = Network(
    fee_units=FeeUnits(35_509),
    block=BlockNumber(5),
    parameters=Parameters(liquidation_period_blocks=50, minimum_collateral_wei=Wei(10**9)),
)
VERDICTS = st.sampled_from(list(SignatureVerdict))


CALLS = st.sampled_from(
    [abi for abi in EVENT_ABIS if abi.event_class in (ValidatorAdded, ValidatorRemoved)]
).flatmap(event_of)


def one_by_one(
    state: RegistryState, events: list[Event], block: int, verdicts: list[SignatureVerdict]
) -> list[Applied]:
    """What the rule says; the state is as before afterwards."""
    answers = []
    for event, verdict in zip(events, verdicts, strict=True):
        answers.append(apply(state, event, builders.at(block), verdict))
        state.commit(answers[-1].changes)
    for answer in reversed(answers):
        state.undo(answer.changes)
    return answers


def collapsed(answers: list[Applied]) -> dict[tuple[Any, ...], tuple[Any, Any, int]]:
    """Per record: before the call, after it, and the place of the last log that changed it."""
    found: dict[tuple[Any, ...], tuple[Any, Any, int]] = {}
    for place, answer in enumerate(answers):
        for change in answer.changes:
            assert not isinstance(change, WhitelistChanged)
            record: Any = change.before if change.after is None else change.after
            names = ("owner", "public_key", "cluster_id", "operator_id")
            name = (type(change), *(getattr(record, each, None) for each in names))
            before = found[name][0] if name in found else change.before
            found[name] = (before, change.after, place)
    return {name: told for name, told in found.items() if told[0] != told[1]}


def compare(
    state: RegistryState, events: list[Event], block: int, verdicts: list[SignatureVerdict]
) -> bool:
    """Whether the shortcut answered, in which case it said the same."""
    slow = one_by_one(state, events, block, verdicts)
    fast = apply_bulk(state, events, builders.at(block), verdicts)
    if fast is None:
        return False
    assert [each.refused for each in fast] == [each.refused for each in slow]
    assert [each.deposit_wei for each in fast] == [each.deposit_wei for each in slow]
    assert [each.divergences for each in fast] == [each.divergences for each in slow]
    assert collapsed(fast) == collapsed(slow)
    for answer in slow:
        state.commit(answer.changes)
    digest = state.digest()
    for answer in reversed(slow):
        state.undo(answer.changes)
    for answer in fast:
        state.commit(answer.changes)
    assert state.digest() == digest
    for answer in reversed(fast):
        state.undo(answer.changes)
    return True


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["register", "register", "remove", "prove", "fee", "liquidate"]),
            st.sampled_from(OWNERS),
            st.sampled_from(SETS),
            st.integers(1, 6),
            st.integers(0, 2_000),
        ),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_calls_of_the_contract_take_the_shortcut_and_end_the_same(
    calls: list[tuple[str, Any, Any, int, int]], chance: Any
) -> None:
    model = ModelRegistry(NETWORK)
    state = RegistryState(NETWORK)
    for number in range(8):
        model.register_operator(builders.address(100), FeeUnits(1_000 * number + 7))
    for what, owner, ids, many, blocks in calls:
        own = [key for key in KEYS if (owner, key) in model.state.validators]
        cluster = model.parties(owner, ids).cluster
        mine = [k for k in own if model.state.validators[owner, k].cluster_id == cluster.cluster_id]
        match what:
            case "register" if cluster.snapshot.active:
                free = [key for key in KEYS if key not in own][:many]
                model.register(
                    owner,
                    ids,
                    free,
                    [builders.shares(len(ids))] * len(free),
                    value_wei=Wei(10**15 * chance.randrange(1, 9)),
                    verdict=SignatureVerdict.VALID,
                )
            case "remove":
                model.remove(owner, ids, mine[:many])
            case "prove":
                proven = [(key, chance.randrange(32, 2_049)) for key in mine[:2]]
                model.prove(owner, ids, proven, slot=blocks, value_wei=Wei(0), base_fee_wei=Wei(1))  # type: ignore[arg-type]
            case "fee":
                model.change_operator_fee(OperatorId(many), FeeUnits(chance.randrange(50_000)))
            case "liquidate":
                model.liquidate(owner, ids, by_owner=True, base_fee_wei=Wei(1))
            case _:
                pass
        logs = model.take_logs()
        events = [event for event, _ in logs]
        start = 0
        while start < len(events):
            run = events[start : start + bulk_length(events, start)]
            at = logs[start][1]
            if isinstance(run[0], ValidatorAdded | ValidatorRemoved):
                verdicts = [chance.choice(list(SignatureVerdict)) for _ in run]
                assert compare(state, run, at.block, verdicts)
            for event in run:
                state.commit(apply(state, event, at, SignatureVerdict.VALID).changes)
            start += len(run)
        model.mine(blocks)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(EVENTS, VERDICTS), max_size=12),
    CALLS,
    st.lists(st.tuples(st.sampled_from([*KEYS[:4], b"short"]), VERDICTS), min_size=1, max_size=5),
    st.booleans(),
)
def test_whatever_the_shortcut_answers_is_what_the_rule_says(
    before: list[tuple[Event, SignatureVerdict]],
    model: Any,
    run: list[tuple[bytes, SignatureVerdict]],
    keeps_struct: bool,
) -> None:
    state = RegistryState(builders.network())
    state.commit(
        OperatorChanged(None, builders.operator(number, fee_units=1)) for number in (1, 2, 3, 4)
    )
    for event, verdict in before:
        state.commit(apply(state, event, builders.at(3), verdict).changes)
    if keeps_struct:
        applied = apply(state, model, builders.at(3))
        state.commit(applied.changes)
    events: list[Event] = [replace(model, public_key=key) for key, _ in run]
    assert bulk_length(events, 0) == len(events)
    compare(state, events, 3, [verdict for _, verdict in run])
