"""The life of a node: opens its parts in order, keeps them running, ends them cleanly.

What is missing outside is waited for, with the API already telling what; what is wrong inside ends
the process with one line that says so. Nothing of a duty is decided here.

Source: docs/run-a-node.md.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Final, assert_never

import msgspec
import trio

from operator_node.api import Metrics, Tokens, make_app, make_metrics_app, serve
from operator_node.beacon import (
    BeaconPool,
    BlockSeenEvent,
    FinalizedEvent,
    HeadEvent,
    ReorgEvent,
    SlashingEvent,
    ViewChangedEvent,
)
from operator_node.clock import wall_ms
from operator_node.config import Settings
from operator_node.engine import DutyRecord, turn_often
from operator_node.node.control import Control
from operator_node.node.execution import Execution
from operator_node.node.journal import Journal
from operator_node.node.letters import make_acknowledging, make_letterbox
from operator_node.node.parts import Base, Working, make_working, open_base, open_private
from operator_node.node.payments import Payments
from operator_node.node.reload import Reload
from operator_node.node.telling import Life
from operator_node.registry import Left, RegistryChange
from operator_node.signing import SigningProcess
from operator_node.wire.ids import RunnerRole
from sdk.chain import Rpc
from sdk.errors import ConfigError, NetworkError
from sdk.files import read_bounded
from sdk.types import OperatorId, Slot

_log = logging.getLogger(__name__)

LOOK_MS: Final = 100
"""Between looks for the end of running duties."""
LAG_SECONDS: Final = 0.1
"""Between measurements of the event loop's lag; each costs some ten microseconds."""
LOOK_SECONDS: Final = 0.5
"""Between looks for what a person or another chain has to do first."""
AGAIN_SECONDS: Final = 5.0
"""Between questions to execution nodes that do not answer at the start."""
TOKEN_BYTES: Final = 4096
_HEX: Final = msgspec.json.Decoder(str)


async def run(settings: Settings, *, version: str, reload: Reload | None = None) -> None:
    """Runs until SIGTERM or SIGINT, then lets duties of the slot finish, and returns.

    Args:
        settings: that it runs with.
        version: of this software, as peers and the API are told.
        reload: reads the settings again, at SIGHUP or by API.

    Raises:
        PhalanxError: something of this node's own cannot be used; nothing was signed with it.
    """
    turn_often()
    private = open_private(settings)
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        stack.callback(private.close)
        pool = await stack.enter_async_context(_pool(settings))
        execution = await stack.enter_async_context(Execution(settings))
        life = Life(pool, metrics, version, private)
        life.control = Control(life, reload)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, settings, life, nursery.cancel_scope)
            nursery.start_soon(life.control.follow_signals)
            nursery.start_soon(_feel_lag, life)
            await _serve(settings, life, nursery)
            if isinstance(private.key, SigningProcess):
                await nursery.start(private.key.run)
            _log.info("waiting for a beacon node")
            chain = await pool.connect()
            chain_id = settings.network.chain_id or await _chain_id(execution.rpc)
            base = await trio.to_thread.run_sync(
                partial(
                    open_base,
                    settings,
                    private,
                    chain,
                    pool=pool,
                    execution=execution,
                    chain_id=chain_id,
                    history=lambda path, slots: Journal(
                        path,
                        kept_slots=slots,
                        most_bytes=settings.history.size_bytes,
                        metrics=metrics,
                    ),
                )
            )
            stack.callback(base.history.close)
            stack.callback(base.custody.close)
            life.base = base
            await nursery.start(pool.run)
            await nursery.start(base.registry.run)
            await nursery.start(make_letterbox(settings, base.custody).run)
            me = await _operator(base)
            await _work(settings, life, base, me, nursery)


def _pool(settings: Settings) -> BeaconPool:
    return BeaconPool(
        [node.url for node in settings.beacon.nodes],
        now_ms=wall_ms,
        compare_roots=settings.duties.compares_checkpoint_roots,
        genesis_validators_root=settings.network.genesis_validators_root,
        tolerance_slots=settings.beacon.sync_tolerance_slots,
        block_soft_ms=settings.duties.proposal_soft_timeout_ms,
    )


