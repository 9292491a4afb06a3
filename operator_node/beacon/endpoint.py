"""One beacon node's HTTP interface: bounded answers, bounded waiting, bounded requests in flight.

Shell. Knows no route. A node's address may hold a password or a key, so that nothing ever shows
more of it than host and port; the HTTP library logs whole addresses at level INFO, which whoever
sets up logging has to raise.

Source: Ethereum Beacon APIs; RFC 9110.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec
import trio

from operator_node.beacon.trouble import NodeTrouble, Trouble, trouble_of
from sdk.errors import ConfigError
from sdk.json_documents import is_too_deep

JSON: Final = "application/json"
SSZ: Final = "application/octet-stream"
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""Duties of 1,000 validators have under 1 MB."""
MAX_BLOCK_BYTES: Final = 128 * 1024 * 1024
"""A block with the 72 blobs that the largest schedule so far allows, 128 KiB each, as JSON."""
MAX_ERROR_BYTES: Final = 1024 * 1024
"""A failure of some 100 bytes for each item of a batch, with room."""
CONNECT_TIMEOUT_S: Final = 2.0
REQUEST_TIMEOUT_S: Final = 12.0
"""A backstop; callers know the slot and set shorter deadlines."""
KEEP_ALIVE_S: Final = 4.0
"""Servers on Node.js close idle connections after 5 s; a request sent just then would be lost."""
URGENT_LANE: Final = 12
BACKGROUND_LANE: Final = 4
"""At most 16 requests in flight per beacon node; duties need not queue behind the rest (BN-9)."""
_INDEX_DIGITS: Final = 20
"""Of the largest unsigned 64-bit integer; Python refuses to read numbers of thousands."""
_STREAMS: Final = 2
"""Connections that event streams hold, an old one and its successor."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer; header names are in lower case."""

    content: bytes
    headers: Mapping[str, str]

    @property
    def is_ssz(self) -> bool:
        """Whether the content is SSZ; otherwise it is taken for JSON."""
        return self.headers.get("content-type", "").startswith(SSZ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        path: below the node's address.
        params: of the query.
        body: of a POST; None asks by GET.
        body_type: JSON or SSZ.
        version: name of the fork that the body's objects are of, if the route wants it.
        accept: what answers may be.
        is_urgent: whether a duty waits for it.
    """

    path: str
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    body_type: str = JSON
    version: str = ""
    accept: str = JSON
    is_urgent: bool = True
    limit_bytes: int = MAX_ANSWER_BYTES


class _BrokenConnection(NodeTrouble):
    """The node was reached, and the connection ended before its answer did."""


class _Failure(msgspec.Struct):
    index: int | str
    message: str = ""


class _Refusal(msgspec.Struct):
    message: str = ""
    failures: list[_Failure] = []


class Endpoint:
    """The connections to one beacon node.

    Args:
        url: http or https; may hold a user and password, and a path, but no query.
        transport: for tests of the network's faults; the network itself if None.

    Raises:
        ConfigError: `beacon_url`.
    """

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query:
            raise ConfigError(
                "a beacon node's address is no plain http or https URL",
                code="beacon_url",
                hint="Give it as http://host:port, with user:password@ before the host if needed.",
            )
        self.name = f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host
        auth = (parsed.username, parsed.password) if parsed.username else None
        # Without compression a small answer cannot become a large one.
        headers = {"User-Agent": "phalanx", "Accept-Encoding": "identity"}
        slots = URGENT_LANE + BACKGROUND_LANE + _STREAMS
        self._client = httpx.AsyncClient(
            base_url=parsed.copy_with(userinfo=b""),
            auth=auth,
            headers=headers,
            timeout=httpx.Timeout(REQUEST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(
                max_connections=slots,
                max_keepalive_connections=slots,
                keepalive_expiry=KEEP_ALIVE_S,
            ),
            transport=transport,
            trust_env=False,
        )
        self._lanes = {True: trio.Semaphore(URGENT_LANE), False: trio.Semaphore(BACKGROUND_LANE)}

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def ask(self, request: Request) -> Reply:
        """The answer to a request.

        Raises:
            NodeTrouble: anything but a success.
        """
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.body_type
        if request.version:
            headers["Eth-Consensus-Version"] = request.version
        async with self._lanes[request.is_urgent]:
            try:
                return await self._ask_once(request, headers)
            except _BrokenConnection:
                # An idle connection that the node had closed: everything sent here may come twice.
                return await self._ask_once(request, headers)

    async def _ask_once(self, request: Request, headers: dict[str, str]) -> Reply:
        async with self._open(request, headers) as answer:
            limit = request.limit_bytes if answer.is_success else MAX_ERROR_BYTES
            content = await self._read(answer, request.path, limit)
            if not answer.is_success:
                raise self._refusal(answer.status_code, content)
            return Reply(content, {name.lower(): text for name, text in answer.headers.items()})

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of an answer that does not end, as they come; the caller limits the waiting.

        Raises:
            NodeTrouble: anything but a success; also from the iterator, when the connection breaks.
        """
        async with self._open(request, {"Accept": request.accept}, is_endless=True) as answer:
            if not answer.is_success:
                content = await self._read(answer, request.path, MAX_ERROR_BYTES)
                raise self._refusal(answer.status_code, content)
            async with aclosing(answer.aiter_bytes()) as parts:  # type: ignore[type-var]
                yield parts

    @asynccontextmanager
    async def _open(
        self, request: Request, headers: dict[str, str], *, is_endless: bool = False
    ) -> AsyncIterator[httpx.Response]:
        try:
            async with self._client.stream(
                "GET" if request.body is None else "POST",
                request.path,
                params=list(request.params) or None,
                content=request.body,
                headers=headers,
                timeout=(
                    httpx.Timeout(CONNECT_TIMEOUT_S, read=None)
                    if is_endless
                    else httpx.USE_CLIENT_DEFAULT
                ),
            ) as answer:
                yield answer
        except httpx.HTTPError as failed:
            # The library's text may hold the address, and with it a secret.
            text = f"{request.path}: {type(failed).__name__}"
            if isinstance(failed, httpx.TimeoutException):
                raise NodeTrouble(self.name, Trouble.LATE, text) from None
            is_broken = isinstance(failed, httpx.RemoteProtocolError | httpx.ReadError)
            kind = _BrokenConnection if is_broken else NodeTrouble
            raise kind(self.name, Trouble.DOWN, text) from None

    async def _read(self, answer: httpx.Response, path: str, limit: int) -> bytes:
        content = bytearray()
        async with aclosing(answer.aiter_bytes()) as parts:  # type: ignore[type-var]
            async for part in parts:
                content += part
                if len(content) > limit:
                    text = f"{path} answered with more than {limit} bytes"
                    raise NodeTrouble(self.name, Trouble.MALFORMED, text)
        return bytes(content)

    def _refusal(self, status: int, content: bytes) -> NodeTrouble:
        told = _Refusal()
        if not is_too_deep(content):
            try:
                told = msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=_Refusal)
            except (msgspec.DecodeError, UnicodeDecodeError):
                told = _Refusal(content.decode(errors="replace"))
        failures = {
            int(each.index): each.message
            for each in told.failures
            if isinstance(each.index, int)
            or (each.index.isdecimal() and len(each.index) <= _INDEX_DIGITS)
        }
        trouble = trouble_of(status, told.message)
        text = f"status {status}: {told.message}"
        return NodeTrouble(self.name, trouble, text, failures=failures)
