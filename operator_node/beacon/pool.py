"""All beacon nodes as one: what the rest of the node asks, tells and hears.

Shell. One node is enough; with several, each question goes to those that can answer it best, and
each finished object to all. Trouble upstream never ends the process: duties are told `Unavailable`,
other callers get a `BeaconError`.

Source: Ethereum Beacon APIs; docs/protocol.md, "Duties".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import httpx
import trio

from operator_node.beacon.answering import BLOCK_SOFT_MS, Answering
from operator_node.beacon.asking import ask_all
from operator_node.beacon.chain_block import ChainBlock
from operator_node.beacon.chains import Account, most_agreed
from operator_node.beacon.clock_error import agreed_ms
from operator_node.beacon.feed import Feed
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.health import TOLERANCE_SLOTS
from operator_node.beacon.memory import Builders, Checkpoints, Heads, Votes
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.reading import READ_LIMIT_S, Reading
from operator_node.beacon.sending import Sending
from operator_node.beacon.telling import Telling
from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.beacon.types import (
    AttesterDuty,
    BeaconEvent,
    Candidate,
    CommitteeSubscription,
    EpochDuties,
    NodeState,
    NodeStatus,
    ProposerDuty,
    SyncDuty,
    SyncSubscription,
    ValidatorState,
    ViewChangedEvent,
)
from operator_node.beacon.upkeep import FIRST_PAUSE_S, LONGEST_PAUSE_S, Upkeep
from operator_node.beacon.voting import Voting
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    Query,
    Submission,
    Submitted,
)
from operator_node.spec.chain import ChainSpec
from sdk.errors import ConfigError
from sdk.types import Address, Epoch, PublicKey, Slot

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

_log = logging.getLogger(__name__)
MAX_NODES: Final = 16
"""Each is asked for every slot's vote and keeps an event stream; nobody runs that many."""
CLOCK_LOST_MS: Final = 500
_MS: Final = 1000
CONNECT_SOFT_S: Final = 0.5
"""How long the preferred nodes may be slower than others at the start."""


