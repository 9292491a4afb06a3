"""The clock's error is found from dates in whole seconds, and never said to be larger than it is.

Whatever the phase of the clocks and however long the way takes.
"""

from __future__ import annotations

from random import Random

import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from operator_node.beacon import BeaconPool
from operator_node.beacon.clock_error import (
    EAGER_SAMPLES,
    SHARP_MS,
    SIDE_MS,
    SLACK_MS,
    ClockError,
    agreed_ms,
    date_ms,
)
from tests.unit.operator_node.beacon.fake_node import SLOT_S, FakeNode
from tests.unit.operator_node.beacon.pools import SLOT, with_pool

NOW_MS = 1_700_000_000_000
PROBES = 14
QUICK_MS = 40
"""A way that is longer may leave the error between wider bounds."""


def asked(error_ms: int, random: Random, *, probes: int = PROBES, way_ms: int = 20) -> ClockError:
    """What is known after some probes of a node, by a clock that is ahead by `error_ms`."""
    found, now_ms = ClockError(), NOW_MS + random.randrange(1000)
    for _ in range(probes):
        probe(found, now_ms, error_ms, random, way_ms)
        now_ms += found.wait_ms(now_ms, 12_000, way_ms)
    return found


def probe(found: ClockError, now_ms: int, error_ms: int, random: Random, way_ms: int) -> None:
    there_ms = random.randrange(way_ms + 1)
    date = (now_ms + there_ms - error_ms) // 1000 * 1000
    found.note_answer(sent_ms=now_ms, received_ms=now_ms + way_ms, date_ms=date)


@given(st.integers(-5_000, 5_000), st.integers(0, 60), st.randoms(use_true_random=False))
def test_the_estimate_is_close_and_never_beyond_the_error(
    error_ms: int, way_ms: int, random: Random
) -> None:
    estimate = asked(error_ms, random, way_ms=way_ms, probes=20).estimate_ms
    assert estimate is None or abs(estimate) <= abs(error_ms)
    if way_ms <= QUICK_MS:
        assert estimate is not None
        assert abs(estimate - error_ms) <= SHARP_MS


@pytest.mark.parametrize("error_ms", [-700, -250, -80, 0, 80, 250, 700])
def test_fourteen_answers_over_a_quick_way_tell_it_to_seventy_milliseconds(error_ms: int) -> None:
    for seed in range(50):
        estimate = asked(error_ms, Random(seed), way_ms=5).estimate_ms
        assert estimate is not None
        assert abs(estimate - error_ms) <= 2 * (SLACK_MS + SIDE_MS)


def test_one_answer_tells_only_what_it_must() -> None:
    found = ClockError()
    assert found.estimate_ms is None
    found.note_answer(sent_ms=NOW_MS + 100, received_ms=NOW_MS + 110, date_ms=NOW_MS)
    assert found.estimate_ms is None
    found.forget()
    found.note_answer(sent_ms=NOW_MS + 3_000, received_ms=NOW_MS + 3_010, date_ms=NOW_MS)
    assert found.estimate_ms == 2_000 - SLACK_MS


def test_one_answer_that_is_dated_late_changes_nothing() -> None:
    found = asked(0, Random(1))
    before = found.estimate_ms
    found.note_answer(sent_ms=NOW_MS + 1_300, received_ms=NOW_MS + 1_310, date_ms=NOW_MS)
    assert found.estimate_ms == before == 0


@pytest.mark.parametrize("step_ms", [-3_000, -400, 400, 3_000])
def test_after_a_clock_was_set_what_was_known_is_forgotten(step_ms: int) -> None:
    random = Random(2)
    found = asked(0, random, probes=40)
    now_ms = NOW_MS
    for _ in range(2 * PROBES):
        now_ms += found.wait_ms(now_ms, 12_000, 5)
        probe(found, now_ms, step_ms, random, 5)
    estimate = found.estimate_ms
    assert estimate is not None
    assert abs(estimate - step_ms) <= SHARP_MS


def test_a_head_before_its_slot_tells_that_this_clock_is_behind() -> None:
    found = ClockError()
    for into_slot_ms in (400, -300, -1_200, -1_300):
        found.note_head(into_slot_ms=into_slot_ms)
    assert found.estimate_ms == -700


@pytest.mark.parametrize(
    ("estimates", "expected"),
    [([], None), ([7], 7), ([900, 3], 3), ([-900, 3], 3), ([1, 900, 2], 2), ([5, 6, 7, 900], 6)],
)
def test_one_wrong_clock_among_several_says_nothing(
    estimates: list[int], expected: int | None
) -> None:
    assert agreed_ms(estimates) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "Tue, 15 Nov 99999 08:12:31 GMT"])
def test_a_date_that_is_none_is_passed_over(text: str) -> None:
    assert date_ms({"date": text}) is None
    assert date_ms({}) is None


def test_a_date_is_read() -> None:
    assert date_ms({"date": "Tue, 14 Nov 2023 22:13:20 GMT"}) == NOW_MS


@pytest.mark.parametrize("error_ms", [0, -300, 600])
def test_a_pool_learns_the_error_within_seconds_of_its_start(error_ms: int) -> None:
    syncing = {"data": {"head_slot": "0", "sync_distance": "0", "is_syncing": False}}
    began: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        began.append(trio.current_time())
        since_s = began[-1] - began[0]
        at_s = int(SLOT * SLOT_S + since_s - error_ms / 1000)
        minutes, seconds = divmod(at_s, 60)
        date = f"Thu, 01 Jan 1970 00:{minutes:02}:{seconds:02} GMT"
        return httpx.Response(200, json=syncing, headers={"Date": date})

    node = FakeNode({"/eth/v1/node/syncing": answer})

    async def use(pool: BeaconPool) -> tuple[int | None, int]:
        assert pool.clock_error_ms is None
        await trio.sleep(2 * EAGER_SAMPLES)
        return pool.clock_error_ms, node.paths().count("/eth/v1/node/syncing")

    estimate, count = with_pool(use, node, is_running=True)
    assert estimate is not None
    assert abs(estimate - error_ms) <= SHARP_MS
    assert count <= EAGER_SAMPLES + 2
