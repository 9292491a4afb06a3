"""A registry of real keys and shares on a chain in memory, and a node that follows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import httpx
import trio
import trio.testing

from operator_node.registry import Identity, Registry, RegistryChange
from operator_node.registry.audit import Audit
from operator_node.registry.proof import PayloadOf, Proof
from operator_node.registry.sources import Sources
from sdk.chain import Rpc
from sdk.crypto import OperatorPrivateKey, SecretKey, decrypt_share
from sdk.events import Event, encode, operator_public_key_bytes
from sdk.events.types import (
    ClusterLiquidated,
    ClusterReactivated,
    OperatorAdded,
    ValidatorAdded,
    ValidatorExited,
    ValidatorRemoved,
)
from sdk.shares import KeyShare
from sdk.testing import builders, keys
from sdk.types import BlockNumber, OperatorId, PublicKey, Wei
from tests.unit.sdk.chain.pretend_node import CONTRACT, Node

CHAIN_ID = 31337
GENESIS_S = 1000
SLOT_S = 12
IDS = builders.operator_ids()
OWNER = keys.OWNER
PATIENCE_S = 20.0
WHOLE_S = 6 * PATIENCE_S
"""Of one life of a registry."""


@lru_cache(maxsize=32)
def key_share(number: int, nonce: int) -> KeyShare:
    return keys.key_share(number, nonce=nonce)


def validator_key(number: int) -> PublicKey:
    return key_share(number, 0).public_key


def operators(*numbers: int) -> list[Event]:
    """Operators with the keys that shares are encrypted to."""
    return [
        OperatorAdded(
            OperatorId(number),
            builders.address(100 + number),
            operator_public_key_bytes(keys.operator_key(number).public_key.text),
            Wei(0),
        )
        for number in numbers or IDS
    ]


def registered(number: int, nonce: int, *, total: int | None = None) -> Event:
    """The registration of a throwaway validator by the owner, as his so many-th."""
    share = key_share(number, nonce)
    snapshot = builders.snapshot(validators=total or nonce + 1)
    return ValidatorAdded(OWNER, IDS, share.public_key, share.shares_data, snapshot)


def removed(number: int, *, total: int) -> Event:
    snapshot = builders.snapshot(validators=total)
    return ValidatorRemoved(OWNER, IDS, validator_key(number), snapshot)


def exited(number: int) -> Event:
    return ValidatorExited(OWNER, IDS, validator_key(number))


def liquidated(total: int) -> Event:
    snapshot = builders.snapshot(validators=total, active=False, balance_wei=0)
    return ClusterLiquidated(OWNER, IDS, snapshot)


def reactivated(total: int) -> Event:
    return ClusterReactivated(OWNER, IDS, builders.snapshot(validators=total))


def encoded(*events: Event) -> list[tuple[Sequence[bytes], bytes]]:
    return [encode(event) for event in events]


class Follow:
    """One node's registry over a chain in memory; as often as wanted, on the same store."""

    def __init__(
        self, node: Node, path: Path, *, me: int = 2, operator_id: int | None = None
    ) -> None:
        self.node = node
        self.path = path
        self.key: OperatorPrivateKey = keys.operator_key(me)
        self.identity = Identity(
            CHAIN_ID, CONTRACT, self.key.public_key.fingerprint, operator_id=operator_id
        )
        self.kept: list[tuple[PublicKey, SecretKey]] = []
        self.changes: list[RegistryChange] = []
        self.dropped: list[tuple[PublicKey, PublicKey]] = []
        self.admitted: list[PublicKey] = []
        self.others: list[Node] = []
        self.payload_of: PayloadOf | None = None

    def registry(self, rpc: Rpc, **more: Any) -> Registry:
        settings: dict[str, Any] = {
            "path": self.path,
            "identity": self.identity,
            "operator_key": self.key.public_key,
            "first_block": BlockNumber(0),
            "slot_at": lambda seconds: (seconds - GENESIS_S) // SLOT_S,
            "open_share": lambda box, share_key: decrypt_share(self.key, box, share_key),
            "keep_share": lambda key, secret: self.kept.append((key, secret)),
            "drop_share": lambda key, share_key: self.dropped.append((key, share_key)),
            "admit": self._admit,
            "distance": 0,
            "poll_s": 0.005,
        }
        return Registry(rpc, **(settings | more))

    async def _admit(self, keys: Sequence[PublicKey]) -> None:
        self.admitted += keys

    def run(self, check: Callable[[Registry], Awaitable[None]], **more: Any) -> None:
        """Runs the registry until the check is through."""

        async def main() -> None:
            nodes = {f"node{place}": each for place, each in enumerate([self.node, *self.others])}
            transport = httpx.MockTransport(lambda asked: nodes[asked.url.host].respond(asked))
            urls = [f"http://{name}" for name in nodes]
            chain_rpc = partial(Rpc, chain_id=CHAIN_ID, transport=transport)
            async with AsyncExitStack() as stack:
                rpc = await stack.enter_async_context(chain_rpc(urls))
                others = [
                    await stack.enter_async_context(chain_rpc([url])) for url in urls if self.others
                ]
                proof = Proof(rpc, CONTRACT, payload_of=self.payload_of, others=others)
                audit = Audit(rpc, CONTRACT, others=others)
                sources = Sources(rpc, others, distance=0)
                looks = {"proof": proof, "audit": audit, "sources": sources}
                registry = self.registry(rpc, **(looks | more))
                changes = registry.subscribe()
                with trio.fail_after(WHOLE_S):
                    async with trio.open_nursery() as nursery:
                        await nursery.start(registry.run)
                        nursery.start_soon(self._listen, changes)
                        await check(registry)
                        nursery.cancel_scope.cancel()

        trio.run(main)

    async def caught_up(self, registry: Registry) -> None:
        """Until the registry has read what the chain has now, and told it.

        The chain is that of the first node.
        """

        def is_there() -> bool:
            tip = registry.status().tip
            return (
                registry.is_complete
                and tip is not None
                and "0x" + tip.hash.hex() == self.node.blocks[-1]["hash"]
            )

        await until(is_there)
        await trio.testing.wait_all_tasks_blocked(0.002)

    async def _listen(self, changes: trio.MemoryReceiveChannel[RegistryChange]) -> None:
        async for change in changes:
            self.changes.append(change)

    def take_changes(self) -> list[RegistryChange]:
        taken, self.changes = self.changes, []
        return taken


async def until(is_true: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        # The chain in memory announces nothing.
        while not is_true():  # noqa: ASYNC110
            await trio.sleep(0.002)
