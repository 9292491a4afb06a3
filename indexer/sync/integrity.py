"""The tables compared with the contract's views, block by block, for everybody to see.

Shell. Results go into `integrity`, what differs into `suspect`, from which it goes when a later
comparison agrees. A node that does not answer proves nothing and changes nothing. What is compared
is of one block, by its hash, so a chain that moves meanwhile is no difference.

Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import trio

from indexer.metrics import Metrics
from indexer.store import connect, translated
from indexer.sync.questions import Question
from indexer.sync.sample import Sample, take_sample
from indexer.sync.views import ask_views
from sdk.chain import Point, Rpc
from sdk.client.abi import decode_answer
from sdk.errors import ChainError, PhalanxError
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

KEPT_BLOCKS: Final = 8_192
"""Of results; about a day. The newest one says how things are."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A subject that differs, by the first view that shows it."""

    kind: str
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A comparison.

    Attributes:
        block: state that was compared.
        compared: subjects by kind, each once.
        subjects: all of them.
    """

    block: Point
    compared: Mapping[str, int]
    subjects: frozenset[tuple[str, str]]
    mismatches: tuple[Mismatch, ...]


class Comparison:
    """Compares a sample after each block, as long as blocks come slower than answers."""

    def __init__(
        self, rpc: Rpc, url: str, registry: Address, metrics: Metrics, *, samples: int
    ) -> None:
        """Nothing is compared yet.

        Args:
            rpc: of the chain.
            url: of the database.
            registry: contract to ask.
            metrics: to fill.
            samples: clusters, operators and owners per comparison, each.
        """
        self._rpc = rpc
        self._url = url
        self._registry = registry
        self._metrics = metrics
        self._samples = samples
        self._noticed, self._waiting = trio.open_memory_channel[Point](1)

    def notice(self, tip: Point) -> None:
        """There is a new block to compare at; forgotten while the last one is being compared."""
        try:
            self._noticed.send_nowait(tip)
        except trio.WouldBlock:
            return

    async def run(self) -> None:
        """Compare until cancelled."""
        last = Point(BlockNumber(0), b"")
        async for tip in self._waiting:
            if tip == last:
                continue
            try:
                take = partial(
                    take_sample, self._url, most=self._samples, since=BlockNumber(last.number)
                )
                sample = await trio.to_thread.run_sync(take)
                if sample is None:
                    continue
                outcome = await compare(self._rpc, self._registry, sample)
                await trio.to_thread.run_sync(write_outcome, self._url, outcome)
            except PhalanxError as failure:
                self._metrics.failures.inc()
                log.warning("indexer: nothing compared at block %d: %s", tip.number, failure)
                continue
            last = tip
            self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        for kind, compared in outcome.compared.items():
            self._metrics.compared.labels(kind).inc(compared)
        for each in outcome.mismatches:
            self._metrics.mismatches.labels(each.kind).inc()
            log.error(
                "indexer: %s %s differs from the contract at block %d: tables %s, contract %s",
                each.kind,
                each.subject,
                outcome.block.number,
                each.expected,
                each.found,
            )


async def compare(rpc: Rpc, registry: Address, sample: Sample) -> Outcome:
    """Ask the contract at the sample's block.

    Raises:
        NetworkError: no node answers, or none knows the block any more.
    """
    wrong: dict[tuple[str, str], Mismatch] = {}
    views = [(each.function, each.arguments) for each in sample.questions]
    answers = await ask_views(rpc, registry, views, sample.block)
    for question, data in zip(sample.questions, answers, strict=True):
        found = _decoded(question, data)
        if found != question.expected:
            key = (question.kind, question.subject)
            expected = f"{question.function} {question.expected}"
            wrong.setdefault(key, Mismatch(*key, expected, f"{question.function} {found}"))
    for name, left, right in sample.sums:
        if left != right:
            wrong["sums", name] = Mismatch("sums", name, str(left), str(right))
    subjects = {(each.kind, each.subject) for each in sample.questions}
    subjects |= {("sums", name) for name, _, _ in sample.sums}
    return Outcome(
        block=sample.block,
        compared=Counter(kind for kind, _ in subjects),
        subjects=frozenset(subjects),
        mismatches=tuple(wrong.values()),
    )


def write_outcome(url: str, outcome: Outcome) -> None:
    """Keep what was found, in one transaction.

    Raises:
        StorageError: it cannot be written.
    """
    wrong = Counter(each.kind for each in outcome.mismatches)
    block = outcome.block
    right = outcome.subjects - {(each.kind, each.subject) for each in outcome.mismatches}
    with connect(url) as connection, translated(), connection.transaction():
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO integrity (block_number, kind, block_hash, compared, mismatches, "
                "checked_at) VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (block_number, kind) "
                "DO UPDATE SET block_hash = excluded.block_hash, compared = excluded.compared, "
                "mismatches = excluded.mismatches, checked_at = excluded.checked_at",
                [
                    (block.number, kind, block.hash, compared, wrong[kind])
                    for kind, compared in outcome.compared.items()
                ],
            )
            cursor.executemany(
                "INSERT INTO suspect (kind, subject, block_number, expected, found, seen_at) "
                "VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (kind, subject) DO UPDATE SET "
                "block_number = excluded.block_number, expected = excluded.expected, "
                "found = excluded.found, seen_at = excluded.seen_at",
                [
                    (each.kind, each.subject, block.number, each.expected, each.found)
                    for each in outcome.mismatches
                ],
            )
        connection.execute(
            "DELETE FROM suspect USING unnest(%s::text[], %s::text[]) AS fine(kind, subject) "
            "WHERE suspect.kind = fine.kind AND suspect.subject = fine.subject",
            ([kind for kind, _ in right], [subject for _, subject in right]),
        )
        connection.execute(
            "DELETE FROM integrity WHERE block_number < %s", (block.number - KEPT_BLOCKS,)
        )


def _decoded(question: Question, data: bytes | None) -> tuple[Any, ...] | str:
    if data is None:
        return "reverts"
    try:
        return decode_answer(question.function, data)
    except ChainError as failure:
        return failure.message
