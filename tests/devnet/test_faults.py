"""Planned faults: what is refused before anything starts, and that acts come in their slots."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from deploy.devnet.faults import Act, Fault, carry_out, plan_faults
from sdk.errors import UsageError


def plan(
    *, kill: tuple[str, ...] = (), restart: tuple[str, ...] = (), beacon: tuple[str, ...] = ()
) -> tuple[Fault, ...]:
    return plan_faults(
        kill=kill, restart=restart, stop_beacon=beacon, operators=4, beacons=2, slots=64
    )


def test_acts_are_in_the_order_of_their_slots() -> None:
    assert plan(kill=("4@16",), restart=("4@32",), beacon=("1@20-29",)) == (
        Fault(16, Act.KILL, 4),
        Fault(20, Act.STOP_BEACON, 1),
        Fault(30, Act.START_BEACON, 1),
        Fault(32, Act.RESTART, 4),
    )


def test_beacon_node_may_stay_down_to_the_end() -> None:
    assert plan(beacon=("2@60-63",))[-1] == Fault(64, Act.START_BEACON, 2)


@pytest.mark.parametrize("text", ["", "4", "4@", "@16", "4@x", "4@1 6", "-1@16", "4@" + "9" * 7])
def test_operator_without_a_slot_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(kill=(text,))
    assert caught.value.code == "fault_malformed"


@pytest.mark.parametrize("text", ["1@40", "1@40-", "1@-49", "1@49-40", "1@40-49-50"])
def test_beacon_node_without_a_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(beacon=(text,))
    assert caught.value.code == "fault_malformed"


@pytest.mark.parametrize(
    ("kill", "restart", "beacon", "why"),
    [
        (("5@16",), (), (), "there is no operator 5"),
        (("0@16",), (), (), "there is no operator 0"),
        ((), (), ("3@16-20",), "there is no beacon node 3"),
        (("4@64",), (), (), "slot 64 of operator 4 is beyond the run's 64 slots"),
        ((), ("4@32",), (), "operator 4 is not down before slot 32"),
        (("4@32",), ("4@16",), (), "operator 4 is not down before slot 16"),
        (("4@16", "4@20"), (), (), "operator 4 is down already at slot 20"),
        ((), (), ("1@16-20", "2@18-22"), "no beacon node would be left at slot 18"),
    ],
)
def test_plan_that_cannot_be_carried_out_is_refused(
    kill: tuple[str, ...], restart: tuple[str, ...], beacon: tuple[str, ...], why: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan(kill=kill, restart=restart, beacon=beacon)
    assert (caught.value.code, caught.value.message) == ("fault_impossible", why)


class Recorder:
    """Verbs that say what they were asked."""

    async def kill_operator(self, number: int) -> str:
        return f"killed {number}"

    async def start_operator(self, number: int) -> str:
        return f"started {number}"

    async def stop_beacon(self, number: int) -> str:
        return f"stopped beacon {number}"

    async def start_beacon(self, number: int) -> str:
        return f"started beacon {number}"


def test_every_act_is_carried_out_in_its_slot_and_told() -> None:
    waited: list[float] = []
    said: list[str] = []

    async def until_slot(slot: float) -> None:
        await wait_all_tasks_blocked()
        waited.append(slot)

    faults = plan(kill=("4@16",), restart=("4@32",), beacon=("1@20-29",))

    async def main() -> None:
        await carry_out(faults, Recorder(), until_slot=until_slot, say=said.append)

    trio.run(main)
    assert waited == [16, 20, 30, 32]
    assert said == [
        "slot 16: killed 4",
        "slot 20: stopped beacon 1",
        "slot 30: started beacon 1",
        "slot 32: started 4",
    ]
