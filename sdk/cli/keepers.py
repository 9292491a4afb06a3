"""What the commands share that follow the registry until they are told to stop.

Imported only when such a command runs, because web3 takes its time.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import trio

from sdk.chain import Rpc
from sdk.cli.chain_options import ChainOptions
from sdk.cli.chain_session import Session
from sdk.client import Client
from sdk.errors import PhalanxError, UsageError
from sdk.keeper.acting import Actor
from sdk.keeper.bidding import Limits
from sdk.keeper.following import Act, Judge, follow, unchecked
from sdk.keeper.sending import Sender
from sdk.networks import find_by_name
from sdk.types import Address, BlockNumber
from sdk.units import format_ether, format_gwei

NOBODY: Final = Address(b"phalanx dry run acct")
"""Calls in simulations where no account is named; it has no code, so a bounty can be paid to it."""
Work: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Keeper:
    """A session that acts, or only says what it would do."""

    session: Session
    actor: Actor


def keeper_of(chain: ChainOptions, limits: Limits, *, sends: bool) -> Keeper:
    """The session as these options say.

    Raises:
        UsageError: `signer_missing`.
    """
    if sends and not chain.has_signer:
        raise UsageError(
            "nobody is named who signs",
            code="signer_missing",
            hint="Give --key-file, --keystore or --remote-signer; without --send nothing is sent.",
        )
    if not sends and chain.sender is None and not chain.has_signer:
        chain = replace(chain, sender=NOBODY)
    session = Session(replace(chain, dry_run=not sends, yes=sends))
    client: Client = session.client
    session.output.step(
        f"{'sending from' if sends else 'dry run: nothing is sent; calling as'} {client.account}, "
        f"tip at most {format_gwei(limits.max_tip_wei)} gwei, profit at least "
        f"{format_ether(limits.min_profit_wei)} ETH",
        account=client.account,
        sends=sends,
    )
    sender = Sender(client) if sends else None
    return Keeper(session, Actor(client, sender=sender, limits=limits, voice=session.output))


async def follow_registry(
    session: Session, act: Act, *, judge: Judge = unchecked, is_once: bool = False
) -> None:
    """Until `act` says that it is enough, or cancelled; errors as `follow`."""
    options = session.options
    known = None if options.network is None else find_by_name(options.network)
    if options.registry is None:
        raise UsageError("no registry is named", code="registry_missing", hint="See --registry.")
    async with Rpc([options.rpc], chain_id=None if known is None else known.chain_id) as rpc:
        await follow(
            rpc,
            registry=options.registry,
            first_block=BlockNumber(options.start_block),
            act=act,
            voice=session.output,
            judge=judge,
            is_once=is_once,
        )


def run_until_told(work: Work, *beside: Work) -> bool:
    """Runs until the work ends, or SIGTERM or Ctrl-C; whether it ended by itself.

    Args:
        work: its end is the end of all.
        beside: run meanwhile.

    Raises:
        PhalanxError: of the work.
    """
    return trio.run(partial(_until_told, work, beside))


async def _until_told(work: Work, beside: tuple[Work, ...]) -> bool:
    failures: list[PhalanxError] = []
    is_done = False
    async with trio.open_nursery() as nursery:

        async def watch_signals() -> None:
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    nursery.cancel_scope.cancel()

        nursery.start_soon(watch_signals)
        for each in beside:
            nursery.start_soon(each)
        try:
            await work()
            is_done = True
        except PhalanxError as failure:
            # Raised outside the nursery, which would wrap it into a group.
            failures.append(failure)
        nursery.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return is_done
