"""Answers a duty's questions from all beacon nodes, within the time that the slot leaves.

Shell. A question is repeated while it brings nothing and there is time. What is learned on the way
(checkpoints, heads that were voted for) stays for later questions.

Source: this node's own rules for reads (BN-3, BN-6); consensus-specs, phase0/validator.md and
altair/validator.md (aggregation).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import trio

from operator_node.beacon.asking import Answers, Shared, ask_all
from operator_node.beacon.choice import choose_aggregate, choose_block, choose_vote
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.memory import Checkpoints, Heads, Votes
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.production import (
    OfferedAggregate,
    fetch_aggregate,
    fetch_block,
    fetch_contribution,
    fetch_vote,
)
from operator_node.beacon.trouble import NodeTrouble, Trouble, unavailable
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    AttestationDataQuery,
    BlockQuery,
    ContributionQuery,
    Query,
    Unavailable,
)
from operator_node.spec.containers import AttestationData
from operator_node.spec.versions import ELECTRA, FULU
from operator_node.wire.values import BeaconVote
from sdk.types import Address, Epoch, Slot

_log = logging.getLogger(__name__)
T = TypeVar("T")

# Shares of a slot, in twelfths of a second of a 12 s slot (BN-3).
VOTE_SOFT: Final = 0.5 / 12
VOTE_HARD_S: Final = 1.5
"""Not a share: a busy node takes as long in a short slot."""
AGGREGATE_SOFT: Final = 1.0 / 12
AGGREGATE_HARD_S: Final = 3.0
BLOCK_SOFT: Final = 1.8 / 12
BLOCK_ANY_FROM: Final = 2.5 / 12
"""From here on in the slot, the first block to come is taken (DUT-4)."""
FIRST_REPEAT_S: Final = 0.15
LONGEST_REPEAT_S: Final = 1.0
_MS: Final = 1000


class Answering:
    """Finds answers; one object for the life of the node.

    Args:
        fleet: whom to ask.
        checkpoints: learns from every vote.
        votes: what was voted for, here and by the committees.
        heads: slots of blocks.
        recipients: fee recipient by validator index, as the beacon nodes were told.
        on_news: called with the slot when the checkpoints of its epoch are others than before.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        checkpoints: Checkpoints,
        votes: Votes,
        heads: Heads,
        recipients: Mapping[int, Address],
        on_news: Callable[[Slot], None],
    ) -> None:
        self._fleet = fleet
        self._checkpoints = checkpoints
        self._votes = votes
        self._heads = heads
        self._recipients = recipients
        self._on_news = on_news
        self._shared: Shared[Slot, BeaconVote | Unavailable] = Shared()

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        """See `BeaconPool.answer`."""
        version = self._fleet.chain.version_at(query.slot)
        if version > FULU:
            text = f"objects of fork number {version} are not known; update this program"
            return Unavailable(Reason.INTERNAL, text)
        left_s = (deadline_ms - self._fleet.now_ms()) / _MS
        match query:
            case AttestationDataQuery(slot=slot):
                return await _repeat(partial(self.vote, slot), min(left_s, VOTE_HARD_S))
            case BlockQuery():
                return await _repeat(partial(self._block, query), left_s)
            case AggregateQuery():
                return await _repeat(partial(self._aggregate, query), min(left_s, AGGREGATE_HARD_S))
            case ContributionQuery():
                return await _repeat(
                    partial(self._contribution, query), min(left_s, AGGREGATE_HARD_S)
                )

    async def vote(self, slot: Slot) -> BeaconVote | Unavailable:
        """What to attest to; whoever asks at the same time shares the answer.

        Once the slot's epoch is over, what was said in it: beacon nodes answer for the present, and
        their source is another epoch's then, which no committee agrees on.
        """
        fleet = self._fleet
        if fleet.epoch_of(slot) < fleet.epoch_of(fleet.slot_now()) and self._votes.of(slot):
            return self._votes.of(slot)[0]
        return await self._shared.get(slot, partial(self._vote, slot))

    async def _vote(self, slot: Slot) -> BeaconVote | Unavailable:
        answers = await self._ask(partial(fetch_vote, slot=slot), VOTE_SOFT)
        if not answers.offers:
            return unavailable(answers.troubles)
        epoch = self._fleet.epoch_of(slot)
        offered = [offer.value for offer in answers.offers if _is_of(offer.value, epoch)]
        if not offered:
            # Late in an epoch a node may answer from the state it prepared for the next one.
            known = self._votes.of(slot)
            text = f"attestation data of another epoch than {epoch}"
            return known[0] if known else Unavailable(Reason.BN_STALE_HEAD, text)
        vote = choose_vote(offered, slot, self._heads.slot_of)
        if vote is None:
            told = "; ".join(
                f"{offer.node.name}: {offer.value.source} {offer.value.target}"
                for offer in answers.offers
            )
            _log.error("beacon nodes contradict each other at slot %d: %s", slot, told)
            return Unavailable(Reason.FORK_HOLD, "beacon nodes contradict each other")
        self._votes.note(slot, vote)
        if self._checkpoints.learn(epoch, vote):
            self._on_news(slot)
        return vote

    async def _block(self, query: BlockQuery) -> Answer:
        fleet, slot_s = self._fleet, self._fleet.slot_s
        elapsed_s = fleet.now_ms() / _MS - fleet.chain.slot_start(query.slot)
        soft_s = max(0.0, min(BLOCK_SOFT * slot_s, BLOCK_ANY_FROM * slot_s - elapsed_s))
        call = partial(fetch_block, query=query, chain=fleet.chain)
        answers = await ask_all(fleet.for_duties(), call, soft_s=soft_s)
        if not answers.offers:
            return unavailable(answers.troubles)
        offered = [offer.value for offer in answers.offers]
        return choose_block(offered, self._recipients).content

    async def _aggregate(self, query: AggregateQuery) -> Answer:
        votes = self._votes.of(query.slot)
        if not votes:
            found = await self.vote(query.slot)
            if isinstance(found, Unavailable):
                return found
            votes = (found,)
        is_indexed = self._fleet.chain.version_at(query.slot) < ELECTRA
        index = query.committee_index if is_indexed else 0
        wanted = [_attestation_data(vote, query.slot, index) for vote in votes]
        chain = self._fleet.chain
        return await self._most(
            lambda node: _best_of(
                [
                    partial(fetch_aggregate, node, data, query.committee_index, chain)
                    for data in wanted
                ]
            )
        )

    async def _contribution(self, query: ContributionQuery) -> Answer:
        roots = self._votes.roots_of(query.slot)
        chain = self._fleet.chain

        async def ask(node: BeaconNode) -> OfferedAggregate:
            heads = roots or (await node.head_root(),)
            return await _best_of(
                [
                    partial(fetch_contribution, node, query.slot, query.subnet, head, chain)
                    for head in heads
                ]
            )

        return await self._most(ask)

    async def _most(self, call: Callable[[BeaconNode], Awaitable[OfferedAggregate]]) -> Answer:
        answers = await self._ask(call, AGGREGATE_SOFT)
        if not answers.offers:
            return unavailable(answers.troubles)
        return choose_aggregate([offer.value for offer in answers.offers]).content

    async def _ask(
        self, call: Callable[[BeaconNode], Awaitable[T]], soft_share: float
    ) -> Answers[T]:
        soft_s = soft_share * self._fleet.slot_s
        return await ask_all(self._fleet.for_duties(), call, soft_s=soft_s)


