"""The liquidator: clusters that cannot pay any more, stopped for the bounty.

Shell around `liquidations` and `acting`. It asks nothing about a cluster before the block from
which on it can be liquidated.

Source: docs/liquidator.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import trio

from sdk.client.addresses import to_checksum
from sdk.client.draft import Draft
from sdk.errors import NetworkError
from sdk.keeper.acting import Actor
from sdk.keeper.bidding import Market
from sdk.keeper.following import Turn, Voice
from sdk.keeper.liquidations import Case, Schedule, case_of
from sdk.keeper.reporting import Job
from sdk.registry import RegistryState
from sdk.types import BlockNumber


class Liquidator:
    """What to do at a new block."""

    def __init__(self, actor: Actor, voice: Voice) -> None:
        self._actor = actor
        self._voice = voice
        self._schedule: Schedule | None = None
        self._told: BlockNumber | None = None

    async def act(self, turn: Turn) -> bool:
        """Liquidate what pays; a node that fails is asked again at the next block."""
        schedule = await trio.to_thread.run_sync(self._plan, turn)
        try:
            await trio.to_thread.run_sync(self._act, turn, schedule)
        except NetworkError as failure:
            self._voice.note(f"{failure}", code=failure.code)
        return False

    def _plan(self, turn: Turn) -> Schedule:
        if self._schedule is None or turn.is_fresh:
            self._schedule = Schedule(turn.book.state, at=turn.block)
        else:
            self._schedule.take(turn.changes, at=turn.block)
        first = self._schedule.next_block
        if first != self._told:
            self._told = first
            when = "none" if first is None else f"the first from block {first} on"
            self._voice.step(
                f"clusters that can be liquidated one day: {len(self._schedule)}; {when}",
                clusters=len(self._schedule),
                next_block=first,
            )
        return self._schedule

    def _act(self, turn: Turn, schedule: Schedule) -> None:
        self._actor.look_after(turn)
        at = BlockNumber(turn.block + 1)
        due = schedule.due(at=at)
        state = turn.book.state

        def jobs(market: Market) -> Sequence[Job]:
            cases = [case_of(state, each, at=at, market=market) for each in due]
            return [_job(state, case) for case in cases if case is not None]

        self._actor.act(jobs, at=turn.block, has_jobs=bool(due))


def _job(state: RegistryState, case: Case) -> Job:
    ids = ", ".join(map(str, case.operator_ids))
    owner = to_checksum(case.owner)
    name = f"the cluster of {owner} with operators {ids}"
    return Job(
        cluster_id=case.cluster_id,
        draft=Draft(
            function="liquidate",
            arguments=(owner, case.operator_ids, astuple(case.snapshot)),
            action=f"liquidate {name}",
        ),
        reward_wei=case.bounty_wei,
        name=name,
    )
