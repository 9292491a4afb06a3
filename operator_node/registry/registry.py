"""Follows the registry's contract and tells the node who is who: the task around `Record`.

Work on a step runs in worker threads; what others read changes here, between two awaits, so nobody
ever sees half a step. Upstream trouble is waited out. After any other failure the store is opened
again. Settings that cannot be right end the task.

Source: docs/protocol.md, "Identifiers"; docs/shares.md.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import trio

from operator_node.registry.assignments import Assignment
from operator_node.registry.audit import Audit
from operator_node.registry.binding import Binding
from operator_node.registry.keeping import DropShare, KeepShare, OpenShare, keep_shares
from operator_node.registry.notices import (
    ExitRequested,
    RegistryChange,
    RolledBack,
    changed_recipients,
    departed,
    requested_exits,
)
from operator_node.registry.proof import Proof
from operator_node.registry.readers import Readers
from operator_node.registry.record import Progress, Record
from operator_node.registry.replay import TIMED
from operator_node.registry.rereading import Rereading
from operator_node.registry.roster import Roster
from operator_node.registry.sources import Sources
from operator_node.registry.status import COUNTED, RegistryStatus
from operator_node.registry.store import set_aside
from operator_node.registry.upkeep import Upkeep
from operator_node.registry.values import Identity
from operator_node.registry.view import NetworkView
from sdk.chain import (
    FOLLOW_DISTANCE,
    CaughtUp,
    Extend,
    Follower,
    LogReader,
    Point,
    Rollback,
    Rpc,
    Step,
    TooDeep,
)
from sdk.crypto import OperatorPublicKey
from sdk.errors import ConfigError, NetworkError, StorageError
from sdk.types import BlockNumber, OperatorId, PublicKey

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

log = logging.getLogger(__name__)

POLL_S: Final = 12.0
"""Between questions for a new block: a slot of the chains that matter."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""After failures in a row; an endpoint that comes back is noticed within a minute."""
Admit: TypeAlias = Callable[[Sequence[PublicKey]], Awaitable[None]]