async def _repeat(ask: Callable[[], Awaitable[Answer]], limit_s: float) -> Answer:
    """The first usable answer; the last reason for none when time is up."""
    answer: Answer = Unavailable(Reason.BN_LATE, "no beacon node answered in time")
    with trio.move_on_after(max(limit_s, 0)):
        pause_s = FIRST_REPEAT_S
        answer = await ask()
        while isinstance(answer, Unavailable):
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_REPEAT_S)
            answer = await ask()
    return answer


async def _best_of(calls: list[Callable[[], Awaitable[OfferedAggregate]]]) -> OfferedAggregate:
    """The best of what one node has under several names.

    Raises:
        NodeTrouble: it has nothing.
    """
    found: list[OfferedAggregate] = []
    missing: NodeTrouble | None = None
    for call in calls:
        try:
            found.append(await call())
        except NodeTrouble as problem:
            if problem.trouble in (Trouble.DOWN, Trouble.LATE):
                raise
            missing = problem
    if found:
        return choose_aggregate(found)
    raise missing or NodeTrouble("", Trouble.REFUSED, "nothing to ask for")


def _is_of(vote: BeaconVote, epoch: Epoch) -> bool:
    """Whether a vote can be one of the epoch: its own target, and a source below it."""
    return vote.target.epoch == epoch and (vote.source.epoch < epoch or epoch == 0)


def _attestation_data(vote: BeaconVote, slot: Slot, index: int) -> AttestationData:
    return AttestationData(
        slot=slot,
        index=index,
        beacon_block_root=vote.block_root,
        source_epoch=vote.source.epoch,
        source_root=vote.source.root,
        target_epoch=vote.target.epoch,
        target_root=vote.target.root,
    )
