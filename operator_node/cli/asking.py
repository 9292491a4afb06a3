"""Asking a running node by its HTTP API: the options that commands share, and the way to ask.

Commands ask nothing else, so they work from another machine too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import httpx
import msgspec

from operator_node.api.control import Tokens
from sdk.cli.output import json_option
from sdk.errors import InputError, NetworkError

DEFAULT_API: Final = "http://127.0.0.1:16000"
TIMEOUT_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 16_000_000
"""A thousand duties with their messages are below 4 MB."""
MAX_PROBLEM_CHARACTERS: Final = 300
"""Our API's errors are a sentence or two."""
_OTHER_SERVER: Final = "Check that --api is the address of an operator node's API."
_HINTS: Final = {
    401: "Name the file with the API's token: --token-file.",
    404: "List what is recorded: phalanx node duties.",
    403: "Write a second line, the control token, into node.api_tokens_file of the node.",
    409: "Look at phalanx node status.",
    503: "Ask again.",
}
_F = TypeVar("_F", bound=Callable[..., Any])


def _address(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """The API's address; http:// before a bare host and port."""
    whole = text if "://" in text else f"http://{text}"
    try:
        url = httpx.URL(whole)
        is_usable = url.scheme in ("http", "https") and bool(url.host)
    except httpx.InvalidURL:
        is_usable = False
    if not is_usable:
        raise click.BadParameter(f"expected an address such as {DEFAULT_API}")
    return whole.rstrip("/")


_api_option = click.option(
    "--api",
    default=DEFAULT_API,
    show_default=True,
    envvar="PHALANX_NODE_API",
    callback=_address,
    help="Address of the node's HTTP API.",
)
_token_option = click.option(
    "--token-file",
    type=click.File("r"),
    help="File with the API's token, if it wants one.",
)


def asking(command: _F) -> _F:
    return _api_option(_token_option(json_option(command)))


def _told(answer: httpx.Response) -> str:
    """Our API's own words for an error, in one line; nothing of what is not our API's."""
    try:
        problem = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    words = problem.get("error") if isinstance(problem, dict) else None
    return " ".join(words.split())[:MAX_PROBLEM_CHARACTERS] if isinstance(words, str) else ""


class Node:
    """A running node's API."""

    def __init__(self, api: str, token_file: Any) -> None:
        self._api = api
        self._tokens = Tokens() if token_file is None else Tokens.of(token_file.read())

    def get(self, path: str, **query: Any) -> Any:
        """The decoded JSON answer."""
        return self._decoded(path, self._ask(path, "application/json", query))

    def _decoded(self, path: str, content: bytes) -> Any:
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise NetworkError(
                f"{self._api}{path} answered something that is not JSON",
                code="node_api_answer",
                hint=_OTHER_SERVER,
            ) from wrong

    def text(self, path: str, **query: Any) -> str:
        """The answer for people."""
        return self._ask(path, "text/plain", query).decode(errors="replace")

    def order(self, path: str) -> Any:
        """The decoded answer to an order, which needs the second token of the file."""
        return self._decoded(path, self._ask(path, "application/json", {}, is_order=True))

    def _ask(
        self, path: str, accept: str, query: dict[str, Any], *, is_order: bool = False
    ) -> bytes:
        headers = {"accept": accept}
        # A file with one token alone may hold the one for orders.
        token = (self._tokens.control if is_order else "") or self._tokens.read
        if token:
            headers["authorization"] = f"Bearer {token}"
        send = httpx.post if is_order else httpx.get
        try:
            answer = send(f"{self._api}{path}", params=query, headers=headers, timeout=TIMEOUT_S)
        except httpx.HTTPError as failure:
            raise NetworkError(
                f"no answer from the node at {self._api}: {failure}",
                code="node_unreachable",
                hint="Check that the node runs with its API on, and name its address with --api.",
            ) from failure
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise NetworkError(
                f"the answer has {len(answer.content)} bytes", code="node_api_answer"
            )
        if answer.status_code >= 400:
            told = _told(answer)
            raise InputError(
                f"{self._api} refused {path} with {answer.status_code}: "
                f"{told or 'its answer is not of an operator node'}",
                code="node_refused",
                hint=_HINTS.get(answer.status_code, "") if told else _OTHER_SERVER,
            )
        return answer.content
