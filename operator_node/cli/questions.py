"""`phalanx node status | duties | why`: what a running node answers, in the terminal.

They ask the node's HTTP API and nothing else, so they work from another machine too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import httpx
import msgspec

from operator_node.wire.ids import RunnerRole
from sdk.cli.output import HELP_NAMES, Output, json_option
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
    503: "Ask again.",
}
_ROLES: Final = tuple(role.name.lower() for role in RunnerRole if role is not RunnerRole.UNKNOWN)
_DUTY_ID: Final = re.compile(
    rf"(?:{'|'.join(_ROLES)})-(?:[0-9_]+-)?e[0-9]+-s[0-9]+(?:-v[0-9]+)?", re.IGNORECASE
)
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


def _asking(command: _F) -> _F:
    return _api_option(_token_option(json_option(command)))


@click.command(context_settings=HELP_NAMES)
@_asking
def status(api: str, token_file: Any, as_json: bool) -> None:
    """The node's state, part by part; exit code 5 while a part keeps duties from being done."""
    asked = _Node(api, token_file)
    now = asked.get("/v2/status")
    text = asked.text("/v2/status")
    known = ("state", "parts", "version")
    facts = "".join(
        f"{name}: {_in_words(value)}\n" for name, value in now.items() if name not in known
    )
    Output(as_json=as_json).result(now, f"{text}{facts}".rstrip())
    if any(part["severity"] == "bad" for part in now["parts"]):
        raise click.exceptions.Exit(5)


@click.command(context_settings=HELP_NAMES)
@click.option("--slot", type=click.IntRange(0), help="Only duties of this slot.")
@click.option("--from", "from_slot", type=click.IntRange(0), help="First slot.")
@click.option("--to", "to_slot", type=click.IntRange(0), help="Last slot.")
@click.option("--validator", type=click.IntRange(0), help="Only this validator index.")
@click.option("--role", type=click.Choice(_ROLES, case_sensitive=False), help="Only this role.")
@click.option("--outcome", type=click.Choice(["running", "done", "partly", "missed"]))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@_asking
def duties(api: str, token_file: Any, as_json: bool, **filters: Any) -> None:
    """Duties with outcome and reason, newest first."""
    first, last = filters["from_slot"], filters["to_slot"]
    if first is not None and last is not None and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}; give the earlier slot first")
    renamed = {"from_slot": "from", "to_slot": "to"}
    asked = {renamed.get(name, name): value for name, value in filters.items() if value is not None}
    found = _Node(api, token_file).get("/v2/duties", **asked)
    lines = [_line(duty) for duty in found["data"]]
    Output(as_json=as_json).result(found, "\n".join(lines) or "no such duty is recorded")


@click.command(context_settings=HELP_NAMES)
@click.argument("duty", metavar="DUTY | SLOT VALIDATOR", nargs=-1, required=True)
@_asking
def why(duty: tuple[str, ...], api: str, token_file: Any, as_json: bool) -> None:
    """What happened in a duty, why it ended as it did, and what to do.

    DUTY is an id such as COMMITTEE-1_2_3_4-e5-s160; or give a slot and a validator's index.
    """
    is_id = len(duty) == 1 and _DUTY_ID.fullmatch(duty[0]) is not None
    if not is_id and (
        len(duty) != 2 or not all(word.isascii() and word.isdigit() for word in duty)
    ):
        raise click.UsageError(
            "give one duty id such as COMMITTEE-1_2_3_4-e5-s160, or a slot and a validator index"
        )
    asked = _Node(api, token_file)
    output = Output(as_json=as_json)
    if is_id:
        path = f"/v2/duties/{duty[0]}"
        output.result(asked.get(path), asked.text(path).rstrip())
        return
    query = {"slot": duty[0], "validator": duty[1]}
    found = asked.get("/v2/duties", **query)
    if not found["data"]:
        absence = found["absence"]
        cause = absence["cause"].rstrip(".")
        raise InputError(
            f"no duty of validator {duty[1]} in slot {duty[0]} is recorded. {cause}",
            code="duty_missing",
            hint=absence["advice"],
        )
    output.result(found, asked.text("/v2/duties", **query).rstrip())


def _line(duty: dict[str, Any]) -> str:
    last = duty["steps"][-1] if duty["steps"] else None
    when = f"{last['step']} at {last['ms']} ms" if last else ""
    reason = "" if duty["reason"] in (None, "done") else duty["reason"]
    return f"{duty['id']:<40} {duty['outcome']:<8} {reason:<24} {when}".rstrip()


def _in_words(value: Any) -> str:
    """A fact of the status, for people."""
    match value:
        case None:
            return "none yet"
        case bool():
            return "yes" if value else "no"
        case dict():
            return "; ".join(f"{name} {_in_words(each)}" for name, each in value.items()) or "none"
        case list():
            return ", ".join(map(_in_words, value)) or "none"
        case _:
            return str(value)


def _told(answer: httpx.Response) -> str:
    """Our API's own words for an error, in one line; nothing of what is not our API's."""
    try:
        problem = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    words = problem.get("error") if isinstance(problem, dict) else None
    return " ".join(words.split())[:MAX_PROBLEM_CHARACTERS] if isinstance(words, str) else ""


class _Node:
    """A running node's API."""

    def __init__(self, api: str, token_file: Any) -> None:
        self._api = api
        self._token = "" if token_file is None else token_file.read().strip()

    def get(self, path: str, **query: Any) -> Any:
        """The decoded JSON answer."""
        content = self._ask(path, "application/json", query)
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
            told = _told(answer)
            raise InputError(
                f"{self._api} refused {path} with {answer.status_code}: "
                f"{told or 'its answer is not of an operator node'}",
                code="node_refused",
                hint=_HINTS.get(answer.status_code, "") if told else _OTHER_SERVER,
            )
        return answer.content
