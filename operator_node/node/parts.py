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
from operator_node.doppelganger import WATCHED_SLOTS, Doppelganger, LastUse, StartWatch, Twins
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
from operator_node.node.admission import Admission
from operator_node.node.learners import Learners
from operator_node.node.silence import Silence
from operator_node.p2p import Identity as PeerIdentity
from operator_node.p2p import Network, identity_from_hex, load_identity
from operator_node.p2p import Operator as PeerOperator
from operator_node.registry import Identity as RegistryIdentity
from operator_node.registry import Registry
from operator_node.scheduler import Scheduler, Timing
from operator_node.shares import ShareSigner
from operator_node.signer.operator_key import OperatorKey
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.store import SlashingStore
from operator_node.spec.chain import ChainSpec
from operator_node.validation import Accept, Chain, Verdict
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import SUBNETS
from sdk.chain import Rpc
from sdk.crypto.secret import SecretKey
from sdk.errors import InvariantBroken
from sdk.files import make_private_folder
from sdk.types import Epoch, OperatorId, PublicKey, Slot

IDENTITY_FILE: Final = "network.key"
STATE_FILE: Final = "state.sqlite"
PEERS_FILE: Final = "peers.json"
HISTORY_FILE: Final = "duties.sqlite"
WATCHES_FILE: Final = "doppelganger.json"
LAST_USE_FILE: Final = "last-use.json"
_SECONDS_PER_DAY: Final = 86_400

Judge: TypeAlias = Callable[[bytes, str, object], Verdict]
"""The verdict on a message that came on a topic, by a peer."""


@dataclass(frozen=True, slots=True)
class Private:
    """What the node has of its own: its keys. Opened before anything is asked of anybody."""

    operator_key: OperatorKey
    peer: PeerIdentity


def open_private(settings: Settings) -> Private:
    """Makes the data folder if there is none, and opens the keys.

    Raises:
        PhalanxError: a file is missing, open to others, or not what it should be.
    """
    make_private_folder(settings.data_folder)
    where = settings.operator_key
    if where.raw is not None:
        key = OperatorKey.from_text(where.raw)
    elif where.file is not None:
        key = OperatorKey.open(where.file, password_file=where.password_file)
    else:
        raise InvariantBroken("settings without an operator key")
    given = settings.peers.identity_key
    if given is not None:
        return Private(key, identity_from_hex(given.reveal().decode()))
    return Private(key, load_identity(settings.data_folder / IDENTITY_FILE))


