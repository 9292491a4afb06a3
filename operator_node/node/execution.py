"""The execution nodes, one by one and as one, and the beacon nodes that they are compared with.

Made before anything is asked of anybody; closed with the node.

Source: docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import trio

from operator_node.clock import SlotClock
from operator_node.config import PUBLIC_NETWORKS, Settings
from operator_node.node.payloads import Payloads
from operator_node.registry.audit import Audit
from operator_node.registry.proof import Payload, Proof, Untied
from operator_node.registry.sources import Sources
from sdk.chain import Rpc

_MS = 1000


class Execution:
    """What the registry is read from.

    Attributes:
        rpc: the first execution node that answers.
        each: one per node, for comparisons; empty if there is only one.
    """

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet.

        Raises:
            ConfigError: an address that cannot be one.
        """
        network, urls = settings.network, [node.url for node in settings.execution.nodes]
        self.rpc = Rpc(urls, chain_id=network.chain_id)
        several = urls if len(urls) > 1 else []
        self.each = tuple(Rpc([url], chain_id=network.chain_id) for url in several)
        for rpc in (self.rpc, *self.each):
            rpc.answer_s = settings.execution.connection_timeout_ms / _MS
        known = PUBLIC_NETWORKS.get(network.name)
        is_public = known is not None and (
            (known.chain_id, known.genesis_validators_root)
            == (network.chain_id, network.genesis_validators_root)
        )
        self._payloads = Payloads(
            [node.url for node in settings.beacon.nodes], is_same_chain=True if is_public else None
        )
        self._registry = network.registry
        self._settings = settings.execution
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for rpc in (self.rpc, *self.each):
            await self._stack.enter_async_context(rpc)
        await self._stack.enter_async_context(self._payloads)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._stack.aclose()

    def require_chain(self, chain_id: int) -> None:
        """Pass over nodes of another chain."""
        for rpc in (self.rpc, *self.each):
            rpc.require_chain(chain_id)

    def sources(self) -> Sources:
        """What looks at them one by one."""
        return Sources(
            self.rpc,
            self.each,
            tolerance_blocks=self._settings.sync_tolerance_blocks,
            distance=self._settings.follow_distance_blocks,
        )

    def audit(self, poll_s: float) -> Audit:
        """What compares the registry with its contract, every so many seconds."""
        calls = max(1, int(self._settings.verify_rate * poll_s))
        return Audit(self.rpc, self._registry, others=self.each, calls_per_look=calls)

    def proof(self, clock: SlotClock, chain_id: int) -> Proof:
        """What looks at their answers.

        Args:
            clock: of the beacon chain.
            chain_id: of the registry's chain.
        """

        async def payload_of(time_s: int, wanted: bytes) -> Payload | Untied | None:
            return await self._payloads.of(clock.slot_at(time_s * _MS), wanted, chain_id=chain_id)

        return Proof(self.rpc, self._registry, payload_of=payload_of, others=self.each)
