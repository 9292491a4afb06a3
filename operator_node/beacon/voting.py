"""What to attest to: asked of all beacon nodes at once, chosen once for all committees of a slot.

Shell. All offers are kept with the time that each took, so that a duty's record can tell them.
Nodes that contradict each other on a checkpoint are not believed, and the epoch is held until they
agree or most of them do: nothing is proposed, and nobody's vote is agreed with.

Source: this node's own rules (BN-3, BN-6, FRK-2); consensus-specs, phase0/validator.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import trio

from operator_node.beacon.asking import Answers, Offer, Shared, ask_all
from operator_node.beacon.choice import choose_vote, contradict, is_stalled
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.memory import Checkpoints, Choices, Heads, Votes
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.production import fetch_vote
from operator_node.beacon.trouble import NodeTrouble, Trouble, unavailable
from operator_node.beacon.types import Candidate, NodeState, family_of
from operator_node.duties.committee import TARGET_ROOT_FROM_SLOT
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Unavailable
from operator_node.wire.values import BeaconVote
from sdk.types import Epoch, Slot

_log = logging.getLogger(__name__)

VOTE_SOFT: Final = 0.5 / 12
"""Share of a slot."""
HEADER_LIMIT_S: Final = 0.3
"""For the slot of a head that no event told of; it decides only between equal checkpoints."""
_USELESS: Final = frozenset({Trouble.BUSY, Trouble.REFUSED, Trouble.MALFORMED, Trouble.LATE})
"""Troubles that no node has which can serve a duty; one that is down is noted where it is asked."""


class Voting:
    """Attestation data; one object for the life of the node.

    Args:
        fleet: whom to ask.
        checkpoints: learns from every vote.
        votes: what was voted for, here and by the committees.
        heads: slots of blocks.
        compare_roots: whether nodes that differ only in roots contradict each other (FRK-3).
        on_news: called with the slot when the checkpoints of its epoch are others than before.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        checkpoints: Checkpoints,
        votes: Votes,
        heads: Heads,
        compare_roots: bool,
        on_news: Callable[[Slot], None],
    ) -> None:
        self.choices = Choices()
        self._fleet = fleet
        self._checkpoints = checkpoints
        self._votes = votes
        self._heads = heads
        self._compare_roots = compare_roots
        self._on_news = on_news
        self._shared: Shared[Slot, BeaconVote | Unavailable] = Shared()
        self._told_slot = -1

    async def vote(self, slot: Slot) -> BeaconVote | Unavailable:
        """What to attest to; whoever asks at the same time shares the answer.

        Once the slot's epoch is over, what was said in it: beacon nodes answer for the present, and
        their source is another epoch's then, which no committee agrees on.
        """
        fleet = self._fleet
        if fleet.epoch_of(slot) < fleet.epoch_of(fleet.slot_now()) and self._votes.of(slot):
            return self._votes.of(slot)[0]
        return await self._shared.get(slot, partial(self._ask, slot))

    async def _ask(self, slot: Slot) -> BeaconVote | Unavailable:
        fleet, epoch = self._fleet, self._fleet.epoch_of(slot)
        known = self._votes.of(slot)

        async def ask(node: BeaconNode) -> BeaconVote:
            vote = await fetch_vote(node, slot)
            # Late in an epoch a node may answer from the state it prepared for the next one. Then
            # others and the reserves are asked, unless there is something to fall back on.
            if not known and not _is_of(vote, epoch):
                text = f"attestation data of another epoch than {epoch}"
                raise NodeTrouble(node.name, Trouble.NOT_YET, text)
            return vote

        answers = await ask_all(
            fleet.for_duties(),
            ask,
            soft_s=VOTE_SOFT * fleet.slot_s,
            reserves=fleet.reserves(),
        )
        self._note_failures(slot, answers)
        if not answers.offers:
            return unavailable(answers.troubles)
        offers = [
            offer for offer in fleet.preferred_first(answers.offers) if _is_of(offer.value, epoch)
        ]
        if not offers:
            return known[0]
        await self._learn_heads(offers)
        vote = self._choose(slot, offers)
        self._note_candidates(slot, offers, vote)
        if vote is None:
            return self._hold(slot, offers)
        self._votes.note(slot, vote)
        if self._checkpoints.learn(epoch, vote):
            self._on_news(slot)
        return vote

    def _choose(self, slot: Slot, offers: Sequence[Offer[BeaconVote]]) -> BeaconVote | None:
        is_settled = self._is_settled(slot)

        def doubts(votes: Sequence[BeaconVote]) -> bool:
            return self._compare_roots and contradict(votes, is_settled=is_settled)

        return choose_vote(
            [offer.value for offer in offers],
            slot,
            self._heads.slot_of,
            families=[family_of(offer.node.client) for offer in offers],
            doubts=doubts,
        )

    def _hold(self, slot: Slot, offers: Sequence[Offer[BeaconVote]]) -> Unavailable:
        """Says so; where a late block cannot be why, the whole epoch is held."""
        votes = [offer.value for offer in offers]
        is_doubtful = contradict(votes, is_settled=self._is_settled(slot)) or is_stalled(votes)
        if is_doubtful and self._checkpoints.hold(self._fleet.epoch_of(slot)):
            self._on_news(slot)
        if self._told_slot != slot:
            self._told_slot = slot
            told = "; ".join(
                f"{offer.node.name} ({offer.node.client or 'unknown client'}): source "
                f"{offer.value.source}, target {offer.value.target}"
                for offer in offers
            )
            _log.error("beacon nodes contradict each other at slot %d: %s", slot, told)
        return Unavailable(Reason.FORK_HOLD, "beacon nodes contradict each other")

    def _is_settled(self, slot: Slot) -> bool:
        return slot % self._fleet.chain.slots_per_epoch >= TARGET_ROOT_FROM_SLOT

    # --- what is learned on the way ----------------------------------------------------------

    def _note_failures(self, slot: Slot, answers: Answers[BeaconVote]) -> None:
        """A node that has nothing to attest to in the running slot is of no use to duties."""
        if slot != self._fleet.slot_now():
            return
        failed = {each.node for each in answers.troubles if each.trouble in _USELESS}
        for node in self._fleet.nodes:
            if node.name in failed:
                node.health.fail(NodeState.FAR)

    def _note_candidates(
        self, slot: Slot, offers: Sequence[Offer[BeaconVote]], chosen: BeaconVote | None
    ) -> None:
        self.choices.note(
            slot,
            [
                Candidate(
                    node=offer.node.name,
                    client=offer.node.client,
                    vote=offer.value,
                    took_ms=offer.took_ms,
                    was_chosen=offer.value == chosen,
                )
                for offer in offers
            ],
        )

    async def _learn_heads(self, offers: Sequence[Offer[BeaconVote]]) -> None:
        """Slots of heads that no event told of, where several are offered."""
        roots = {offer.value.block_root: offer.node for offer in reversed(offers)}
        if len(roots) == 1:
            return
        with trio.move_on_after(HEADER_LIMIT_S):
            async with trio.open_nursery() as nursery:
                for root, node in roots.items():
                    if self._heads.slot_of(root) is None:
                        nursery.start_soon(self._learn_head, node, root)

    async def _learn_head(self, node: BeaconNode, root: bytes) -> None:
        try:
            self._heads.note(root, await node.block_slot(root))
        except NodeTrouble as problem:  # it counts as far away then
            _log.debug("slot of block 0x%s: %s", root.hex(), problem.message)


def _is_of(vote: BeaconVote, epoch: Epoch) -> bool:
    """Whether a vote can be one of the epoch: its own target, and a source below it."""
    return vote.target.epoch == epoch and (vote.source.epoch < epoch or epoch == 0)
