"""What takes a duty's time: asking beacon nodes, signing, recovering signatures, submitting.

Each errand is a task of its duty. It brings its result to the duty's session and ends; a duty that
is over cancels what is still on its way.

Source: docs/protocol.md, "Duties"; docs/slashing.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import trio

from operator_node.duties import Distrust, Reason, recover_all
from operator_node.duties.types import (
    Query,
    Recovered,
    RecoveryRequest,
    Signed,
    SignItem,
    Submission,
    Unavailable,
    Withheld,
)
from operator_node.engine.counts import Counts
from operator_node.engine.job import Job
from operator_node.engine.types import Beacon, Clock, Signer, Work
from operator_node.engine.workers import Threads
from operator_node.session import Effect
from operator_node.wire.ids import RunnerRole
from sdk.errors import StorageError

ASK_AGAIN_SECONDS: Final = 0.5
"""After the first answer that there is none; then twice as long each time."""
ASK_AGAIN_MOST_SECONDS: Final = 8.0
"""A duty that lives for 34 slots asks some fifty times at most; heads wake it earlier at first."""

COLLECTING_ROLES: Final = frozenset(
    {RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION, RunnerRole.AGGREGATOR_COMMITTEE}
)
"""What they propose grows with time: a later round proposes more."""

_log = logging.getLogger(__name__)


class Bring(Protocol):
    """Calls the session with a result and carries out what it asks for then."""

    def __call__(self, job: Job, call: Callable[..., list[Effect]], /, *what: object) -> None: ...


class Errands:
    """Runs errands for all duties of one operator.

    Attributes:
        work: where slow steps run.
        distrust: operators whose partial signatures did not verify of late.
    """

    def __init__(
        self,
        *,
        beacon: Beacon,
        signer: Signer,
        clock: Clock,
        counts: Counts,
        work: Work | None = None,
    ) -> None:
        """None under way.

        Args:
            beacon: asked and submitted to.
            signer: signs in a worker.
            clock: of the process.
            counts: for culprits.
            work: threads if not given.
        """
        self.work: Work = work or Threads()
        self.distrust = Distrust()
        self._beacon = beacon
        self._signer = signer
        self._clock = clock
        self._counts = counts
        self._news = trio.Event()

    def look_again(self) -> None:
        """The beacon nodes may answer now what they could not before."""
        self._news.set()
        self._news = trio.Event()

    async def fetch(self, job: Job, bring: Bring, query: Query) -> None:
        """Asks when it is time until there is an answer; that there is none is told each time."""
        if query in job.asking:
            return
        job.asking.add(query)
        pause = ASK_AGAIN_SECONDS
        try:
            await self._clock.sleep_until(job.due.data_at_ms)
            while True:
                answer = await self._beacon.answer(query, deadline_ms=job.due.deadline_ms)
                if not isinstance(answer, Unavailable):
                    break
                bring(job, job.session.provide, query, answer)
                with trio.move_on_after(pause):
                    await self._until_news(pause)
                pause = min(2 * pause, ASK_AGAIN_MOST_SECONDS)
        finally:
            job.asking.discard(query)
        job.answered.add(query)
        bring(job, job.session.provide, query, answer)

    async def _until_news(self, pause: float) -> None:
        """Whoever waits for long has seen that heads bring nothing, and all of them together, at
        every head, would be a load on the beacon nodes when these are slow already.
        """
        if pause < ASK_AGAIN_MOST_SECONDS:
            await self._news.wait()
        else:
            await trio.sleep_forever()

    async def renew(self, job: Job, bring: Bring, query: Query) -> None:
        """Asks once more for what was given before; only a new answer is told."""
        if query in job.asking:
            return
        job.asking.add(query)
        try:
            answer = await self._beacon.answer(query, deadline_ms=job.due.deadline_ms)
        finally:
            job.asking.discard(query)
        if not isinstance(answer, Unavailable):
            bring(job, job.session.provide, query, answer)

    async def sign(self, job: Job, bring: Bring, items: tuple[SignItem, ...]) -> None:
        """The record is durable before the signatures come back."""
        step = partial(self._signer.sign, items, slot=job.slot)
        results: tuple[Signed | Withheld, ...]
        try:
            results = await self.work(step, urgent=_is_urgent(job))
        except StorageError as error:
            _log.error("duty %s: nothing was signed: %s", job.draft.id, error)
            results = tuple(Withheld(item, Reason.SIGNER_DOWN, error.message) for item in items)
        bring(job, job.session.signed, results)

    async def recover(self, job: Job, bring: Bring, requests: tuple[RecoveryRequest, ...]) -> None:
        """Combines and verifies; who sent what does not hold is left for last from then on."""
        distrusted = self.distrust.at(job.slot)
        step = partial(recover_all, requests, distrusted=distrusted)
        results: tuple[Recovered, ...] = await self.work(step, urgent=_is_urgent(job))
        self.distrust = self.distrust.noting(results, job.slot)
        for operator in {each for result in results for each in result.culprits}:
            self._counts.culprits[operator] += 1
        bring(job, job.session.recovered, results)

    async def submit(self, job: Job, bring: Bring, items: tuple[Submission, ...]) -> None:
        """One batch to all beacon nodes."""
        bring(job, job.session.submitted, await self._beacon.submit(items))


def _is_urgent(job: Job) -> bool:
    return job.role is RunnerRole.PROPOSER
