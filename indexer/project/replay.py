"""Steps of the chain applied to the registry's state, and what that means for the tables.

Pure, apart from the state that it keeps. Signatures are judged beforehand by whoever drives it,
which `Replay.claims` makes possible. It remembers what the blocks did that can still be undone.
After an exception it is stale: load the tables again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from indexer.project.batch import Batch, BlockRow, DivergenceRow, Versions, turn_block
from indexer.project.logs import log_row
from indexer.project.records import SHAPES
from sdk.chain.follower import Extend, Point
from sdk.errors import InvariantBroken
from sdk.events import Event, Log, Undecodable, decode
from sdk.events.types import ValidatorAdded
from sdk.registry import (
    Applied,
    Change,
    Divergence,
    EventContext,
    NonceClaim,
    RegistryState,
    SignatureVerdict,
    apply,
    nonce_claim,
)
from sdk.registry.bulk_calls import apply_bulk, bulk_length
from sdk.types import Address, BlockNumber

Decoded: TypeAlias = tuple[Log, Event | Undecodable]
_Judged: TypeAlias = tuple[Decoded, SignatureVerdict]
_NOTHING: Final = Applied()


def decoded(logs: Sequence[Log]) -> list[Decoded]:
    """What the logs say, in order."""
    return [(log, decode(log.topics, log.data)) for log in logs]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a block did."""

    block: BlockNumber
    changes: tuple[Change, ...]


class Replay:
    """The registry as of some block.

    Attributes:
        state: all records.
        tip: newest block applied.
    """

    def __init__(self, state: RegistryState, tip: Point | None) -> None:
        """As it was loaded; nothing before `tip` can be undone here."""
        self.state = state
        self.tip = tip
        self._done: deque[_Done] = deque()
        self._floor = tip
        self._nonces: dict[Address, int] = {}

    def claims(self, found: Sequence[Decoded]) -> list[NonceClaim | None]:
        """Signatures to be judged before a step, one entry per log, None for no check.

        Steps are given once and in order, but those before need not have been applied yet, not even
        while another thread applies them: an owner who is not remembered from them registers
        nothing in them, so the state has the right nonce.
        """
        claims: list[NonceClaim | None] = []
        for _, event in found:
            if not isinstance(event, ValidatorAdded):
                claims.append(None)
                continue
            nonce = self._nonces.get(event.owner)
            if nonce is None:
                nonce = self.state.account(event.owner).next_nonce
            self._nonces[event.owner] = nonce + 1
            claims.append(nonce_claim(event, nonce=nonce))
        return claims

    def extend(
        self,
        step: Extend,
        found: Sequence[Decoded],
        verdicts: Sequence[SignatureVerdict],
        *,
        with_digest: bool,
    ) -> Batch:
        """Apply a step.

        Args:
            step: that follows on the last one.
            found: its logs, decoded.
            verdicts: one per log.
            with_digest: take the digest of all records afterwards.
        """
        versions = {shape.table: Versions(shape) for shape in SHAPES}
        batch = Batch(
            before=self.tip,
            tip=step.tip.point,
            timestamp_s=step.tip.timestamp_s,
            oldest=step.points[0].number,
            versions=list(versions.values()),
            remaining=step.target - step.tip.number,
        )
        judged = zip(found, verdicts, strict=True)
        for block, entries in groupby(judged, key=lambda entry: entry[0][0].block_number):
            changes = self._block(batch, step.times.get(block), list(entries))
            turn_block(versions, changes, block=block)
            if block > batch.oldest:
                self._done.append(_Done(block, tuple([change for _, change in changes])))
        while self._done and self._done[0].block <= batch.oldest:
            self._done.popleft()
        if self._floor is None or self._floor.number < batch.oldest:
            self._floor = step.points[0]
        batch.blocks = list(_blocks(self.tip, step))
        self.tip = batch.tip
        batch.digest = self.state.digest() if with_digest else None
        return batch

    def roll_back(self, to: Point) -> bytes | None:
        """Undo the blocks above; the digest then, or None if the state must be loaded again.

        No claims may be asked for until it is done.
        """
        if self._floor is None or to.number < self._floor.number:
            return None
        self._nonces.clear()
        while self._done and self._done[-1].block > to.number:
            self.state.undo(self._done.pop().changes)
        self.tip = to
        return self.state.digest()

    def _block(
        self, batch: Batch, time_s: int | None, entries: Sequence[_Judged]
    ) -> list[tuple[int, Change]]:
        """Apply a block's logs; their changes, each with the index of its log."""
        changes: list[tuple[int, Change]] = []
        events = [event for (_, event), _ in entries]
        start = 0
        while start < len(entries):
            run = entries[start : start + bulk_length(events, start)]
            answers = None if len(run) == 1 else self._bulk(run, time_s)
            first_nonce = self._nonce(run[0][0][1])
            for place, ((log, event), verdict) in enumerate(run):
                if answers is None:
                    nonce = self._nonce(event)
                    applied = self._one(log, event, verdict, time_s)
                else:
                    nonce = None if first_nonce is None else first_nonce + place
                    applied = answers[place]
                batch.logs.append(log_row(log, event, self.state, applied, nonce))
                if applied.divergences:
                    batch.divergences += _divergences(log, applied.divergences)
                self.state.commit(applied.changes)
                changes += [(log.log_index, change) for change in applied.changes]
            start += len(run)
        return changes

    def _bulk(self, run: Sequence[_Judged], time_s: int | None) -> list[Applied] | None:
        """What the logs of a bulk call do, None if they have to be taken one by one."""
        events = [event for (_, event), _ in run if not isinstance(event, Undecodable)]
        at = EventContext(run[0][0][0].position, time_s)
        return apply_bulk(self.state, events, at, [verdict for _, verdict in run])

    def _one(
        self, log: Log, event: Event | Undecodable, verdict: SignatureVerdict, time_s: int | None
    ) -> Applied:
        if isinstance(event, Undecodable):
            return _NOTHING
        return apply(self.state, event, EventContext(log.position, time_s), verdict)

    def _nonce(self, event: Event | Undecodable) -> int | None:
        """The nonce that the event uses up next."""
        if isinstance(event, ValidatorAdded):
            return self.state.account(event.owner).next_nonce
        return None


def _blocks(before: Point | None, step: Extend) -> Iterator[BlockRow]:
    """Rows of the blocks of a step that are kept."""
    counts = Counter(log.block_number for log in step.logs)
    hashes = {log.block_number: log.block_hash for log in step.logs}
    hashes |= {point.number: point.hash for point in step.points}
    for number in sorted(hashes):
        if before is not None and number <= before.number:
            continue
        if number not in step.times:
            raise InvariantBroken(f"the time of block {number} is missing")
        yield BlockRow(number, hashes[number], step.times[number], counts[number])


def _divergences(log: Log, found: Sequence[Divergence]) -> Iterator[DivergenceRow]:
    for ordinal, each in enumerate(found):
        facts = [_fact(fact) for fact in (each.subject, each.expected, each.found)]
        yield (log.block_number, log.log_index, ordinal, each.aspect.value, *facts)  # type: ignore[misc]


def _fact(fact: int | bool | bytes | None) -> str | None:
    match fact:
        case None:
            return None
        case bool():
            return "true" if fact else "false"
        case bytes():
            return "0x" + fact.hex()
        case _:
            return str(fact)