async def _serve(settings: Settings, life: Life, nursery: trio.Nursery) -> None:
    """The ports, first of all: so that what is waited for can be seen."""
    api = settings.api
    tokens = Tokens()
    if api.tokens_file is not None:
        tokens = Tokens.of(read_bounded(api.tokens_file, limit_bytes=TOKEN_BYTES).decode())
        if not tokens.read:
            raise ConfigError(
                f"the API's token file {api.tokens_file} is empty",
                code="api_token",
                hint="Write a token into it, or leave node.api_tokens_file out.",
            )
    if api.port is not None:
        app = make_app(life.sources(), tokens=tokens)
        port = await nursery.start(partial(serve, app, host=api.bind, port=api.port))
        _log.info("HTTP API on %s:%d", api.bind, port)
    if api.metrics_port is not None:
        app = make_metrics_app(life.metrics.text, life.status)
        port = await nursery.start(partial(serve, app, host=api.bind, port=api.metrics_port))
        _log.info("metrics on %s:%d", api.bind, port)


async def _chain_id(rpc: Rpc) -> int:
    """Of the execution nodes, as soon as one answers; a network of one's own may not name it."""
    while True:
        try:
            text: str = await rpc.call("eth_chainId", form=_HEX)
            return int(text, 16)
        except NetworkError as problem:
            _log.warning("%s", problem)
        except ValueError:
            _log.warning("%s gives a chain id that cannot be read", rpc.name)
            rpc.leave()
        await trio.sleep(AGAIN_SECONDS)


async def _operator(base: Base) -> OperatorId:
    """The own id, as soon as the registry has it."""
    told = False
    while (me := base.registry.status().operator_id) is None:
        if base.registry.is_complete and not told:
            told = True
            _log.warning(
                "this operator key is not registered; register it, and this node goes on by itself"
            )
        await trio.sleep(LOOK_SECONDS)
    _log.info("this is operator %d", me)
    return me


async def _work(
    settings: Settings, life: Life, base: Base, me: OperatorId, nursery: trio.Nursery
) -> None:
    """Everything that duties need, each part before those that use it."""
    changes = base.registry.subscribe()
    working = await trio.to_thread.run_sync(make_working, settings, base, life.pool, me)
    _want(working)
    if isinstance(base.history, Journal):
        base.history.on_votes = partial(_note_votes, working)
        base.history.facts_of = partial(offers_of, life.pool)
        payments = Payments(
            blocks=life.pool,
            clock=base.clock,
            note=base.history.note,
            on_mispaid=life.metrics.mispaid,
        )
        base.history.on_proposal = payments.take
        await nursery.start(payments.run)
    await nursery.start(working.peers.run)
    await working.peers.set_topics(working.engine.topics())
    await nursery.start(working.engine.run)
    if working.lease is not None:
        await nursery.start(working.lease.run)
    if base.doppelganger is not None:
        await nursery.start(base.doppelganger.run)
    for request in base.registry.exits():
        working.scheduler.hear_registry(request)
    life.working = working
    nursery.start_soon(make_acknowledging(settings, working.slashings).run)
    nursery.start_soon(_follow_registry, working, changes)
    nursery.start_soon(_follow_beacon, working, life.pool)
    nursery.start_soon(_tick, working, life)
    nursery.start_soon(_forget_use, working)
    _log.info("duties of %d validators", len(base.registry.own()))
    if working.silence.is_listening():
        _log.info("listening first, whether another instance of this operator is at work")
    async with trio.open_nursery() as scheduling:
        life.scheduling = scheduling.cancel_scope
        await scheduling.start(working.scheduler.run)


# --- what changes -----------------------------------------------------------------------------


async def _follow_registry(
    working: Working, changes: trio.MemoryReceiveChannel[RegistryChange]
) -> None:
    async for change in changes:
        if isinstance(change, Left):
            _part_with(working, change)
        working.engine.refresh()
        working.scheduler.hear_registry(change)
        _want(working)
        with _unharmed("setting topics"):
            await working.peers.set_topics(working.engine.topics())


