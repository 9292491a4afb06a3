"""The parts of a node as they come to life: from files, from the chain, from the registry.

Three stages, because each needs what the one before has found: the beacon chain's facts need a
beacon node, the operator's id needs the registry. Nothing runs here; parts are made and handed on.

Source: docs/run-a-node.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from operator_node.beacon import BeaconPool
from operator_node.clock import SlotClock
from operator_node.config import Settings
from operator_node.doppelganger import (
    WATCHED_SLOTS,
    Doppelganger,
    LastUse,
    Slashings,
    StartWatch,
    Twins,
)
from operator_node.duties.proposal_rules import RecipientCheck
from operator_node.engine import (
    Counts,
    Desk,
    Engine,
    Errands,
    History,
    Intake,
    Maker,
    Own,
    Policy,
)
from operator_node.lease import Lease
from operator_node.node.admission import Admission
from operator_node.node.crowding import make_network
from operator_node.node.custody import Custody, Shares, open_custody, open_key
from operator_node.node.drain import Drain
from operator_node.node.execution import Execution
from operator_node.node.fences import Cause, Fences
from operator_node.node.gate import Gate
from operator_node.node.learners import Learners
from operator_node.node.leasing import make_lease
from operator_node.node.silence import Silence
from operator_node.p2p import Identity as PeerIdentity
from operator_node.p2p import Network, identity_from_hex, load_identity
from operator_node.registry import Identity as RegistryIdentity
from operator_node.registry import Registry
from operator_node.scheduler import Scheduler, Timing
from operator_node.signer.operator_key import OperatorKey
from operator_node.signing import RemoteKey, SigningProcess
from operator_node.spec.chain import ChainSpec
from operator_node.validation import Accept, Chain, Verdict
from operator_node.wire.generations import ForkEpochs
from sdk.files import make_private_folder
from sdk.types import OperatorId

IDENTITY_FILE: Final = "network.key"
STATE_FILE: Final = "state.sqlite"
HISTORY_FILE: Final = "duties.sqlite"
WATCHES_FILE: Final = "doppelganger.json"
SLASHINGS_FILE: Final = "slashings.json"
LAST_USE_FILE: Final = "last-use.json"
LONGEST_POLL_S: Final = 12.0
"""Between looks at the registry's chain."""
_SECONDS_PER_DAY: Final = 86_400

Judge: TypeAlias = Callable[[bytes, str, object], Verdict]
"""The verdict on a message that came on a topic, by a peer."""


@dataclass(frozen=True, slots=True)
class Private:
    """What the node has of its own: its keys. Opened before anything is asked of anybody."""

    key: OperatorKey | SigningProcess
    peer: PeerIdentity

    @property
    def operator_key(self) -> OperatorKey | RemoteKey:
        """What signs messages."""
        return RemoteKey(self.key) if isinstance(self.key, SigningProcess) else self.key

    @property
    def problem(self) -> str:
        """Why nothing can be signed at present; empty if it can."""
        return self.key.problem if isinstance(self.key, SigningProcess) else ""

    def close(self) -> None:
        """Ends the signing process, if there is one."""
        if isinstance(self.key, SigningProcess):
            self.key.close()


def open_private(settings: Settings) -> Private:
    """Makes the data folder if there is none, and opens the keys.

    Raises:
        PhalanxError: a file is missing, open to others, or not what it should be.
    """
    make_private_folder(settings.data_folder)
    given = settings.peers.identity_key
    if given is not None:
        peer = identity_from_hex(given.reveal().decode())
    else:
        peer = load_identity(settings.data_folder / IDENTITY_FILE)
    return Private(open_key(settings), peer)


@dataclass(frozen=True, slots=True)
class Base:
    """What stands once the beacon chain is known.

    Attributes:
        network: the one between operators.
        listens_slots: with duties, before this node speaks; 0 for none.
        is_resumed: this record was in use on this machine a short while ago.
    """

    private: Private
    chain: ChainSpec
    clock: SlotClock
    network: Chain
    custody: Custody
    signer: Shares
    doppelganger: Doppelganger | None
    last_use: LastUse
    listens_slots: int
    is_resumed: bool
    fences: Fences
    admission: Admission
    registry: Registry
    history: History


