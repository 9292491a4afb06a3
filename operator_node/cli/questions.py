"""`phalanx node status | duties | why`: what a running node answers, in the terminal.

They ask the node's HTTP API and nothing else, so they work from another machine too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import httpx
import msgspec

from operator_node.duties.reasons import Reason
from sdk.cli.output import Output, json_option
from sdk.errors import InputError, NetworkError

DEFAULT_API: Final = "http://127.0.0.1:16000"
TIMEOUT_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 16_000_000
"""A thousand duties with their messages are below 4 MB."""
_F = TypeVar("_F", bound=Callable[..., Any])

_api_option = click.option(
    "--api",
    default=DEFAULT_API,
    show_default=True,
    envvar="PHALANX_NODE_API",
    help="Address of the node's HTTP API.",
)
_token_option = click.option(
    "--token-file",
    type=click.File("r"),
    help="File with the API's token, if it wants one.",
)


def _asking(command: _F) -> _F:
    return _api_option(_token_option(json_option(command)))


@click.command()
@_asking
def status(api: str, token_file: Any, as_json: bool) -> None:
    """The node's state, part by part; exit code 5 while a part keeps duties from being done."""
    asked = _Node(api, token_file)
    now = asked.get("/v2/status")
    text = asked.text("/v2/status")
    known = ("state", "parts", "version")
    facts = "".join(f"{name}: {value}\n" for name, value in now.items() if name not in known)
    Output(as_json=as_json).result(now, f"{text}{facts}".rstrip())
    if any(part["severity"] == "bad" for part in now["parts"]):
        raise click.exceptions.Exit(5)


@click.command()
@click.option("--slot", type=click.IntRange(0), help="Only duties of this slot.")
@click.option("--from", "from_slot", type=click.IntRange(0), help="First slot.")
@click.option("--to", "to_slot", type=click.IntRange(0), help="Last slot.")
@click.option("--validator", type=click.IntRange(0), help="Only this validator index.")
@click.option("--role", help="Such as committee or proposer.")
@click.option("--outcome", type=click.Choice(["running", "done", "partly", "missed"]))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@_asking
def duties(api: str, token_file: Any, as_json: bool, **filters: Any) -> None:
    """Duties with outcome and reason, newest first."""
    renamed = {"from_slot": "from", "to_slot": "to"}
    asked = {renamed.get(name, name): value for name, value in filters.items() if value is not None}
    found = _Node(api, token_file).get("/v2/duties", **asked)
    lines = [_line(duty) for duty in found["data"]]
    Output(as_json=as_json).result(found, "\n".join(lines) or "no such duty is recorded")


@click.command()
@click.argument("duty", metavar="DUTY | SLOT VALIDATOR", nargs=-1, required=True)
@_asking
def why(duty: tuple[str, ...], api: str, token_file: Any, as_json: bool) -> None:
    """What happened in a duty, why it ended as it did, and what to do.

    DUTY is an id such as COMMITTEE-1_2_3_4-e5-s160; or give a slot and a validator's index.
    """
    asked = _Node(api, token_file)
    output = Output(as_json=as_json)
    if len(duty) == 1:
        path = f"/v2/duties/{duty[0]}"
        output.result(asked.get(path), asked.text(path).rstrip())
        return
    if len(duty) != 2 or not all(word.isascii() and word.isdigit() for word in duty):
        raise click.UsageError("give one duty id, or a slot and a validator index")
    query = {"slot": duty[0], "validator": duty[1]}
    found = asked.get("/v2/duties", **query)
    nothing = (
        f"no duty of validator {duty[1]} in slot {duty[0]} is recorded.\n"
        f"{Reason.NOT_SCHEDULED.cause}\n{Reason.NOT_SCHEDULED.advice}"
    )
    output.result(found, asked.text("/v2/duties", **query).rstrip() or nothing)


def _line(duty: dict[str, Any]) -> str:
    last = duty["steps"][-1] if duty["steps"] else None
    when = f"{last['step']} at {last['ms']} ms" if last else ""
    reason = "" if duty["reason"] in (None, "done") else duty["reason"]
    return f"{duty['id']:<40} {duty['outcome']:<8} {reason:<24} {when}".rstrip()


class _Node:
    """A running node's API."""

    def __init__(self, api: str, token_file: Any) -> None:
        self._api = api.rstrip("/")
        self._token = "" if token_file is None else token_file.read().strip()

    def get(self, path: str, **query: Any) -> Any:
        """The decoded JSON answer."""
        content = self._ask(path, "application/json", query)
        try:
            return msgspec.json.decode(content)
        except msgspec.DecodeError as wrong:
            raise NetworkError(
                f"{self._api}{path} answered something that is not JSON",
                code="node_api_answer",
                hint="Check that --api is the address of an operator node's API.",
            ) from wrong

    def text(self, path: str, **query: Any) -> str:
        """The answer for people."""
        return self._ask(path, "text/plain", query).decode(errors="replace")

    def _ask(self, path: str, accept: str, query: dict[str, Any]) -> bytes:
        headers = {"accept": accept}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        try:
            answer = httpx.get(
                f"{self._api}{path}", params=query, headers=headers, timeout=TIMEOUT_S
            )
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
            told = answer.text[:500]
            raise InputError(
                f"the node refused {path} with {answer.status_code}: {told}",
                code="node_refused",
                hint="See the text; a 401 wants --token-file.",
            )
        return answer.content