@dataclass(frozen=True, slots=True)
class Base:
    """What stands once the beacon chain is known.

    Attributes:
        network: the one between operators.
        listens_slots: with duties, before this node speaks; 0 for none.
    """

    private: Private
    chain: ChainSpec
    clock: SlotClock
    network: Chain
    record: SlashingStore
    signer: ShareSigner
    doppelganger: Doppelganger | None
    last_use: LastUse
    listens_slots: int
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
    rpc: Rpc,
    chain_id: int,
    history: Callable[[Path, int], History],
) -> Base:
    """Opens the stores and prepares registry and signer.

    Args:
        settings: of the node.
        private: its keys.
        chain: of its beacon nodes.
        pool: its beacon nodes.
        rpc: of its execution nodes.
        chain_id: of the execution chain.
        history: opens the duty records at a path, to be kept for a number of slots.

    Raises:
        ConfigError: a store is of another network or operator.
        StorageError: a store is in use, damaged or newer than this software.
    """
    folder, network, clock = settings.data_folder, settings.network, make_clock(chain)
    public_key = private.operator_key.public_key
    record = SlashingStore.open(
        settings.slashing_record,
        Owner(
            network=network.name,
            genesis_validators_root=chain.genesis_validators_root,
            operator_key=public_key.fingerprint,
        ),
        on_damage=OnDamage.REBOUND if settings.safety.sets_damage_aside else OnDamage.STOP,
    )
    last_use = LastUse(folder / LAST_USE_FILE, record=settings.slashing_record)
    listens_slots = settings.safety.start_watch_slots
    if listens_slots is None:
        is_same = not record.is_new and not record.needs_arming
        listens_slots = 0 if is_same and last_use.is_recent(clock.now_ms()) else WATCHED_SLOTS
    if record.needs_arming:
        # An older copy was put back: what was signed since is unknown (SAF-7).
        record.arm_all(epoch=Epoch(max(clock.epoch(), 0)), slot=Slot(max(clock.slot(), 0)))
    signer = ShareSigner(record=record, clock=clock)
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
    registry = Registry(
        rpc,
        path=folder / STATE_FILE,
        identity=RegistryIdentity(chain_id, network.registry, public_key.fingerprint),
        operator_key=public_key,
        first_block=network.registry_block,
        slot_at=lambda at_s: clock.slot_at(at_s * 1000),
        open_share=private.operator_key.decrypt,
        keep_share=lambda key, secret: _keep(signer, key, secret),
        drop_share=signer.drop_share,
        admit=admission.admit,
        distance=settings.execution.follow_distance_blocks,
        poll_s=min(chain.seconds_per_slot, 12.0),
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
        record=record,
        signer=signer,
        doppelganger=doppelganger,
        last_use=last_use,
        listens_slots=listens_slots,
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


def make_working(settings: Settings, base: Base, pool: BeaconPool, me: OperatorId) -> Working:
    """The parts around one operator, wired to each other.

    Raises:
        StorageError: the slashing record is another operator's.
    """
    base.record.bind_operator(me)
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
    twins = Twins(me=me, key=base.private.operator_key, clock=clock, fence=signer.fence)
    peers = _network(settings, base, partial(judge, intake, twins), me)
    maker = Maker(
        me=me, chain=base.chain, registry=registry, own=own, signer=signer, policy=_policy(settings)
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
    engine = Engine(
        me=me,
        own=own,
        desk=Desk(own, maker, silence.of),
        errands=Errands(beacon=pool, signer=signer, clock=clock, counts=counts),
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
            proposer_delay_ms=settings.duties.proposer_delay_ms,
        ),
        forks=base.network.forks,
        me=me,
        beacon=pool,
        registry=registry,
        learner=learners,
        emit=engine.begin,
    )
    return Working(me, base, intake, peers, engine, twins, silence, scheduler, learners)


def known_topics(network: Chain) -> frozenset[str]:
    """All that peers may listen to, in both generations."""
    return frozenset(
        network.topic(generation, subnet) for generation in Generation for subnet in range(SUBNETS)
    )


def judge(intake: Intake, twins: Twins, data: bytes, topic: str, peer: object) -> Verdict:
    """The verdict on a peer's message; what is accepted may be a twin's."""
    verdict = intake.judge(data, topic, peer)
    if isinstance(verdict, Accept):
        twins.look(verdict.message, peer)
    return verdict


def _network(settings: Settings, base: Base, judge: Judge, me: OperatorId) -> Network:
    peers, key = settings.peers, base.private.operator_key
    announced = () if peers.host is None else (_address(peers.host, peers.tcp_port),)
    return Network(
        identity=base.private.peer,
        listen=(f"/ip4/0.0.0.0/tcp/{peers.tcp_port}",),
        judge=judge,
        key_of=lambda operator: base.registry.operator_keys().get(operator),
        now_ms=base.clock.now_ms,
        domain=base.network.alan_domain,
        known_topics=known_topics(base.network),
        operator=PeerOperator(me, key.sign),
        store=settings.data_folder / PEERS_FILE,
        bootstrap=tuple(each for each in peers.bootnodes if each.startswith("/")),
        trusted=peers.trusted,
        announce=announced,
    )


def _address(host: str, port: int) -> str:
    """A multiaddress of a name or an IP address."""
    if ":" in host:
        return f"/ip6/{host}/tcp/{port}"
    kind = "ip4" if host.replace(".", "").isdigit() else "dns"
    return f"/{kind}/{host}/tcp/{port}"


def _policy(settings: Settings) -> Policy:
    duties = settings.duties
    recipient = RecipientCheck.STRICT if duties.has_strict_fee_recipient else RecipientCheck.WARN
    gas_limit = duties.gas_limit
    return Policy(graffiti=duties.graffiti, gas_limit=lambda _: gas_limit, recipient=recipient)


def _keep(signer: ShareSigner, key: PublicKey, secret: SecretKey) -> None:
    signer.keep_share(key, secret)
