"""What the own beacon nodes say of execution blocks: the registry's chain compared with theirs.

Over connections of its own, so that no duty waits for it. Whether both chains are the same is known
for public networks; elsewhere the beacon node's deposit chain tells, as on a local network the
registry lies on a chain of its own.

Source: Ethereum Beacon APIs, beacon/blinded_blocks, beacon/blocks and config/deposit_contract.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec
import trio

from operator_node.beacon.endpoint import MAX_BLOCK_BYTES, Endpoint, Request
from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.registry.proof import Payload, Untied
from sdk.chain.messages import UNREADABLE

_log = logging.getLogger(__name__)

ANSWER_S: Final = 5.0
"""Per beacon node; without an answer exits wait, and everything else goes on."""
_ROUTES: Final = ("/eth/v1/beacon/blinded_blocks/{}", "/eth/v2/beacon/blocks/{}")
"""The second sends all transactions along, so it is for nodes that lack the first."""


class _Header(msgspec.Struct):
    block_hash: str
    receipts_root: str
    logs_bloom: str


class _Body(msgspec.Struct):
    execution_payload_header: _Header | None = None
    execution_payload: _Header | None = None


class _Message(msgspec.Struct):
    body: _Body


class _Signed(msgspec.Struct):
    message: _Message


class _Block(msgspec.Struct):
    data: _Signed


class _Deposits(msgspec.Struct):
    chain_id: str | int


class _Contract(msgspec.Struct):
    data: _Deposits


_BLOCK: Final = msgspec.json.Decoder(_Block)
_CONTRACT: Final = msgspec.json.Decoder(_Contract, strict=False)


class Payloads:
    """The beacon nodes, asked about single blocks."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        is_same_chain: bool | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            urls: of the beacon nodes, preferred first.
            is_same_chain: whether the registry lies on their chain; None finds out.
            transport: for tests.

        Raises:
            ConfigError: `beacon_url`.
        """
        self._endpoints = [Endpoint(url, transport=transport) for url in urls]
        self._is_same_chain = is_same_chain
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for each in self._endpoints:
            self._stack.push_async_callback(each.aclose)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._stack.aclose()

    async def of(self, slot: int, wanted: bytes, *, chain_id: int) -> Payload | Untied | None:
        """The payload in a slot: the wanted one if any node has it there, else another one's.

        Args:
            slot: of the beacon chain.
            wanted: hash of the block that should be there.
            chain_id: of the registry's chain.

        Returns:
            None if no node has a payload to tell, as before the merge or while it is away.
        """
        if self._is_same_chain is None:
            self._is_same_chain = await self._find_out(chain_id)
        if self._is_same_chain is None:
            return None
        if not self._is_same_chain:
            return Untied(
                f"the beacon nodes' execution chain is another one than the registry's ({chain_id})"
            )
        other: Payload | None = None
        for endpoint in self._endpoints:
            payload = await self._payload(endpoint, slot)
            if payload is not None and payload.block_hash == wanted:
                return payload
            other = other or payload
        return other

    async def _find_out(self, chain_id: int) -> bool | None:
        for endpoint in self._endpoints:
            content = await self._ask(endpoint, "/eth/v1/config/deposit_contract")
            try:
                found = None if content is None else int(_CONTRACT.decode(content).data.chain_id)
            except (msgspec.DecodeError, RecursionError, ValueError):
                found = None
            if found is not None:
                return found == chain_id
        return None

    async def _payload(self, endpoint: Endpoint, slot: int) -> Payload | None:
        for route in _ROUTES:
            content = await self._ask(endpoint, route.format(slot))
            if content is None:
                continue
            # Half a megabyte of JSON and more.
            return await trio.to_thread.run_sync(_read, content)
        return None

    async def _ask(self, endpoint: Endpoint, path: str) -> bytes | None:
        request = Request(path=path, is_urgent=False, limit_bytes=MAX_BLOCK_BYTES)
        try:
            with trio.fail_after(ANSWER_S):
                return (await endpoint.ask(request)).content
        except trio.TooSlowError:
            _log.info("%s: no answer to %s within %g s", endpoint.name, path, ANSWER_S)
        except NodeTrouble as problem:
            if problem.trouble is not Trouble.NO_ROUTE:
                _log.info("%s", problem.message)
        return None


def _read(content: bytes) -> Payload | None:
    try:
        body = _BLOCK.decode(content).data.message.body
    except UNREADABLE:
        return None
    found = body.execution_payload_header or body.execution_payload
    if found is None:
        return None
    try:
        return Payload(
            *[
                bytes.fromhex(text.removeprefix("0x"))
                for text in (found.block_hash, found.receipts_root, found.logs_bloom)
            ]
        )
    except ValueError:
        return None
