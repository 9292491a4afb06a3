"""How the duties of a span of slots ended, and one word for each that is missing.

Pure. That a duty is missing comes from the chain's blocks alone; the operators' own records only
tell why. A vote that was sent but has no block to be in, because the beacon chain lost the block
for a reason of its own, is missing without being anybody's fault here.

Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from deploy.devnet.duty_rows import Record
from deploy.devnet.inclusion import Report
from operator_node.duties.reasons import Reason

NOT_INCLUDED: Final = "not_included"
"""Sent, and in no block although there was one to take it."""
NO_BLOCK: Final = "no_block"
"""Sent, and the slot or the next one has no block."""
RUNNING: Final = "running"
"""Not sent yet, and not given up: votes may be included for an epoch and longer."""
NOT_RECORDED: Final = "not_recorded"
"""No operator that runs has the duty on record: nobody can say why."""
_VOTES: Final = "committee"
_BLOCK: Final = "proposer"
DONE: Final = Reason.DONE.word
_UNEXPLAINED: Final = frozenset({NOT_RECORDED, Reason.INTERNAL.word})
_NOT_OURS: Final = frozenset({NO_BLOCK})


@dataclass(frozen=True, slots=True)
class Miss:
    """A duty that is due and not in the chain."""

    slot: int
    validator: int
    role: str
    reason: str

    @property
    def is_explained(self) -> bool:
        """Whether somebody can say why."""
        return self.reason not in _UNEXPLAINED

    @property
    def counts(self) -> bool:
        """Whether the operators could have done better."""
        return self.reason not in _NOT_OURS


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of the duties of a span.

    Attributes:
        due: attestations, blocks, and sync committee messages.
    """

    due: int
    misses: tuple[Miss, ...]

    @property
    def done(self) -> int:
        """How many are in the chain."""
        return self.due - len(self.misses)

    @property
    def reasons(self) -> Counter[str]:
        """How often which word."""
        return Counter(each.reason for each in self.misses)

    @property
    def missed_share(self) -> float:
        """Of what the operators could have done better."""
        return sum(each.counts for each in self.misses) / self.due if self.due else 0.0

    @property
    def unexplained(self) -> tuple[Miss, ...]:
        """Misses for which nobody has a reason, or whose reason is a fault of the software."""
        return tuple(each for each in self.misses if not each.is_explained)

    def last_slot_with_own_miss(self) -> int | None:
        """The last slot in which the operators could have done better."""
        return max((each.slot for each in self.misses if each.counts), default=None)


def judge_duties(report: Report, records: Iterable[Record]) -> Judgement:
    """Every duty of the report, with the operators' reasons for those that are missing.

    Args:
        report: on the validators in question.
        records: of all operators, of the same slots.
    """
    by_slot: dict[int, list[Record]] = {}
    for record in records:
        by_slot.setdefault(record["slot"], []).append(record)
    return Judgement(report.due, tuple(sorted(_misses(report, by_slot), key=_place)))


def _misses(report: Report, by_slot: Mapping[int, list[Record]]) -> Iterator[Miss]:
    lacking = report.empty_slots | report.empty_later
    for vote in report.attestations:
        if not vote.is_included:
            slot, validator = vote.duty.slot, vote.duty.validator
            reason = _reason(by_slot.get(slot, ()), _VOTES, validator, has_block=vote.is_healthy)
            yield Miss(slot, validator, "vote", reason)
    for block in report.proposals:
        if not block.is_canonical:
            found = by_slot.get(block.slot, ())
            reason = _reason(found, _BLOCK, block.validator, has_block=True)
            yield Miss(block.slot, block.validator, "block", reason)
    for message in report.sync:
        if message.done < message.due:
            slot, validator = message.slot, message.validator
            has_block = slot not in lacking
            reason = _reason(by_slot.get(slot, ()), _VOTES, validator, has_block=has_block)
            yield Miss(slot, validator, "sync message", reason)


def _reason(records: Iterable[Record], role: str, validator: int, *, has_block: bool) -> str:
    """The word that most of the operators say, unless a beacon node took the object from one."""
    alike = [each for each in records if each["role"] == role]
    mine = [each for each in alike if validator in each["validators"]]
    if any(validator in each["submitted"] for each in mine):
        return NOT_INCLUDED if has_block else NO_BLOCK
    words = Counter(str(each["reason"]) for each in mine if each["reason"] not in (None, DONE))
    if words:
        return words.most_common(1)[0][0]
    return RUNNING if any(each["outcome"] == RUNNING for each in mine) else NOT_RECORDED


def _place(miss: Miss) -> tuple[int, int, str]:
    return miss.slot, miss.validator, miss.role
