"""What an operation may ask of the outside, and how it is asked again when nobody answers.

Pure. An operation is a generator: it yields a `Request`, is sent the `Reply`, and returns its
result. `sdk.client.drivers` carries the requests out, blocking or awaiting; nothing else in the
client touches a socket or a clock. Replies of an execution client are plain JSON values here.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sdk.errors import NetworkError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rpc:
    """One JSON-RPC request.

    Attributes:
        subject: what is asked, in words, for errors.
        to_signer: goes to the remote signer and not to the node.
        repeatable: false if asking twice could do something twice.
    """

    method: str
    params: tuple[Any, ...]
    subject: str
    to_signer: bool = False
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds; answered by `Result(None)`."""

    seconds: float


Request = Rpc | Pause


@dataclass(frozen=True, slots=True)
class Result:
    """The `result` of a JSON-RPC answer, as JSON values."""

    value: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """The `error` of a JSON-RPC answer; a revert of the contract arrives like this, too."""

    code: int | None
    message: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Silent:
    """No JSON-RPC answer: connection failed, timed out, or an HTTP status other than 200.

    Attributes:
        reason: without addresses, which may hold access keys.
    """

    reason: str
    status: int | None = None
    retry_after_s: float | None = None
    is_timeout: bool = False


Reply = Result | Refused | Silent
Operation = Generator[Request, Reply, T]
"""Yields requests, is sent replies (`Silent` never, see `persist`), returns a `T`."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on when the node does not answer, and how long to wait for a receipt.

    Attributes:
        attempts: times one request is made in all.
        first_pause_s: pause after the first failure; it doubles with every further one.
        longest_pause_s: bound of a pause, also of one that the node asks for.
        poll_s: pause between two looks for a receipt.
        receipt_timeout_s: when to give up looking; the transaction may still be mined.
    """

    attempts: int = 5
    first_pause_s: float = 0.5
    longest_pause_s: float = 20.0
    poll_s: float = 2.0
    receipt_timeout_s: float = 600.0


_TRANSIENT_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 524})
_TOO_LARGE_STATUSES: Final = frozenset({400, 413})
"""Providers answer a range that is too wide like this; whoever asked for logs asks for fewer."""
_RATE_WORDS: Final = ("rate limit", "too many requests", "request limit", "compute units per")
_BEHIND_WORDS: Final = ("header not found", "unknown block", "block not found", "blockoutofrange")
"""One of several nodes behind an address has not seen a block that another has."""


def persist(operation: Operation[T], patience: Patience) -> Operation[T]:
    """The operation with its unanswered requests repeated, so that it never sees `Silent`.

    When the attempts are used up a `NetworkError` is raised inside the operation, which may
    catch it: a search for logs then asks for fewer.
    """
    try:
        request = next(operation)
        while True:
            try:
                reply = yield from _answer(request, patience)
            except NetworkError as failure:
                request = operation.throw(failure)
            else:
                request = operation.send(reply)
    except StopIteration as stop:
        value: T = stop.value
        return value


def _answer(request: Request, patience: Patience) -> Operation[Result | Refused]:
    attempt = 1
    while True:
        reply = yield request
        if isinstance(reply, Silent) and reply.status in _TOO_LARGE_STATUSES:
            return Refused(None, reply.reason)
        obstacle = _obstacle(reply)
        if obstacle is None or isinstance(request, Pause):
            return reply if not isinstance(reply, Silent) else Refused(None, reply.reason)
        if not request.repeatable or attempt >= patience.attempts or not _may_pass(obstacle):
            raise _failure(request, obstacle, attempts=attempt)
        pause_s = patience.first_pause_s * 2 ** (attempt - 1)
        yield Pause(min(max(pause_s, obstacle.retry_after_s or 0.0), patience.longest_pause_s))
        attempt += 1


def _obstacle(reply: Reply) -> Silent | None:
    """Why there is no answer yet; None if there is one. Some nodes say 'later' in JSON-RPC."""
    match reply:
        case Silent():
            return reply
        case Refused(code=code, message=message):
            text = message.lower()
            if code == 429 or any(words in text for words in _RATE_WORDS):
                return Silent(f"the node limits requests ({message[:120]})", status=429)
            if any(words in text for words in _BEHIND_WORDS):
                return Silent(f"the node is behind ({message[:120]})")
    return None


def _may_pass(obstacle: Silent) -> bool:
    return obstacle.status is None or obstacle.status in _TRANSIENT_STATUSES


def _failure(request: Rpc, obstacle: Silent, *, attempts: int) -> NetworkError:
    whom = "the signer" if request.to_signer else "the node"
    times = "once" if attempts == 1 else f"{attempts} times"
    code, hint = "rpc_unreachable", f"Check that {whom} runs and is reachable, then try again."
    if obstacle.status == 429:
        code = "rpc_rate_limited"
        hint = "Wait, or use a node with a higher limit."
    elif obstacle.status in (401, 403):
        code, hint = "rpc_forbidden", f"Check the credentials for {whom}."
    if not request.repeatable:
        hint = "It may have arrived nevertheless: look for the transaction before sending again."
    return NetworkError(
        f"{request.subject}: {request.method} asked {times}, no answer: {obstacle.reason}",
        code=code,
        hint=hint,
        data={
            "method": request.method,
            "attempts": attempts,
            "status": obstacle.status,
            "is_timeout": obstacle.is_timeout,
        },
    )


def result_of(request: Rpc) -> Operation[Any]:
    """The result of a request that has no reason to be refused.

    Raises:
        NetworkError: `rpc_refused`, the node answered with an error.
    """
    reply = yield request
    if isinstance(reply, Result):
        return reply.value
    raise refusal_error(request, reply)


def refusal_error(request: Rpc, reply: Reply) -> NetworkError:
    """The error for a request that was answered with an error."""
    whom = "the signer" if request.to_signer else "the node"
    message = reply.message if isinstance(reply, Refused) else "no answer"
    code = reply.code if isinstance(reply, Refused) else None
    return NetworkError(
        f"{request.subject}: {whom} refuses {request.method}: {_clip(message)}",
        code="rpc_refused",
        hint=f"Check that {whom} supports {request.method} and is synchronised.",
        data={"method": request.method, "rpc_code": code},
    )


def _clip(text: str, limit: int = 300) -> str:
    plain = text if text.isprintable() else ascii(text)
    return plain if len(plain) <= limit else f"{plain[:limit]}…"