def make_clock(chain: ChainSpec) -> SlotClock:
    """The chain's clock."""
    return SlotClock(
        genesis_time=chain.genesis_time,
        slot_ms=chain.seconds_per_slot * 1000,
        slots_per_epoch=chain.slots_per_epoch,
    )


def open_base(
    settings: Settings,
    private: Private,
    chain: ChainSpec,
    *,
    pool: BeaconPool,
    execution: Execution,
    chain_id: int,
    history: Callable[[Path, int], History],
) -> Base:
    """Opens the stores and prepares registry and signer.

    Args:
        settings: of the node.
        private: its keys.
        chain: of its beacon nodes.
        pool: its beacon nodes.
        execution: its execution nodes.
        chain_id: of the execution chain.
        history: opens the duty records at a path, to be kept for a number of slots.

    Raises:
        ConfigError: a store is of another network or operator.
        StorageError: a store is in use, damaged or newer than this software.
    """
    folder, network, clock = settings.data_folder, settings.network, make_clock(chain)
    public_key = private.operator_key.public_key
    custody = open_custody(settings, private.key, chain, clock)
    last_use = LastUse(folder / LAST_USE_FILE, record=settings.slashing_record)
    is_resumed = custody.is_known_record and last_use.is_recent(clock.now_ms())
    listens_slots = settings.safety.start_watch_slots
    if settings.safety.lease_file is not None:
        listens_slots = 0  # whoever has the lease is alone
    elif listens_slots is None:
        listens_slots = 0 if is_resumed else WATCHED_SLOTS
    signer = custody.signer
    fences = Fences(signer)
    if custody.lease_record is not None:
        fences.set(Cause.LEASE, "this instance has not looked for the lease yet")
    doppelganger = None
    if settings.safety.has_doppelganger_watch:
        doppelganger = Doppelganger(
            clock=clock,
            beacon=pool,
            path=folder / WATCHES_FILE,
            own=lambda: registry.own().keys(),
            hold=signer.hold,
            release=signer.release,
        )
    admission = Admission(signer, clock, doppelganger)
    execution.require_chain(chain_id)
    poll_s = min(chain.seconds_per_slot, LONGEST_POLL_S)
    registry = Registry(
        execution.rpc,
        path=folder / STATE_FILE,
        identity=RegistryIdentity(chain_id, network.registry, public_key.fingerprint),
        operator_key=public_key,
        first_block=network.registry_block,
        slot_at=lambda at_s: clock.slot_at(at_s * 1000),
        open_share=custody.open_share,
        keep_share=custody.keep_share,
        drop_share=signer.drop_share,
        admit=admission.admit,
        proof=execution.proof(clock, chain_id),
        audit=execution.audit(poll_s),
        sources=execution.sources(),
        distance=settings.execution.follow_distance_blocks,
        poll_s=poll_s,
    )
    kept_slots = settings.history.days * _SECONDS_PER_DAY // chain.seconds_per_slot
    return Base(
        private=private,
        chain=chain,
        clock=clock,
        network=Chain(
            name=network.name,
            forks=ForkEpochs(chain.slots_per_epoch, network.boole_epoch),
            alan_domain=network.domain,
            boole_domain=network.boole_domain,
            slot_ms=clock.slot_ms,
        ),
        custody=custody,
        signer=signer,
        doppelganger=doppelganger,
        last_use=last_use,
        listens_slots=listens_slots,
        is_resumed=is_resumed,
        fences=fences,
        admission=admission,
        registry=registry,
        history=history(folder / HISTORY_FILE, kept_slots),
    )


@dataclass(frozen=True, slots=True)
class Working:
    """What stands once the operator is known: everything that duties need."""

    me: OperatorId
    base: Base
    intake: Intake
    peers: Network
    engine: Engine
    twins: Twins
    silence: Silence
    scheduler: Scheduler
    learners: Learners
    lease: Lease | None
    slashings: Slashings
    maker: Maker
    drain: Drain


