"""What owners do on the registry while the network is under trial; each act waits for its block.

Faults act as an owner of their own, so that the cluster which the network lives of stays whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import trio
from eth_typing import ChecksumAddress

from deploy.devnet.keys import interop_key, interop_secret
from deploy.devnet.registry import RUNWAY_DAYS
from sdk.client import Client
from sdk.errors import InvariantBroken
from sdk.shares import Operator, split_key
from sdk.types import parse_address
from tests.chaos.world import World

GUEST_ACCOUNT: Final = 3
"""Of anvil's ten: the owner of validators that come and go."""
COMMITTEE: Final = (1, 2, 3, 4)


async def register(
    world: World, validators: Sequence[int], *, committee: Sequence[int] = COMMITTEE
) -> None:
    """Split interop keys anew and register them with these operators.

    Raises:
        PhalanxError: as `client.validators.register`.
    """
    await trio.to_thread.run_sync(_register, world, validators, committee)


async def remove(
    world: World, validators: Sequence[int], *, committee: Sequence[int] = COMMITTEE
) -> None:
    """Remove them from their cluster.

    Raises:
        PhalanxError: as `client.validators.remove`.
    """
    await trio.to_thread.run_sync(_remove, world, validators, committee)


async def liquidate(world: World) -> None:
    """Liquidate the guest's cluster with the committee, as its owner may.

    Raises:
        PhalanxError: as `client.clusters.liquidate`.
    """
    await trio.to_thread.run_sync(_liquidate, world)


async def reactivate(world: World) -> None:
    """Start it again, with a deposit.

    Raises:
        PhalanxError: as `client.clusters.reactivate`.
    """
    await trio.to_thread.run_sync(_reactivate, world)


def _register(world: World, validators: Sequence[int], committee: Sequence[int]) -> None:
    client, account = _guest(world)
    nonce = client.owners.nonce(block="pending")
    operators = [
        Operator(each.id, each.public_key)
        for each in world.everybody.operators
        if each.id in committee
    ]
    shares = [
        split_key(
            interop_secret(index),
            operators,
            owner=parse_address(account),
            nonce=nonce + position,
            random_below=secrets.randbelow,
        )
        for position, index in enumerate(validators)
    ]
    client.validators.register(shares, runway_days=RUNWAY_DAYS).transact()


def _remove(world: World, validators: Sequence[int], committee: Sequence[int]) -> None:
    client, _ = _guest(world)
    keys = [interop_key(index) for index in validators]
    client.validators.remove(tuple(committee), keys).transact()


def _liquidate(world: World) -> None:
    client, account = _guest(world)
    client.clusters.liquidate(account, COMMITTEE).transact()


def _reactivate(world: World) -> None:
    client, _ = _guest(world)
    client.clusters.reactivate(COMMITTEE, runway_days=RUNWAY_DAYS).transact()


def _guest(world: World) -> tuple[Client, ChecksumAddress]:
    client = world.everybody.client(GUEST_ACCOUNT)
    if client.account is None:
        raise InvariantBroken("the owner's client has no account")
    return client, client.account
