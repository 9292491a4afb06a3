"""Errors as RFC 9457 problems: what, which values, what to do next, and a word for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.queries.errors import NotAvailable, NotFound, Overloaded
from sdk.errors import ChainError, InputError, PhalanxError, UsageError

MEDIA_TYPE: Final = "application/problem+json"
_TITLES: Final = {
    400: "The request is wrong",
    401: "Who asks is not known",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "The registry's state forbids it",
    413: "The request is too large",
    415: "Only JSON is read",
    429: "Too many requests",
    500: "A fault of ours",
    503: "Not available now",
}
_RETRY_S: Final = {NotAvailable: 12, Overloaded: 2}
"""A slot, or a moment."""


class NotOwner(InputError):
    """Somebody else's to say or do."""

    default_code = "not_owner"


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(
        description="Names the kind of error.", examples=["urn:phalanx:problem:operator_unknown"]
    )
    title: str = Field(description="The kind of error in words.", examples=["Not found"])
    status: int = Field(description="HTTP status.", examples=[404])
    detail: str = Field(
        description="What is wrong, with the values.",
        examples=["operator 4711 is not registered at block 21000000"],
    )
    code: str = Field(description="Short stable word for programs.", examples=["operator_unknown"])
    hint: str = Field(description="What to do next; may be empty.", examples=["Check the id."])
    errors: list[dict[str, str]] | None = Field(
        default=None, description="For wrong parameters: each with its place and what is wrong."
    )


def problem(
    status: int,
    detail: str,
    *,
    code: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] | None = None,
) -> Response:
    """The answer for an error."""
    body: dict[str, Any] = {
        "type": f"urn:phalanx:problem:{code}",
        "title": _TITLES.get(status, "The request failed"),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
    }
    if errors is not None:
        body["errors"] = list(errors)
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problem_of(failure: PhalanxError) -> Response:
    """The answer for one of our own errors."""
    wait = next((wait for kind, wait in _RETRY_S.items() if isinstance(failure, kind)), None)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return problem(
        status_of(failure), failure.message, code=failure.code, hint=failure.hint, headers=headers
    )


def status_of(failure: PhalanxError) -> int:
    """Theirs is 4xx, ours is 5xx."""
    match failure:
        case NotFound():
            return 404
        case NotOwner():
            return 403
        case InputError() | UsageError():
            return 400
        case ChainError():
            return 409
        case NotAvailable() | Overloaded():
            return 503
        case _:
            return 500
