"""Carrying out requests over a web3 instance: one driver blocks, the other awaits.

The only module of the client with a clock and sockets. It decides nothing: it turns every
outcome into a `Reply` and leaves the rest to the operation. Requests go to web3's provider as
JSON-RPC, beside its middleware, so that answers are the node's own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeVar, cast

import aiohttp
import requests
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from sdk.client.operation import (
    Operation,
    Patience,
    Pause,
    Refused,
    Reply,
    Request,
    Result,
    Rpc,
    Silent,
    persist,
)
from sdk.client.signers import RemoteSigner, Signer
from sdk.errors import ConfigError

T = TypeVar("T")
_SIGNER_TIMEOUT_S = 60.0
"""A person may have to press a button."""


class BlockingDriver:
    """Runs operations to their end over a `Web3`."""

    def __init__(self, w3: Web3, *, signer: Signer | None, patience: Patience) -> None:
        self._node = w3.provider
        self._patience = patience
        self._signer: HTTPProvider | None = None
        if isinstance(signer, RemoteSigner):
            self._signer = HTTPProvider(
                signer.endpoint.reveal(),
                request_kwargs={
                    "timeout": _SIGNER_TIMEOUT_S,
                    "headers": signer.endpoint.reveal_headers(),
                },
                exception_retry_configuration=None,
            )

    def run(self, operation: Operation[T]) -> T:
        """The operation's result."""
        persistent = persist(operation, self._patience)
        try:
            request = next(persistent)
            while True:
                request = persistent.send(self._perform(request))
        except StopIteration as stop:
            return cast("T", stop.value)

    def _perform(self, request: Request) -> Reply:
        if isinstance(request, Pause):
            time.sleep(request.seconds)
            return Result(None)
        provider = _chosen(request, self._node, self._signer)
        try:
            answer = provider.make_request(RPCEndpoint(request.method), list(request.params))
        except Exception as problem:
            return _silence(problem)
        return _reply(answer)


class AwaitingDriver:
    """Runs operations to their end over an `AsyncWeb3`."""

    def __init__(self, w3: AsyncWeb3[Any], *, signer: Signer | None, patience: Patience) -> None:
        self._node = w3.provider
        self._patience = patience
        self._signer: AsyncHTTPProvider | None = None
        if isinstance(signer, RemoteSigner):
            timeout = aiohttp.ClientTimeout(_SIGNER_TIMEOUT_S)
            self._signer = AsyncHTTPProvider(
                signer.endpoint.reveal(),
                request_kwargs={"timeout": timeout, "headers": signer.endpoint.reveal_headers()},
                exception_retry_configuration=None,
            )

    async def run(self, operation: Operation[T]) -> T:
        """The operation's result."""
        persistent = persist(operation, self._patience)
        try:
            request = next(persistent)
            while True:
                request = persistent.send(await self._perform(request))
        except StopIteration as stop:
            return cast("T", stop.value)

    async def close(self) -> None:
        """Closes the connection to a remote signer, if there is one."""
        if self._signer is not None:
            await self._signer.disconnect()

    async def _perform(self, request: Request) -> Reply:
        if isinstance(request, Pause):
            await asyncio.sleep(request.seconds)
            return Result(None)
        provider = _chosen(request, self._node, self._signer)
        try:
            answer = await provider.make_request(RPCEndpoint(request.method), list(request.params))
        except Exception as problem:
            return _silence(problem)
        return _reply(answer)


class Blocking:
    """A part of the blocking client: its verbs return results."""

    _driver: BlockingDriver


class Awaiting:
    """A part of the async client: its verbs return awaitables."""

    _driver: AwaitingDriver


def _chosen(request: Rpc, node: Any, signer: Any) -> Any:
    if not request.to_signer:
        return node
    if signer is None:
        raise ConfigError(
            "this client has no remote signer", hint="Give the client a RemoteSigner."
        )
    return signer


def _reply(answer: Any) -> Reply:
    """The reply in a decoded JSON-RPC answer, whatever it is."""
    if not isinstance(answer, dict):
        return Silent("the answer is no JSON-RPC object")
    error = answer.get("error")
    if error is None:
        return Result(answer.get("result"))
    if not isinstance(error, dict):
        return Refused(None, str(error))
    code = error.get("code")
    return Refused(
        code if isinstance(code, int) else None, str(error.get("message", "")), error.get("data")
    )


def _silence(problem: Exception) -> Silent:
    """Why a request has no answer; anything that is no failure of transport is raised again.

    The texts of the libraries name the address, which may hold an access key, so only the kind of
    failure is told.
    """
    match problem:
        case requests.HTTPError(response=requests.Response() as response):
            after = _seconds(response.headers.get("Retry-After"))
            return Silent(f"HTTP status {response.status_code}", response.status_code, after)
        case aiohttp.ClientResponseError(status=status, headers=headers):
            after = _seconds(headers.get("Retry-After") if headers else None)
            return Silent(f"HTTP status {status}", status, after)
        case requests.Timeout() | asyncio.TimeoutError() | TimeoutError():
            return Silent("timed out", is_timeout=True)
        case requests.RequestException() | aiohttp.ClientError() | OSError():
            return Silent(f"connection failed ({type(problem).__name__})")
        case ValueError() | Web3Exception():
            # Not JSON, or cut off on the way.
            return Silent(f"the answer cannot be read ({type(problem).__name__})")
    raise problem


def _seconds(text: str | None) -> float | None:
    """`Retry-After` as seconds; the form with a date is not worth a calendar."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