def _part_with(working: Working, change: Left) -> None:
    """The validator is new if it comes back."""
    key, base = change.validator_key, working.base
    if base.doppelganger is not None and key not in base.registry.own():
        base.doppelganger.forget(key)


def _want(working: Working) -> None:
    """Operators that committees are shared with."""
    own = working.base.registry.own().values()
    working.peers.want(
        frozenset(operator for each in own if each.active for operator in each.committee.operators)
    )


async def _follow_beacon(working: Working, pool: BeaconPool) -> None:
    """Running votes judge by what the own beacon nodes see now."""
    async for event in pool.subscribe():
        match event:
            case HeadEvent() | ViewChangedEvent() | ReorgEvent():
                working.engine.look_again()
            case SlashingEvent():
                with _unharmed("noting a slashing"):
                    await _note_slashing(working, event)
            case BlockSeenEvent() | FinalizedEvent():
                pass
            case _:
                assert_never(event)


async def _note_slashing(working: Working, event: SlashingEvent) -> None:
    """Own validators among the slashed are not signed for any more (DUT-15)."""
    own = working.base.registry.own()
    states = working.learners.states
    hit = [key for key in own if key in states and states[key].index in event.indices]
    if hit:
        slot = working.base.clock.slot()
        await trio.to_thread.run_sync(working.slashings.see, hit, slot)


async def _feel_lag(life: Life) -> None:
    """How late the event loop wakes up, many times per slot: what blocks it is short."""
    while True:
        due = trio.current_time() + LAG_SECONDS
        await trio.sleep_until(due)
        life.metrics.loop_lag(trio.current_time() - due)


async def _forget_use(working: Working) -> None:
    """Once a twin was seen the next start listens first, however soon it comes."""
    await working.twins.seen.wait()
    with _unharmed("removing the note that the slashing record was in use here"):
        await trio.to_thread.run_sync(working.base.last_use.forget)


async def _tick(working: Working, life: Life) -> None:
    """Once per slot: topics around a fork, notes and numbers."""
    clock = working.base.clock
    while True:
        next_ms = clock.start_ms(clock.slot() + 1)
        await clock.sleep_until(next_ms)
        with _unharmed("noting that the slashing record is in use here"):
            await working.silence.keep_note()
        with _unharmed("looking after topics and metrics"):
            await working.peers.set_topics(working.engine.topics())
            life.measure()


@contextmanager
def _unharmed(what: str) -> Iterator[None]:
    """The outer boundary of what no duty depends on: told, and done again the next time."""
    try:
        yield
    except Exception:
        _log.exception("%s failed", what)


def offers_of(pool: BeaconPool, record: DutyRecord) -> Mapping[str, object]:
    """What several beacon nodes offered a committee to attest to (BN-6)."""
    offers = pool.candidates(record.slot) if record.role is RunnerRole.COMMITTEE else ()
    return {"offers": [each.told for each in offers]} if offers[1:] else {}


def _note_votes(working: Working, slot: Slot, indices: tuple[int, ...]) -> None:
    """A signature of these validators was completed, which clears them (SAF-24)."""
    doppelganger = working.base.doppelganger
    if doppelganger is None:
        return
    epoch = working.base.chain.epoch_of(slot)
    wanted = frozenset(indices)
    for key, state in working.learners.states.items():
        if state.index in wanted:
            doppelganger.saw_quorum(key, epoch)


# --- the end ----------------------------------------------------------------------------------


async def _stop_on_signal(settings: Settings, life: Life, scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            _log.info("%s: stopping", signal.Signals(number).name)
            break
    life.is_stopping = True
    working = life.working
    if working is not None:
        if life.scheduling is not None:
            life.scheduling.cancel()
        with trio.move_on_after(settings.stop_grace_ms / 1000):
            clock = working.base.clock
            end_ms = clock.start_ms(clock.slot() + 1)
            while working.engine.running() and clock.now_ms() < end_ms:
                await clock.sleep_until(clock.now_ms() + LOOK_MS)
    scope.cancel()