def make_working(settings: Settings, base: Base, pool: BeaconPool, me: OperatorId) -> Working:
    """The parts around one operator, wired to each other.

    Raises:
        StorageError: the slashing record is another operator's.
    """
    base.custody.bind_operator(me)
    clock, registry, signer = base.clock, base.registry, base.signer
    engine_of: list[Engine] = []  # gossip validation and engine know each other
    counts = Counts()
    own = Own(registry, base.network)
    intake = Intake(
        network=base.network,
        registry=registry,
        clock=clock,
        concerns=lambda message_id: engine_of[0].concerns(message_id),
        take=lambda message, at_ms: engine_of[0].receive(message, at_ms),
    )
    key = base.private.operator_key
    twins = Twins(me=me, key=key, clock=clock, fence=base.fences.of(Cause.TWIN))
    lease = make_lease(
        settings,
        base.custody.lease_record,
        genesis_validators_root=base.chain.genesis_validators_root,
        operator_key=key.public_key.fingerprint,
        is_resumed=base.is_resumed,
        fences=base.fences,
        twins=twins,
        clock_error_ms=lambda: pool.clock_error_ms,
    )
    slashings = Slashings(
        settings.data_folder / SLASHINGS_FILE,
        slots_per_epoch=base.chain.slots_per_epoch,
        on_stop=base.fences.of(Cause.SLASHED),
    )
    gate = Gate(signer, _nothing if lease is None else lease.why_not, slashings.is_slashed)
    peers = make_network(
        settings,
        base,
        partial(judge, intake, twins),
        me,
        concerns=lambda message_id: engine_of[0].concerns(message_id),
    )
    maker = Maker(
        me=me,
        chain=base.chain,
        registry=registry,
        own=own,
        signer=signer,
        policy=policy_of(settings),
    )
    silence = Silence(
        signer=signer,
        watch=StartWatch(
            base.listens_slots, now=clock.slot(), longest_slots=base.chain.slots_per_epoch
        ),
        last_use=base.last_use,
        clock=clock,
        hears=lambda: bool(peers.operators_connected()),
    )
    drain = Drain(silence.of)
    engine = Engine(
        me=me,
        own=own,
        desk=Desk(own, maker, drain.of),
        errands=Errands(beacon=pool, signer=gate, clock=clock, counts=counts),
        beacon=pool,
        key=twins,
        transport=peers,
        clock=clock,
        history=base.history,
        counts=counts,
    )
    engine_of.append(engine)
    learners = base.admission.learners = Learners(registry.view, base.doppelganger)
    scheduler = Scheduler(
        clock=clock,
        timing=Timing(
            base.chain,
            late_block_grace_ms=settings.duties.late_block_grace_ms,
            head_settle_ms=settings.duties.head_settle_ms,
            proposer_delay_ms=settings.duties.proposer_delay_ms,
            ignores_delay=lambda: pool.is_clock_lost,
        ),
        forks=base.network.forks,
        me=me,
        beacon=pool,
        registry=registry,
        learner=learners,
        emit=engine.begin,
    )
    duties = (engine, twins, silence, scheduler, learners)
    return Working(me, base, intake, peers, *duties, lease, slashings, maker, drain)


def _nothing() -> str:
    """Nothing is against it."""
    return ""


def judge(intake: Intake, twins: Twins, data: bytes, topic: str, peer: object) -> Verdict:
    """The verdict on a peer's message; what is accepted may be a twin's."""
    verdict = intake.judge(data, topic, peer)
    if isinstance(verdict, Accept):
        twins.look(verdict.message, peer)
    return verdict


def policy_of(settings: Settings) -> Policy:
    """What the operator chose about blocks and signatures."""
    duties = settings.duties
    recipient = RecipientCheck.STRICT if duties.has_strict_fee_recipient else RecipientCheck.WARN
    gas_limit = duties.gas_limit
    return Policy(
        graffiti=duties.graffiti,
        gas_limit=lambda _: gas_limit,
        recipient=recipient,
        takes_builder_blocks=duties.takes_builder_blocks,
    )
