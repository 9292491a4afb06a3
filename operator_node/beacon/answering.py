"""Answers a duty's questions from all beacon nodes, within the time that the slot leaves.

Shell. A question is repeated while it brings nothing and there is time. Who built which block is
remembered for its submission. What to attest to is found in `voting`.

Source: this node's own rules for reads (BN-3, BN-6); consensus-specs, phase0/validator.md and
altair/validator.md (aggregation).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import trio

from operator_node.beacon.asking import ask_all
from operator_node.beacon.choice import choose_aggregate, choose_block
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.memory import Builders, Votes
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.production import (
    OfferedAggregate,
    OfferedBlock,
    fetch_aggregate,
    fetch_block,
    fetch_contribution,
)
from operator_node.beacon.telling import Telling
from operator_node.beacon.trouble import NodeTrouble, Trouble, unavailable
from operator_node.beacon.voting import Voting
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
from sdk.types import Slot

# Shares of a slot, in twelfths of a second of a 12 s slot (BN-3).
VOTE_HARD_S: Final = 1.5
"""Not a share: a busy node takes as long in a short slot."""
AGGREGATE_SOFT: Final = 1.0 / 12
AGGREGATE_HARD_S: Final = 3.0
BLOCK_SOFT_MS: Final = 1_800
BLOCK_LEAST_S: Final = 0.5
"""However late it is asked for; better blocks are worth this much."""
BLOCK_ANY_FROM: Final = 2.5 / 12
"""From here on in the slot, the first block to come is taken (DUT-4)."""
FIRST_REPEAT_S: Final = 0.15
LONGEST_REPEAT_S: Final = 1.0
_MS: Final = 1000


class Answering:
    """Finds answers; one object for the life of the node.

    Args:
        fleet: whom to ask.
        voting: what to attest to.
        votes: what was voted for, here and by the committees.
        builders: learns who built which block.
        telling: who earns the fees; told to a node before a block is asked of it (BN-5).
        block_soft_ms: into a slot of 12 s, how long better blocks are waited for.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        voting: Voting,
        votes: Votes,
        builders: Builders,
        telling: Telling,
        block_soft_ms: int = BLOCK_SOFT_MS,
    ) -> None:
        self._fleet = fleet
        self._voting = voting
        self._votes = votes
        self._builders = builders
        self._telling = telling
        self._block_soft = block_soft_ms / (_MS * 12)

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        """See `BeaconPool.answer`."""
        version = self._fleet.chain.version_at(query.slot)
        if version > FULU:
            text = f"objects of fork number {version} are not known; update this program"
            return Unavailable(Reason.INTERNAL, text)
        left_s = (deadline_ms - self._fleet.now_ms()) / _MS
        match query:
            case AttestationDataQuery(slot=slot):
                return await _repeat(partial(self._voting.vote, slot), min(left_s, VOTE_HARD_S))
            case BlockQuery():
                return await _repeat(partial(self._block, query), left_s)
            case AggregateQuery():
                return await _repeat(partial(self._aggregate, query), min(left_s, AGGREGATE_HARD_S))
            case ContributionQuery():
                return await _repeat(
                    partial(self._contribution, query), min(left_s, AGGREGATE_HARD_S)
                )

    async def _block(self, query: BlockQuery) -> Answer:
        fleet, slot_s = self._fleet, self._fleet.slot_s
        elapsed_s = fleet.now_ms() / _MS - fleet.chain.slot_start(query.slot)
        soft_s = max(BLOCK_LEAST_S, self._block_soft * slot_s - elapsed_s)
        soft_s = max(0.0, min(soft_s, BLOCK_ANY_FROM * slot_s - elapsed_s))

        async def ask(node: BeaconNode) -> OfferedBlock:
            if not node.is_told:
                await self._telling.prepare_one(node)
            return await fetch_block(node, query, fleet.chain)

        answers = await ask_all(fleet.for_duties(), ask, soft_s=soft_s, reserves=fleet.reserves())
        if not answers.offers:
            return unavailable(answers.troubles)
        offers = fleet.preferred_first(answers.offers)
        for offer in offers:
            self._builders.note(offer.value.block.root, offer.node.name)
        return choose_block([offer.value for offer in offers], self._telling.recipients).content

    async def _aggregate(self, query: AggregateQuery) -> Answer:
        votes = self._votes.of(query.slot)
        if not votes:
            found = await self._voting.vote(query.slot)
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
        fleet = self._fleet
        answers = await ask_all(
            fleet.for_duties(),
            call,
            soft_s=AGGREGATE_SOFT * fleet.slot_s,
            reserves=fleet.reserves(),
        )
        if not answers.offers:
            return unavailable(answers.troubles)
        offers = fleet.preferred_first(answers.offers)
        return choose_aggregate([offer.value for offer in offers]).content


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
