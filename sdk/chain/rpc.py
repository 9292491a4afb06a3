"""JSON-RPC to execution clients: typed answers, batches, several endpoints, bounded answers.

Beside web3, because logs by the ten thousand have to be read at the speed of the node. It never
repeats a question by itself except at the next endpoint, keeps no time, and never shows more of an
address than scheme, host and port: the rest often is a password.

Source: ethereum/execution-apis (JSON-RPC).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

import anyio
import httpx
import msgspec
from msgspec import UNSET, UnsetType

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
TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_BUSY_CODES: Final = frozenset({_TOO_MANY, -32029})
"""Of errors in answers with status 200: too much was asked for within some time."""
_BUSY_WORDS: Final = ("rate limit", "too many requests", "requests per second", "request count")
LONGEST_REST_S: Final = 300.0
"""A node that wants to be left alone for longer is asked anyway."""
_METHOD_MISSING: Final = -32601
_FORM = {"content-type": "application/json", "accept": "application/json"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One method with its parameters, as JSON takes them."""

    method: str
    params: tuple[Any, ...] = ()


class Fault(msgspec.Struct):
    """The error in an answer."""

    code: int = 0
    message: str = ""


class _Answer(msgspec.Struct):
    id: int | None = None
    result: msgspec.Raw | UnsetType = UNSET
    error: Fault | None = None


class Silent(Exception):
    """This endpoint has no usable answer; another may."""

    def __init__(
        self,
        reason: str,
        *,
        is_timeout: bool = False,
        is_foreign: bool = False,
        rest_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_timeout = is_timeout
        self.is_foreign = is_foreign
        self.rest_s = rest_s


class Refused(Exception):
    """This endpoint answered with an error, as another one would."""

    def __init__(self, method: str, fault: Fault) -> None:
        super().__init__(method, fault)
        self.method = method
        self.fault = fault


class Rpc:
    """One chain, reached through the first endpoint that answers.

    Attributes:
        switches: how often the endpoint changed; equal before and after means one endpoint spoke.
        answer_s: seconds that an endpoint has for an answer.
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
            urls: `http` or `https`, most wanted first.
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
        self._answers = 0
        self.switches = 0
        self.answer_s = ANSWER_S
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
        await self._client.aclose()

    @property
    def name(self) -> str:
        """The endpoint in use, without credentials."""
        return shown(self._urls[self._place])

    def leave(self) -> None:
        """Use the next endpoint from now on: this one cannot serve what is needed."""
        self._move((self._place + 1) % len(self._urls))

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
        for offset in range(len(self._urls)):
            place = (self._place + offset) % len(self._urls)
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

    def _answered_by(self, place: int) -> None:
        self._move(place)
        self._answers += 1
        if place and self._answers >= RETURN_AFTER:
            self._move(0)

    def _move(self, place: int) -> None:
        if place != self._place:
            self._place, self._answers = place, 0
            self.switches += 1


def request(calls: Sequence[Call]) -> bytes:
    """The body of a request; a lone call goes out as no batch."""
    asked = [
        {"jsonrpc": "2.0", "id": number, "method": each.method, "params": each.params}
        for number, each in enumerate(calls)
    ]
    return msgspec.json.encode(asked if len(asked) > 1 else asked[0])


def results(
    calls: Sequence[Call], status: int, body: bytes | bytearray, rest_s: float
) -> list[msgspec.Raw]:
    """What an answer holds, in the order of the calls.

    Args:
        calls: that were asked.
        status: of the answer.
        body: of it, whole; 413 is for one that is larger than anybody reads.
        rest_s: how long the node wants to be left alone.

    Raises:
        Silent: nothing usable.
        Refused: an error for one of the calls.
    """
    method = calls[0].method
    if status == _TOO_MANY:
        raise Silent("wants to be asked less often (status 429)", rest_s=rest_s)
    if status == TOO_LARGE:
        raise Refused(method, Fault(status, "the answer is too large"))
    try:
        found = msgspec.json.decode(body, type=list[_Answer] | _Answer)
    except msgspec.DecodeError:
        reason = "sent no JSON-RPC answer" if status == httpx.codes.OK else f"status {status}"
        raise Silent(reason) from None
    answers = found if isinstance(found, list) else [found]
    for answer in answers:
        if answer.error is not None and _is_busy(answer.error):
            raise Silent("wants to be asked less often", rest_s=rest_s)
        if answer.error is not None:
            raise Refused(method, answer.error)
    by_id = {each.id: each.result for each in answers if not isinstance(each.result, UnsetType)}
    if status >= httpx.codes.BAD_REQUEST or by_id.keys() != set(range(len(calls))):
        raise Silent(f"answered {len(by_id)} of {len(calls)} calls, status {status}")
    return [by_id[number] for number in range(len(calls))]


def rest_of(response: httpx.Response) -> float:
    """Seconds that the node wants to be left alone."""
    return _seconds(response.headers.get("retry-after", ""))


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


def _is_busy(error: Fault) -> bool:
    """Whether the node refuses because it was asked too often, not because of what was asked."""
    text = error.message.lower()
    return error.code in _BUSY_CODES or any(words in text for words in _BUSY_WORDS)


def _seconds(text: str) -> float:
    """What `Retry-After` says, 0 for a date or nothing."""
    return min(float(text), LONGEST_REST_S) if text.isdecimal() else 0.0


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
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(
            f"execution endpoint {place} is no http or https address",
            hint="Expected something like http://127.0.0.1:8545.",
        )
    return parsed


def _decoded(raws: Sequence[msgspec.Raw], decoder: msgspec.json.Decoder[T]) -> list[T]:
    try:
        return [decoder.decode(raw) for raw in raws]
    except msgspec.DecodeError as failure:
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
