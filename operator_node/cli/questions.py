"""`phalanx node status | duties | why`: what a running node answers, in the terminal.

They ask the node's HTTP API and nothing else, so they work from another machine too.
"""

from __future__ import annotations

import re
from typing import Any, Final

import click

from operator_node.cli.asking import Node, asking
from operator_node.wire.ids import RunnerRole
from sdk.cli.output import HELP_NAMES, Output
from sdk.errors import InputError

_ROLES: Final = tuple(role.name.lower() for role in RunnerRole if role is not RunnerRole.UNKNOWN)
_DUTY_ID: Final = re.compile(
    rf"(?:{'|'.join(_ROLES)})-(?:[0-9_]+-)?e[0-9]+-s[0-9]+(?:-v[0-9]+)?", re.IGNORECASE
)


@click.command(context_settings=HELP_NAMES)
@asking
def status(api: str, token_file: Any, as_json: bool) -> None:
    """The node's state, part by part; exit code 5 while a part keeps duties from being done."""
    asked = Node(api, token_file)
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
@asking
def duties(api: str, token_file: Any, as_json: bool, **filters: Any) -> None:
    """Duties with outcome and reason, newest first."""
    first, last = filters["from_slot"], filters["to_slot"]
    if first is not None and last is not None and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}; give the earlier slot first")
    renamed = {"from_slot": "from", "to_slot": "to"}
    asked = {renamed.get(name, name): value for name, value in filters.items() if value is not None}
    found = Node(api, token_file).get("/v2/duties", **asked)
    lines = [_line(duty) for duty in found["data"]]
    Output(as_json=as_json).result(found, "\n".join(lines) or "no such duty is recorded")


@click.command(context_settings=HELP_NAMES)
@click.argument("duty", metavar="DUTY | SLOT VALIDATOR", nargs=-1, required=True)
@asking
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
    asked = Node(api, token_file)
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
