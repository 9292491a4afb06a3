"""One indexer process, its parts wired: database, tables, node, judges, loop, comparisons."""

from __future__ import annotations

import logging
import signal
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Final

import msgspec
import trio
from prometheus_client import start_http_server

from indexer.metrics import Metrics
from indexer.settings import Settings
from indexer.store import Identity, database, engine, schema
from indexer.sync.auditor import Auditor
from indexer.sync.completeness import Completeness
from indexer.sync.integrity import Comparison, Outcome, compare, write_outcome
from indexer.sync.loop import Sync
from indexer.sync.sample import take_sample
from indexer.sync.verdicts import Judges, Unchecking, judges
from sdk.chain import Point, Rpc, fetcher
from sdk.errors import ChainError, NetworkError
from sdk.types import BlockNumber

log = logging.getLogger(__name__)

_TEXT: Final = msgspec.json.Decoder(str)


async def run_indexer(settings: Settings) -> None:
    """Follow the chain until SIGTERM or Ctrl-C.

    Raises:
        PhalanxError: what waiting does not mend.
    """
    with ExitStack() as stack:
        url = await _opened(stack, settings)
        metrics = Metrics()
        if settings.metrics is not None:
            host, port = settings.metrics
            start_http_server(port, addr=host, registry=metrics.registry)
        async with AsyncExitStack() as connections:
            rpc = await connections.enter_async_context(
                Rpc(settings.rpc_urls, chain_id=settings.chain_id)
            )
            identity = await _identity(rpc, settings)
            judging: Judges = Unchecking()
            if settings.verifies_shares:
                judging = stack.enter_context(judges(settings.workers))
            comparison = Comparison(rpc, url, settings.registry, metrics, samples=settings.samples)
            # By themselves, beside the one that takes the first that answers.
            nodes = [
                await connections.enter_async_context(Rpc([each], chain_id=identity.chain_id))
                for each in settings.rpc_urls
            ]
            completeness = Completeness(
                rpc,
                settings.registry,
                metrics,
                others=nodes,
                proves_history=settings.proves_history,
            )

            def advanced(tip: Point) -> None:
                comparison.notice(tip)
                auditor.notice(tip)

            sync = Sync(
                rpc,
                url,
                identity,
                judges=judging,
                metrics=metrics,
                distance=settings.distance,
                pause=partial(trio.sleep, settings.poll_s),
                advanced=advanced,
                completeness=completeness,
                fetcher=stack.enter_context(fetcher()),
            )
            auditor = Auditor(
                nodes, url, settings.registry, metrics, completeness, repair=sync.repair
            )
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stop_at_a_signal, nursery.cancel_scope)
                nursery.start_soon(comparison.run)
                nursery.start_soon(auditor.run)
                nursery.start_soon(sync.run)


async def verify_once(settings: Settings, *, is_whole: bool) -> Outcome:
    """Compare the tables with the contract, once, at the newest block.

    Args:
        settings: which tables, and which nodes.
        is_whole: everything rather than a sample.

    Raises:
        ChainError: `nothing_indexed`.
        NetworkError: no node answers.
        StorageError: the tables cannot be read.
    """
    with ExitStack() as stack:
        url = await _opened(stack, settings)
        async with Rpc(settings.rpc_urls, chain_id=settings.chain_id) as rpc:
            take = partial(
                take_sample,
                url,
                most=None if is_whole else settings.samples,
                since=BlockNumber(0),
            )
            sample = await trio.to_thread.run_sync(take)
            if sample is None:
                raise ChainError(
                    "the tables are empty", code="nothing_indexed", hint="Run the indexer first."
                )
            outcome = await compare(rpc, settings.registry, sample)
            await trio.to_thread.run_sync(write_outcome, url, outcome)
            return outcome


async def _opened(stack: ExitStack, settings: Settings) -> str:
    """The database's address, its tables up to date."""

    def prepare() -> str:
        url = stack.enter_context(database(settings.database_url, settings.folder))
        schema.upgrade(engine(url))
        return url

    return await trio.to_thread.run_sync(prepare)


async def _identity(rpc: Rpc, settings: Settings) -> Identity:
    """Which registry this is; the chain is asked for until a node answers."""
    while True:
        try:
            chain_id = await rpc.call("eth_chainId", form=_TEXT)
        except NetworkError as failure:
            log.warning("indexer: %s", failure)
            await trio.sleep(settings.poll_s)
            continue
        return Identity(
            int(chain_id, 16), settings.registry, settings.first_block, settings.verifies_shares
        )


async def _stop_at_a_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return
