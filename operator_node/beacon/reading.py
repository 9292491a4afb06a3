"""Duties, validators and signs of life: from the best beacon node that answers.

Shell. The best node is asked first; the next one joins when it fails or is slow. Many validators
are asked for in chunks, and all chunks of an answer are of one chain.

Source: this node's own rules for reads (BN-3); Ethereum Beacon APIs, validator/.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from operator_node.beacon.asking import Answers, ask_in_turn
from operator_node.beacon.chain_block import ChainBlock, fetch_chain_block
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.node import IDS_PER_REQUEST, BeaconNode, chunks
from operator_node.beacon.trouble import LivenessUnavailable, NodeTrouble, Trouble
from operator_node.beacon.types import (
    AttesterDuty,
    EpochDuties,
    NodeState,
    ProposerDuty,
    SyncDuty,
    ValidatorState,
)
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey, Slot

D = TypeVar("D", AttesterDuty, SyncDuty)
S = TypeVar("S")
T = TypeVar("T")

HEDGE_S: Final = 0.7
"""Head start of a node before the next is asked the same (BN-3)."""
READ_LIMIT_S: Final = 5.0
_SILENT: Final = frozenset({Trouble.DOWN, Trouble.LATE})


class Reading:
    """Reads that no slot's deadline hangs on.

    Args:
        fleet: whom to ask.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def attester_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[AttesterDuty]:
        """See `BeaconPool.attester_duties`; so it is for all here."""
        return await self._in_chunks(
            indices, lambda node, chunk: node.attester_duties(epoch, chunk)
        )

    async def proposer_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[ProposerDuty]:
        """Blocks of the epoch that these validators propose."""
        wanted = frozenset(indices)
        return await self._first(lambda node: node.proposer_duties(epoch, wanted))

    async def sync_duties(self, epoch: Epoch, indices: Sequence[int]) -> EpochDuties[SyncDuty]:
        """Positions in the sync committee of the epoch."""
        return await self._in_chunks(indices, lambda node, chunk: node.sync_duties(epoch, chunk))

    async def validators(self, keys: Sequence[PublicKey]) -> Mapping[PublicKey, ValidatorState]:
        """States in the head state."""
        found: dict[PublicKey, ValidatorState] = {}
        for chunk in chunks(keys, IDS_PER_REQUEST):
            found |= await self._first(partial(_with, BeaconNode.validators, chunk))
        return found

    async def liveness(self, epoch: Epoch, indices: Sequence[int]) -> Mapping[int, bool]:
        """Whether validators were seen in the epoch.

        Raises:
            LivenessUnavailable: whoever answers does not tell.
            BeaconError: `beacon_unreachable`, nobody answers.
        """
        found: dict[int, bool] = {}
        for chunk in chunks(indices, IDS_PER_REQUEST):
            answers = await self._in_turn(partial(_live, epoch, chunk))
            if not answers.offers:
                raise self._without_liveness(answers.troubles)
            found |= answers.offers[0].value
        return found

    def _without_liveness(self, troubles: Sequence[NodeTrouble]) -> BeaconError:
        """A node that is busy may tell later, unless it is synced: then its tracking is off."""
        synced = {node.name for node in self._fleet.nodes if node.health.state is NodeState.SYNCED}
        without = {
            each.node: each.text
            for each in troubles
            if each.trouble not in _SILENT
            and (each.trouble is not Trouble.BUSY or each.node in synced)
        }
        if not without:
            return _unreachable(troubles)
        names = [node.name for node in self._fleet.best_first()]
        return LivenessUnavailable(without, [name for name in names if name not in without])

    async def block(self, slot: Slot) -> ChainBlock | None:
        """The chain's block of a slot, None if it has none there.

        Raises:
            BeaconError: `beacon_unreachable`, nobody can tell.
        """
        chain = self._fleet.chain
        answers = await self._in_turn(partial(fetch_chain_block, slot=slot, chain=chain))
        if answers.offers:
            return answers.offers[0].value
        if answers.troubles and all(each.trouble is Trouble.NO_ROUTE for each in answers.troubles):
            return None
        raise _unreachable(answers.troubles)

    async def _first(self, call: Callable[[BeaconNode], Awaitable[T]]) -> T:
        answers = await self._in_turn(call)
        if not answers.offers:
            raise _unreachable(answers.troubles)
        return answers.offers[0].value

    async def _in_turn(self, call: Callable[[BeaconNode], Awaitable[T]]) -> Answers[T]:
        return await ask_in_turn(
            self._fleet.best_first(), call, hedge_s=HEDGE_S, limit_s=READ_LIMIT_S
        )

    async def _in_chunks(
        self,
        indices: Sequence[int],
        call: Callable[[BeaconNode, Sequence[int]], Awaitable[EpochDuties[D]]],
    ) -> EpochDuties[D]:
        """Duties of any number of validators; all answers are of one dependent root.

        Raises:
            BeaconError: also `beacon_reorg`, if the chain changed between two answers.
        """
        parts = [
            await self._first(partial(_with, call, chunk))
            for chunk in chunks(indices, IDS_PER_REQUEST)
        ]
        roots = {part.dependent_root for part in parts}
        if len(roots) > 1:
            raise BeaconError(
                "the chain changed while duties were asked for",
                code="beacon_reorg",
                hint="Ask again.",
            )
        return EpochDuties(
            next(iter(roots), b""), tuple(duty for part in parts for duty in part.duties)
        )


def _unreachable(troubles: Sequence[NodeTrouble]) -> BeaconError:
    text = "; ".join(each.message for each in troubles) or "no answer in time"
    return BeaconError(
        f"no beacon node answered: {text}",
        code="beacon_unreachable",
        hint="Check the beacon nodes; the question is asked again.",
    )


def _live(epoch: Epoch, chunk: Sequence[int], node: BeaconNode) -> Awaitable[Mapping[int, bool]]:
    return node.liveness(epoch, chunk)


def _with(
    call: Callable[[BeaconNode, Sequence[S]], Awaitable[T]],
    chunk: Sequence[S],
    node: BeaconNode,
) -> Awaitable[T]:
    return call(node, chunk)
