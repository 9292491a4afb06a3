"""Questions of JSON-RPC and their answers as bytes: what goes out, and what came back.

Asks nobody. Bytes in, values out: an answer that is none becomes `Silent` or `Refused`.

Source: JSON-RPC 2.0; ethereum/execution-apis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
from msgspec import UNSET, UnsetType

TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_BUSY_CODES: Final = frozenset({_TOO_MANY, -32029})
"""Of errors in answers with status 200: too much was asked for within some time."""
_BUSY_WORDS: Final = ("rate limit", "too many requests", "requests per second", "request count")
LONGEST_REST_S: Final = 300.0
"""A node that wants to be left alone for longer is asked anyway."""
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the form: text that is no UTF-8 and brackets
without end have errors of their own."""


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
    except UNREADABLE:
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


def _is_busy(error: Fault) -> bool:
    """Whether the node refuses because it was asked too often, not because of what was asked."""
    text = error.message.lower()
    return error.code in _BUSY_CODES or any(words in text for words in _BUSY_WORDS)


def _seconds(text: str) -> float:
    """What `Retry-After` says, 0 for a date or nothing."""
    return min(float(text), LONGEST_REST_S) if text.isdecimal() else 0.0