class Registry:
    """The registry as this node knows it.

    Attributes:
        is_complete: the chain was read up to its end once since the start.
    """

    def __init__(
        self,
        rpc: Rpc,
        *,
        path: Path,
        identity: Identity,
        operator_key: OperatorPublicKey,
        first_block: BlockNumber,
        slot_at: Callable[[int], int],
        open_share: OpenShare,
        keep_share: KeepShare,
        drop_share: DropShare,
        admit: Admit,
        proof: Proof | None = None,
        audit: Audit | None = None,
        sources: Sources | None = None,
        distance: int = FOLLOW_DISTANCE,
        poll_s: float = POLL_S,
    ) -> None:
        """Nothing is opened yet.

        Args:
            rpc: of the chain that `identity` names.
            path: of the state store.
            identity: whose registry; with the id of this operator if it is configured.
            operator_key: this operator's public key.
            first_block: the contract's; no log is older.
            slot_at: slot at a time in unix seconds.
            open_share: called in worker threads.
            keep_share: called in worker threads, for all shares at each start, and before a
                validator joins.
            drop_share: called on the event loop, when a validator has left.
            admit: awaited with the validators that are about to join, or to come back, before
                anybody sees them; at the next start again if this process ends before it returned.
            proof: looks at what nodes say before it is taken; None makes one of `rpc` alone.
            audit: compares what was read with the contract; None makes one of `rpc` alone.
            sources: looks at the nodes one by one; None where there is only one.
            distance: blocks behind the head.
            poll_s: seconds between looks at the chain.
        """
        self._roster = Roster(NetworkView(slot_at=slot_at))
        self.is_complete = False
        self._rpc = rpc
        self._path = path
        self._identity = identity
        self._operator_key = operator_key
        self._first = first_block
        self._open_share = open_share
        self._keep_share = keep_share
        self._drop_share = drop_share
        self._admit = admit
        self._distance = distance
        self._poll_s = poll_s
        self._target: BlockNumber | None = None
        self._counts = Counter(dict.fromkeys(COUNTED, 0))
        proof = proof or Proof(rpc, identity.contract)
        audit = audit or Audit(rpc, identity.contract)
        self._upkeep = Upkeep(proof, audit, reread=self._reread, poll_s=poll_s)
        self._readers = Readers()
        self._sources = sources or Sources(rpc, (), distance=distance)
        self._is_loaded = False
        self._failures = 0

    async def run(self, *, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow the chain until cancelled; started once everything stored is in use.

        Raises:
            ConfigError: the store belongs to another network or operator, the key is not the one
                registered for the configured id, or all endpoints serve another chain at first.
        """
        while True:
            try:
                await self._follow(task_status)
                await self._upkeep.put_in_place()
                continue
            except ConfigError as failure:
                has_read = self.is_complete or self._counts["steps"]
                if failure.code != "wrong_chain" or not has_read:
                    raise
                self._counts["failures"] += 1
                log.error("registry: %s; they are asked again", failure)
            except Exception as failure:
                # Whatever it was: the store is right as of some block, and is opened again.
                self._counts["failures"] += 1
                log.exception("registry: failed, opening the store again")
                if isinstance(failure, StorageError) and failure.code == "store_damaged":
                    await trio.to_thread.run_sync(set_aside, self._path)
            await self._pause()

    @property
    def view(self) -> NetworkView:
        """The whole network, for gossip validation; the scheduler tells it what it learns."""
        return self._roster.view

    def own(self) -> Mapping[PublicKey, Assignment]:
        """Validators whose share the signer has, by validator key.

        A live view, as all mappings here: copy it to look at it across a wait.
        """
        return MappingProxyType(self._roster.own)

    def known(self) -> Collection[PublicKey]:
        """Keys of all validators of the network that nodes act on: a live view."""
        return self.view.keys

    def operator_keys(self) -> Mapping[OperatorId, OperatorPublicKey]:
        """Of every registered operator: a live view."""
        return self.view.operator_keys

    def exits(self) -> tuple[ExitRequested, ...]:
        """Recent exit requests of own validators, also those from before the start.

        Those that are not proven yet are told to readers once they are.
        """
        return tuple(self._upkeep.held.sift(requested_exits(self._roster.exits, self._roster.own)))

    def subscribe(self) -> trio.MemoryReceiveChannel[RegistryChange]:
        """Changes from now on, none left out; subscribe before reading `own`.

        What was stored is no change. A reader that does not read holds up the registry.
        """
        return self._readers.subscribe()

    def status(self) -> RegistryStatus:
        """As of now."""
        proof = self._upkeep.proof.told()
        return RegistryStatus(
            tip=self._roster.tip,
            tip_time_s=self._roster.time_s,
            target=self._target,
            is_complete=self.is_complete,
            operator_id=self._roster.me,
            alarms=dict(self._roster.alarms),
            counts=self._counts | self._upkeep.counts(),
            proof=proof,
            audit=self._upkeep.audit.told(proof.whole),
            sources=self._sources.told(),
            exits_held=len(self._upkeep.held),
        )

    async def _follow(self, task_status: TaskStatus[None]) -> None:
        """Open the store and follow the chain from there; returns when another one is ready."""
        record = await trio.to_thread.run_sync(self._opened)
        try:
            loaded = await trio.to_thread.run_sync(record.load)
            self._upkeep.proof.trust(record.certain)
            tip = record.points[-1] if record.points else None
            notices = await self._publish(record, loaded, tip)
            if self._is_loaded:
                await self._readers.tell(notices)
            else:
                self._is_loaded = True
                log.info(
                    "registry: %d own validators stored, as of block %s",
                    len(self._roster.own),
                    tip.number if tip else "none",
                )
                task_status.started()
            follower = Follower(self._first, points=record.points, distance=self._distance)
            reader = LogReader(
                self._rpc,
                follower,
                address=self._identity.contract,
                timed=TIMED,
                pause=self._wait,
                check=self._upkeep.proof,
            )
            await self._sources.look()
            while True:
                try:
                    step = await anext(reader)
                except NetworkError as failure:
                    failed = self._rpc.heard
                    self._counts["failures"] += 1
                    log.warning("registry: %s", failure)
                    await self._pause()
                    await self._sources.look(failed=failed)
                    continue
                await self._take(record, step)
                self._failures = 0
                if self._upkeep.is_ready:
                    return
        finally:
            record.close()
            self._upkeep.pause()

    def _opened(self, path: Path | None = None) -> Record:
        binding = Binding(self._operator_key, configured=self._configured())
        return Record(path or self._path, self._identity, binding)

    def _reread(self, proof: Proof) -> Rereading:
        return Rereading(
            self._rpc,
            proof,
            path=self._path,
            open_record=self._opened,
            contract=self._identity.contract,
            first=self._first,
            distance=self._distance,
        )

    def _configured(self) -> OperatorId | None:
        configured = self._identity.operator_id
        return None if configured is None else OperatorId(configured)

    async def _take(self, record: Record, step: Step | CaughtUp) -> None:
        """Apply one step, make it visible, and say what it changed."""
        notices: list[RegistryChange] = []
        tip: Point | None
        match step:
            case CaughtUp():
                self._complete()
                await self._readers.tell(await self._upkeep.caught_up(record, self._roster))
                return
            case Extend():
                progress = await trio.to_thread.run_sync(record.extend, step, self._roster.assigned)
                tip, self._target = step.tip.point, step.target
            case Rollback(to=to):
                progress = await trio.to_thread.run_sync(
                    record.roll_back, to, self._roster.assigned
                )
                tip = to
                self._counts["rollbacks"] += 1
                self._upkeep.went_back(to.number)
                log.warning("registry: the chain was reorganised above block %d", to.number)
                notices.append(RolledBack(to))
            case TooDeep(oldest=oldest):
                progress = await trio.to_thread.run_sync(record.restart)
                tip = None
                self.is_complete = False
                self._counts["restarts"] += 1
                self._upkeep.went_back(BlockNumber(self._first - 1))
                log.error(
                    "registry: the chain differs below block %d, as far as can be undone; "
                    "it is read again from its beginning",
                    oldest.number,
                )
                notices.append(RolledBack(None))
            case _:
                assert_never(step)
        self._count(progress, step)
        await self._upkeep.extended(record, progress, is_complete=self.is_complete)
        await self._readers.tell([*notices, *await self._publish(record, progress, tip)])

    async def _publish(
        self, record: Record, progress: Progress, tip: Point | None
    ) -> list[RegistryChange]:
        """Make a step visible, shares first, and compare before and after."""
        roster = self._roster
        new = roster.without_share(progress)
        alarms = await keep_shares(
            new.values(), open_share=self._open_share, keep_share=self._keep_share
        )
        await self._let_in(record, progress, {*alarms, *(roster.alarms.keys() - new.keys())})
        # From here to the end nothing waits, so others see all of it or nothing.
        notices = roster.take(progress, tip, new=new.keys(), alarms=alarms)
        for gone in departed(notices, roster.own):
            # Here, so that no later step has handed the share over again by then.
            self._drop_share(gone.validator_key, gone.share_key)
        notices += self._upkeep.held.sift(requested_exits(progress.new_exits, roster.own))
        notices += changed_recipients(progress.fee_recipients, roster.own)
        return notices

    async def _let_in(
        self, record: Record, progress: Progress, without_share: Collection[PublicKey]
    ) -> None:
        """Returns when everybody may see the validators that begin with this step, or again.

        Inactive ones begin when they are reactivated. Those without a share stay on the list of the
        store: a later start may have it.
        """
        settled = progress.begun.difference(without_share)
        if not settled:
            return
        own = progress.own
        active = [key for key in sorted(settled) if (each := own.get(key)) and each.active]
        await self._admit(active)
        await trio.to_thread.run_sync(record.settle, settled)

    def _complete(self) -> None:
        if self.is_complete:
            return
        self.is_complete = True
        if self._roster.me is None:
            log.warning(
                "registry: complete; this operator's key (fingerprint %s) is not registered",
                self._operator_key.fingerprint,
            )
        else:
            log.info(
                "registry: complete; operator %d, %d own validators",
                self._roster.me,
                len(self._roster.own),
            )

    def _count(self, progress: Progress, step: Step) -> None:
        self._counts["steps"] += 1
        self._counts["changes"] += len(progress.changes)
        self._counts["oddities"] += progress.oddities
        self._counts["divergences"] += progress.divergences
        if progress.divergences:
            log.warning(
                "registry: %d events contradict those before them; logs may be missing",
                progress.divergences,
            )
        if isinstance(step, Extend) and not self.is_complete:
            log.info("registry: block %d of %d", step.tip.number, step.target)

    async def _wait(self) -> None:
        """Until the next look at the chain."""
        await trio.sleep(self._poll_s)
        await self._sources.look()

    async def _pause(self) -> None:
        """Longer after each failure in a row."""
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self._failures, 10), LONGEST_PAUSE_S)
        self._failures += 1
        await trio.sleep(pause_s)
