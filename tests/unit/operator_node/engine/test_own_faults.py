"""What goes wrong in a node itself: its record, its stop, its software, its threads."""

from __future__ import annotations

import sys

import pytest
import trio
import trio.testing

from operator_node.duties import Reason
from operator_node.duties.types import Step
from operator_node.engine import Ending, Threads, turn_often
from operator_node.engine.workers import LANE_THREADS, SWITCH_SECONDS
from operator_node.wire.ids import BeaconRole, RunnerRole
from sdk.errors import StorageError
from tests.unit.operator_node.engine.cluster import (
    Case,
    Hub,
    begin,
    clock_at,
    due,
    part,
    play,
    votes,
)
from tests.unit.operator_node.engine.leading import (
    LEADERS,
    SLOT,
)


def test_a_record_that_cannot_be_written_withholds_the_signature() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        broken = nodes[0]
        broken.signer.problem = StorageError("the slashing record is on a full disk")
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        # Three others sign; the duty is done here, too, with their partial signatures.
        assert [node.record().reason for node in nodes] == [Reason.DONE] * 4
        assert Step.SIGNED not in dict(broken.record().steps)
        assert broken.counts.failures == 0

    play(case, slot=SLOT)


def test_a_record_that_cannot_be_read_is_the_signers_fault() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        broken = nodes[0]
        broken.signer.unreadable = StorageError("the slashing record is damaged")
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        record = broken.record()
        assert record.reason is Reason.SIGNER_DOWN
        assert record.detail == {"why": "the slashing record is damaged"}
        assert [node.record().reason for node in nodes[1:]] == [Reason.DONE] * 3

    play(case, slot=SLOT)


def test_duties_that_run_when_the_node_stops_have_their_record() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        nodes = await it.nodes(LEADERS[:2])
        await begin(duty, nodes)
        await it.until(duty, 500)
        nodes[0].stop()
        await trio.testing.wait_all_tasks_blocked()
        record = nodes[0].record()
        assert (record.reason, record.outcome) == (Reason.STOPPED, Ending.MISSED)
        assert nodes[0].counts.outcomes == {(duty.role, Reason.STOPPED): 1}
        assert nodes[1].engine.running()

    play(case, slot=SLOT)


def test_a_duty_that_had_ended_keeps_its_record_when_the_node_stops() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(duty, nodes)
        await it.until(duty)
        nodes[0].stop()
        await trio.testing.wait_all_tasks_blocked()
        assert nodes[0].record().reason is Reason.DONE
        assert nodes[0].counts.outcomes == {(duty.role, Reason.DONE): 1}

    play(case, slot=SLOT)


def test_a_silenced_duty_ends_before_it_says_a_word() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        silent = await it.node(LEADERS[0], quiet=lambda slot: (Reason.START_WATCH, "listening"))
        others = await it.nodes(LEADERS[1:])
        await begin(duty, [silent, *others])
        await it.until(duty)
        assert (silent.record().reason, silent.record().detail) == (
            Reason.START_WATCH,
            {"why": "listening"},
        )
        assert silent.me not in {each.sender for each in it.hub.sent}
        assert not silent.beacon.submitted
        assert [node.record().reason for node in others] == [Reason.DONE] * 3

    play(case, slot=SLOT)


@pytest.mark.parametrize("where", ["beacon", "signer", "session"])
def test_a_fault_of_this_software_ends_one_duty_alone(
    where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        broken, problem = nodes[0], ZeroDivisionError("planted")
        if where == "beacon":
            broken.beacon.problem = problem
        if where == "signer":
            broken.signer.problem = problem
        exit_duty = due(
            RunnerRole.VOLUNTARY_EXIT, SLOT, [part(BeaconRole.VOLUNTARY_EXIT, SLOT)], at_ms=5_000
        )
        await begin(votes(SLOT), nodes)
        if where == "session":
            await it.until(votes(SLOT), 1)
            (job,) = broken.desk.jobs

            def fail(*_: object) -> None:
                raise problem

            monkeypatch.setattr(job.session.duty, "decide", fail)
        await it.until(votes(SLOT), 900)
        broken.signer.problem = None
        await begin(exit_duty, nodes)
        await it.until(exit_duty)
        records = {each.role: each for each in broken.history_of()}
        assert records[RunnerRole.COMMITTEE].reason is Reason.INTERNAL
        assert records[RunnerRole.COMMITTEE].detail == {"error": "ZeroDivisionError"}
        assert records[RunnerRole.VOLUNTARY_EXIT].reason is Reason.DONE
        assert broken.counts.failures == 1
        for node in nodes[1:]:
            assert {each.reason for each in node.history_of()} == {Reason.DONE}

    play(case, slot=SLOT)
    assert "failed: ZeroDivisionError" in caplog.text


def test_threads_do_what_takes_time_on_the_real_clock() -> None:
    duty = due(RunnerRole.VOLUNTARY_EXIT, SLOT, [part(BeaconRole.VOLUNTARY_EXIT, SLOT)])

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            clock = clock_at(SLOT, 2_000)
            it = Case(nursery, clock, Hub(nursery, clock))
            nodes = await it.nodes(work=Threads())
            await begin(duty, nodes)
            with trio.fail_after(10):
                for node in nodes:
                    await node.ended()
            assert [node.record().reason for node in nodes] == [Reason.DONE] * 4
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_the_loop_has_its_turn_ten_times_as_often() -> None:
    before = sys.getswitchinterval()
    try:
        turn_often()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    finally:
        sys.setswitchinterval(before)


def test_urgent_work_does_not_queue_behind_other_work() -> None:
    async def main() -> None:
        threads, release = Threads(), trio.Event()
        done: list[str] = []

        async def usual() -> None:
            await threads(lambda: trio.from_thread.run(release.wait), urgent=False)
            done.append("usual")

        async with trio.open_nursery() as nursery:
            for _ in range(LANE_THREADS + 1):
                nursery.start_soon(usual)
            await trio.testing.wait_all_tasks_blocked()
            done.append(await threads(lambda: "urgent", urgent=True))
            release.set()
        assert done == ["urgent", *["usual"] * (LANE_THREADS + 1)]

    trio.run(main)
