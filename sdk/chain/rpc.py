"""JSON-RPC to execution clients: typed answers, batches, several endpoints, bounded answers.

Beside web3, because logs by the ten thousand have to be read at the speed of the node. It never
repeats a question by itself except at the next endpoint, keeps no time, and never shows more of an
address than scheme, host and port: the rest often is a password.

Source: ethereum/execution-apis (JSON-RPC).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

import anyio
import httpx
import msgspec

from sdk.chain.messages import (
    TOO_LARGE,
    UNREADABLE,
    Call,
    Refused,
    Silent,
    request,
    rest_of,
    results,
)
from sdk.chain.sockets import SCHEMES, AnswerTooLarge, Broken, Socket
from sdk.errors import ConfigError, NetworkError

MOST_ANSWER_BYTES: Final = 96 * 2**20
"""Twice what 10,000 registrations take; more is asked for in smaller pieces."""
MOST_ENDPOINTS: Final = 8
"""Each may have to be waited for in turn."""
MOST_BATCH: Final = 100
"""Calls in one request; hosted nodes refuse more."""
ANSWER_S: Final = 60.0
"""For one request as a whole. A node that takes longer for logs is asked for fewer blocks."""
CONNECT_S: Final = 5.0
RETURN_AFTER: Final = 256
"""Answers of another endpoint after which the first one in the list is tried again."""
_TEXT_SHOWN: Final = 200
_METHOD_MISSING: Final = -32601
_FORM = {"content-type": "application/json", "accept": "application/json"}

T = TypeVar("T")


class Rpc:
    """One chain, reached through the first endpoint that answers.

    Attributes:
        switches: how often the endpoint changed; equal before and after means one endpoint spoke.
        answer_s: seconds that an endpoint has for an answer.
        avoided: places of endpoints that are asked only if no other one answers.
        away: those of them that nothing can be had from, whatever the others say.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            urls: `http`, `https`, `ws` or `wss`, most wanted first.
            chain_id: an endpoint of another chain is passed over; None takes any.
            transport: what carries requests, for tests.

        Raises:
            ConfigError: no endpoint, too many, or an address that is none.
        """
        if not 1 <= len(urls) <= MOST_ENDPOINTS:
            raise ConfigError(f"{len(urls)} execution endpoints, expected 1 to {MOST_ENDPOINTS}")
        self._urls = [_parsed(url, place) for place, url in enumerate(urls, 1)]
        self._chain_id = chain_id
        self._proven: set[int] = set()
        self._place = 0
        self._heard = 0
        self._answers = 0
        self.switches = 0
        self.answer_s = ANSWER_S
        self.avoided: frozenset[int] = frozenset()
        self.away: frozenset[int] = frozenset()
        self._sockets = {
            url: Socket(url, connect_s=CONNECT_S, most_bytes=MOST_ANSWER_BYTES)
            for url in self._urls
            if url.scheme in SCHEMES
        }
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for socket in self._sockets.values():
            await socket.aclose()
        await self._client.aclose()

    @property
    def name(self) -> str:
        """The endpoint in use, without credentials."""
        return shown(self._urls[self._place])

    @property
    def heard(self) -> str:
        """The endpoint that answered last, also once it was left."""
        return shown(self._urls[self._heard])

    @property
    def is_http_only(self) -> bool:
        """Whether every endpoint can be asked by HTTP."""
        return not self._sockets

    @property
    def names(self) -> tuple[str, ...]:
        """All endpoints, without credentials, in the order in which they were given."""
        return tuple(map(shown, self._urls))

    def require_chain(self, chain_id: int) -> None:
        """Pass over endpoints of another chain from now on."""
        self._chain_id = chain_id
        self._proven.clear()

    def leave(self) -> None:
        """Use the next endpoint from now on: this one cannot serve what is needed."""
        others = [place for place in self._in_turn() if place != self._place]
        if others:
            self._move(others[0])

    async def call(self, method: str, *params: Any, form: msgspec.json.Decoder[T]) -> T:
        """The result of one call, decoded by `form`.

        Raises:
            NetworkError: `rpc_refused` with `rpc_code` if the node answered with an error,
                `rpc_unreachable` if no endpoint answered in that form.
            ConfigError: `wrong_chain`, every endpoint serves another chain.
        """
        return (await self.batch([Call(method, params)], form=form))[0]

    async def batch(self, calls: Sequence[Call], *, form: msgspec.json.Decoder[T]) -> list[T]:
        """The results of up to `MOST_BATCH` calls by one endpoint, in the order of the calls.

        Raises:
            NetworkError: as `call`; one refused call refuses the batch.
            ConfigError: as `call`.
        """
        if not 1 <= len(calls) <= MOST_BATCH:
            raise ValueError(f"{len(calls)} calls in a batch, expected 1 to {MOST_BATCH}")

        async def ask(url: httpx.URL) -> list[T]:
            return _decoded(await self._ask(url, calls), form)

        return await self.through(calls[0].method, ask)

    async def through(self, method: str, ask: Callable[[httpx.URL], Awaitable[T]]) -> T:
        """What somebody gets out of the first endpoint that answers.

        Args:
            method: for errors.
            ask: one endpoint, one time; raises `Silent` or `Refused`.

        Raises:
            NetworkError: as `call`.
            ConfigError: as `call`.
        """
        silent: dict[str, Silent] = {}
        for place in self._in_turn():
            try:
                await self._prove(place)
                answer = await ask(self._urls[place])
            except Silent as silence:
                self._proven.discard(place)
                silent[f"{place + 1}: {shown(self._urls[place])}"] = silence
                continue
            except Refused as refusal:
                self._answered_by(place)
                _report(self._urls[place], refusal)
            self._answered_by(place)
            return answer
        _give_up(method, silent)

    def _in_turn(self) -> list[int]:
        """Places from the one in use on, those to be avoided last."""
        count = len(self._urls)
        places = [(self._place + offset) % count for offset in range(count)]
        return sorted(places, key=self.avoided.__contains__)

    async def _prove(self, place: int) -> None:
        """Ask for the chain once per endpoint, and again after each silence."""
        if self._chain_id is None or place in self._proven:
            return
        [raw] = await self._ask(self._urls[place], [Call("eth_chainId")])
        try:
            found = int(msgspec.json.decode(raw, type=str), 16)
        except (msgspec.DecodeError, ValueError):
            raise Silent("its chain id cannot be read") from None
        if found != self._chain_id:
            raise Silent(f"serves chain {found}, not {self._chain_id}", is_foreign=True)
        self._proven.add(place)

    async def _ask(self, url: httpx.URL, calls: Sequence[Call]) -> list[msgspec.Raw]:
        """The raw results."""
        return results(calls, *await self._exchange(url, request(calls)))

    async def _exchange(self, url: httpx.URL, content: bytes) -> tuple[int, bytearray, float]:
        """Status, body, and how long the node wants to be left alone, in seconds."""
        if url in self._sockets:
            return await self._exchange_by(self._sockets[url], content)
        body = bytearray()
        status: int = TOO_LARGE
        rest_s = 0.0
        try:
            with anyio.fail_after(self.answer_s) as deadline:
                request = self._client.stream("POST", url, content=content, headers=_FORM)
                async with request as response:
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > MOST_ANSWER_BYTES:
                            # Leaving the loop would leave httpx's generators open.
                            body.clear()
                            deadline.cancel()
                    status = TOO_LARGE if deadline.cancel_called else response.status_code
                    rest_s = rest_of(response)
        except (httpx.TimeoutException, TimeoutError):
            raise Silent("no answer in time", is_timeout=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as failure:
            # The text of some of these quotes the address.
            raise Silent(type(failure).__name__) from None
        return status, body, rest_s

    async def _exchange_by(self, socket: Socket, content: bytes) -> tuple[int, bytearray, float]:
        try:
            with anyio.fail_after(self.answer_s):
                return httpx.codes.OK, await socket.exchange(content), 0.0
        except TimeoutError:
            raise Silent("no answer in time", is_timeout=True) from None
        except AnswerTooLarge:
            return TOO_LARGE, bytearray(), 0.0
        except Broken as failure:
            raise Silent(str(failure)) from None

    def _answered_by(self, place: int) -> None:
        self._heard = place
        self._move(place)
        self._answers += 1
        if place and self._answers >= RETURN_AFTER and 0 not in self.avoided:
            self._move(0)

    def _move(self, place: int) -> None:
        if place != self._place:
            self._place, self._answers = place, 0
            self.switches += 1


def _report(url: httpx.URL, refusal: Refused) -> NoReturn:
    method, fault = refusal.method, refusal.fault
    message = fault.message[:_TEXT_SHOWN]
    raise NetworkError(
        f"{shown(url)} refuses {method}: {message!r}",
        code="rpc_refused",
        hint="Use a node that serves this method."
        if fault.code == _METHOD_MISSING
        else "Ask for less, or use another node.",
        data={"rpc_code": fault.code, "rpc_message": message, "method": method},
    ) from None


def shown(url: httpx.URL | str) -> str:
    """Scheme, host and port: user, path and query may hold credentials."""
    parsed = httpx.URL(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.scheme}://{parsed.host}{port}"


def _parsed(url: str, place: int) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https", *SCHEMES) or not parsed.host:
        raise ConfigError(
            f"execution endpoint {place} is no http, https, ws or wss address",
            hint="Expected something like http://127.0.0.1:8545.",
        )
    return parsed


def _decoded(raws: Sequence[msgspec.Raw], decoder: msgspec.json.Decoder[T]) -> list[T]:
    try:
        return [decoder.decode(raw) for raw in raws]
    except UNREADABLE as failure:
        raise Silent(f"answered in another form ({failure})") from None


def _give_up(method: str, silent: dict[str, Silent]) -> NoReturn:
    reasons = "; ".join(f"{name} {silence.reason}" for name, silence in silent.items())
    if all(silence.is_foreign for silence in silent.values()):
        raise ConfigError(
            f"no execution endpoint serves the configured chain: {reasons}",
            code="wrong_chain",
            hint="Compare the network setting with the endpoints.",
        )
    raise NetworkError(
        f"no execution endpoint answers {method}: {reasons}",
        code="rpc_unreachable",
        hint="Check that the node runs and is reachable.",
        data={
            "method": method,
            "is_timeout": any(silence.is_timeout for silence in silent.values()),
            # One that may be asked sooner makes up for the others.
            "rest_s": min(silence.rest_s for silence in silent.values()),
        },
    )