class BeaconPool:
    """The beacon nodes.

    Args:
        urls: http or https, preferred first; may hold a user and password, which are never shown.
        now_ms: the time, unix milliseconds.
        compare_roots: the stricter check of checkpoints (FRK-1).
        genesis_validators_root: of the intended chain; None takes the one that most nodes name.
        tolerance_slots: how far behind a node still counts as synced (BN-1).
        block_soft_ms: into a slot of 12 s, how long better blocks are waited for (DUT-4).
        transport: for tests of the network's faults.

    Raises:
        ConfigError: `beacon_url`, or `beacon_nodes` for too many or none.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        now_ms: Callable[[], int],
        compare_roots: bool = True,
        genesis_validators_root: bytes | None = None,
        tolerance_slots: int = TOLERANCE_SLOTS,
        block_soft_ms: int = BLOCK_SOFT_MS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not 1 <= len(urls) <= MAX_NODES:
            raise ConfigError(
                f"{len(urls)} beacon nodes are configured, 1 to {MAX_NODES} are possible",
                code="beacon_nodes",
                hint="Name at least one beacon node.",
            )
        self._fleet = Fleet(
            [BeaconNode(url, transport=transport) for url in urls],
            now_ms,
            tolerance_slots=tolerance_slots,
        )
        self._genesis_validators_root = genesis_validators_root
        self._checkpoints = Checkpoints(compare_roots=compare_roots)
        self._reading = Reading(self._fleet)
        self._feed = Feed()
        heads = Heads()
        self._telling = Telling(self._fleet)
        votes = Votes()
        builders = Builders()
        self._voting = Voting(
            self._fleet,
            checkpoints=self._checkpoints,
            votes=votes,
            heads=heads,
            compare_roots=compare_roots,
            on_news=lambda slot: self._feed.publish(ViewChangedEvent(slot)),
        )
        self._answering = Answering(
            self._fleet,
            voting=self._voting,
            votes=votes,
            builders=builders,
            telling=self._telling,
            block_soft_ms=block_soft_ms,
        )
        self._sending = Sending(self._fleet, votes, builders)
        self._upkeep = Upkeep(
            self._fleet,
            voting=self._voting,
            telling=self._telling,
            checkpoints=self._checkpoints,
            heads=heads,
            feed=self._feed,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections, also when cancelled."""
        with trio.CancelScope(shield=True):
            for node in self._fleet.nodes:
                await node.endpoint.aclose()

    # --- life ------------------------------------------------------------------------------

    async def connect(self) -> ChainSpec:
        """Waits for the first nodes that answer, and gives the chain that most of them are on.

        Of equally many the configured order decides. Nodes that are on another chain are left out
        from then on, and looked at again now and then.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            answers = await ask_all(self._fleet.nodes, self._chain_of, soft_s=CONNECT_SOFT_S)
            if answers.offers:
                offers = sorted(answers.offers, key=lambda each: self._fleet.nodes.index(each.node))
                accounts = [Account(each.value, each.node.deposit_contract) for each in offers]
                offer = offers[most_agreed(accounts, now_s=self._fleet.now_ms() // _MS)]
                self._fleet.chain = offer.value
                self._fleet.deposit_contract = offer.node.deposit_contract
                return offer.value
            for trouble in answers.troubles:
                _log.warning("%s", trouble.message)
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Probes health, follows events, keeps the view current; until cancelled.

        Started once its tasks run; `connect` comes first.
        """
        async with trio.open_nursery() as nursery:
            self._upkeep.start(nursery)
            self._sending.background = nursery
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._sending.background = None

    def status(self) -> tuple[NodeStatus, ...]:
        """How each node is doing, in the configured order."""
        return tuple(node.status() for node in self._fleet.nodes)

    @property
    def clock_error_ms(self) -> int | None:
        """How far this machine's clock is ahead of the beacon nodes', None while unknown (TIM-3).

        Of several nodes the middle one counts, so that one wrong clock says nothing.
        """
        nodes = [node for node in self._fleet.best_first() if node.is_attached]
        found = [node.clock_error.estimate_ms for node in nodes]
        return agreed_ms([each for each in found if each is not None])

    @property
    def is_clock_lost(self) -> bool:
        """Whether the clock is off by so much that nothing should be late on purpose."""
        return abs(self.clock_error_ms or 0) > CLOCK_LOST_MS

    @property
    def events_lost(self) -> int:
        """Events that slow readers did not get."""
        return self._feed.lost

    @property
    def restarts(self) -> int:
        """How often a task of this room failed by a fault of ours and began anew."""
        return self._upkeep.restarts

    # --- duties ----------------------------------------------------------------------------

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        """What a duty asks for, or why there is none; never raises for trouble upstream.

        Args:
            query: of attestation data, a block, an aggregate or a contribution.
            deadline_ms: unix milliseconds; the answer may come sooner for want of any hope.
        """
        return await self._answering.answer(query, deadline_ms=deadline_ms)

    async def submit(self, items: tuple[Submission, ...]) -> tuple[Submitted, ...]:
        """Sends objects to all nodes; returns once each was taken by one, or refused by all."""
        return await self._sending.submit(items)

    def candidates(self, slot: Slot) -> tuple[Candidate, ...]:
        """What the nodes offered to attest to in a recent slot, preferred nodes first (BN-6)."""
        return self._voting.choices.of(slot)

    def view(self, slot: Slot) -> CheckpointView | None:
        """The checkpoints of the slot's epoch that the own nodes vouch for, None if unknown.

        While no node answers, the last known ones, marked as stale (DUT-9).
        """
        is_stale = not self._fleet.is_any_answering
        return self._checkpoints.view(self._fleet.epoch_of(slot), is_stale=is_stale)

    def subscribe(self) -> trio.MemoryReceiveChannel[BeaconEvent]:
        """Events of all nodes, merged; a reader that does not keep up loses the oldest."""
        return self._feed.subscribe()

    # --- schedule --------------------------------------------------------------------------

    async def attester_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[AttesterDuty]:
        """Attestations of the epoch, which is the current or the next one.

        Raises:
            BeaconError: `beacon_unreachable`, no node answered; so it is for all that follow.
        """
        return await self._reading.attester_duties(epoch, indices)

    async def proposer_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[ProposerDuty]:
        """Blocks of the epoch that these validators propose."""
        return await self._reading.proposer_duties(epoch, indices)

    async def sync_duties(self, epoch: Epoch, indices: Sequence[int]) -> EpochDuties[SyncDuty]:
        """Positions in the sync committee of the epoch."""
        return await self._reading.sync_duties(epoch, indices)

    async def validators(self, keys: Sequence[PublicKey]) -> Mapping[PublicKey, ValidatorState]:
        """States in the head state; keys that it does not have are left out."""
        return await self._reading.validators(keys)

    async def liveness(self, epoch: Epoch, indices: Sequence[int]) -> Mapping[int, bool]:
        """Whether validators were seen in the epoch, the current one or the one before.

        Raises:
            LivenessUnavailable: nodes answer, and none tells; asking again will not help soon.
        """
        return await self._reading.liveness(epoch, indices)

    async def block(self, slot: Slot) -> ChainBlock | None:
        """The chain's block of a slot that is over, None if it has none there.

        Raises:
            BeaconError: `beacon_unreachable`.
        """
        return await self._reading.block(slot)

    # --- telling ---------------------------------------------------------------------------

    async def prepare_proposers(self, recipients: Mapping[int, Address]) -> None:
        """Tells all nodes who earns the fees of these validators' blocks.

        Raises:
            BeaconError: no node took it; so it is for the next two.
        """
        await self._telling.prepare(recipients)

    async def subscribe_committees(self, items: tuple[CommitteeSubscription, ...]) -> None:
        """Has all nodes listen to the subnets of these committees."""
        await self._telling.subscribe_committees(items)

    async def subscribe_sync(self, items: tuple[SyncSubscription, ...]) -> None:
        """Has all nodes listen to the subnets of these sync committee positions."""
        await self._telling.subscribe_sync(items)

    # --- inside ----------------------------------------------------------------------------

    async def _chain_of(self, node: BeaconNode) -> ChainSpec:
        with trio.move_on_after(READ_LIMIT_S):
            chain = await node.chain()
            expected = self._genesis_validators_root
            if expected is None or chain.genesis_validators_root == expected:
                return chain
            node.health.observe(NodeState.WRONG_CHAIN, self._fleet.now_ms())
            text = f"is on the chain 0x{chain.genesis_validators_root.hex()}, not the intended one"
            raise NodeTrouble(node.name, Trouble.REFUSED, text)
        raise NodeTrouble(node.name, Trouble.LATE, f"no answer within {READ_LIMIT_S:g} s")
