"""The operator: does the key open, and what does the running node say of itself.

Source: docs/node-api.md, "Ours".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import httpx
import msgspec
import trio

from operator_node.api.control import Tokens
from operator_node.config import Settings
from operator_node.doctor.checks import Check, Verdict, yes_or_no
from operator_node.signer.operator_key import OperatorKey
from sdk.errors import PhalanxError
from sdk.files import read_bounded

ANSWER_S: Final = 5.0
ANSWER_BYTES: Final = 4_000_000
TOKEN_BYTES: Final = 4096
_KEY: Final = "operator key"
_NODE: Final = "running node"


class Part(msgspec.Struct):
    """One part of a node's state."""

    name: str
    severity: str
    problem: str = ""
    advice: str = ""


class NodeState(msgspec.Struct):
    """What a running node answers."""

    state: str
    parts: list[Part]
    operator: int | None = None
    validators: int = 0
    co_operators: list[int] = []
    connected: list[int] = []


def check_key(settings: Settings) -> Check:
    """Whether the key's file can be read and decrypted; blocks for a moment."""
    where = settings.operator_key
    if where.file is None:
        return Check(
            _KEY,
            "opens",
            Verdict.AVERAGE,
            "it stands in the configuration",
            advice="Use KeyStore.PrivateKeyFile and a password file.",
        )
    try:
        OperatorKey.open(where.file, password_file=where.password_file)
    except PhalanxError as problem:
        advice = "Check KeyStore.PrivateKeyFile and PasswordFile, their owner and mode 0600."
        return yes_or_no(_KEY, "opens", False, problem.message, advice)
    return yes_or_no(_KEY, "opens", True, str(where.file), "")


async def ask_node(settings: Settings) -> NodeState | None:
    """The state of the node that runs with these settings, None if none answers."""
    api = settings.api
    if api.port is None:
        return None
    headers = {"accept": "application/json"}
    if api.tokens_file is not None and (token := await _token(api.tokens_file)):
        headers["authorization"] = f"Bearer {token}"
    host = f"[{api.bind}]" if ":" in api.bind else api.bind
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            answer = await client.get(f"http://{host}:{api.port}/v2/status", headers=headers)
        if not answer.is_success or len(answer.content) > ANSWER_BYTES:
            return None
        return msgspec.json.decode(answer.content, type=NodeState)
    except (httpx.HTTPError, msgspec.DecodeError):
        return None


async def _token(path: Path) -> str:
    """The first one of the file: the one that reads."""
    try:
        text = await trio.to_thread.run_sync(
            lambda: read_bounded(path, limit_bytes=TOKEN_BYTES).decode()
        )
    except (PhalanxError, UnicodeDecodeError):
        return ""
    return Tokens.of(text).read


def check_node(node: NodeState | None) -> list[Check]:
    """What a running node says: registered, its parts, its co-operators."""
    if node is None:
        found = "none answers with these settings; registration and co-operators are not looked at"
        return [Check(_NODE, "answers", Verdict.UNKNOWN, found, advice=_START)]
    checks = [
        yes_or_no(
            _NODE,
            "registered",
            node.operator is not None,
            f"operator {node.operator}" if node.operator is not None else "not registered",
            "Register the public key: phalanx operators register.",
        )
    ]
    checks += [_part(part) for part in node.parts if part.severity in _SEVERITIES]
    if node.co_operators:
        checks.append(_co_operators(node))
    return checks


_START: Final = "Start it with SSVAPIPort set, and ask again."
_SEVERITIES: Final = {"bad": Verdict.POOR, "impaired": Verdict.AVERAGE}


def _part(part: Part) -> Check:
    verdict = _SEVERITIES[part.severity]
    return Check(_NODE, part.name, verdict, part.problem, advice=part.advice)


def _co_operators(node: NodeState) -> Check:
    missing = sorted(set(node.co_operators) - set(node.connected))
    verdict = Verdict.GOOD
    if missing:
        verdict = Verdict.AVERAGE if node.connected else Verdict.POOR
    found = f"{len(node.connected)} of {len(node.co_operators)} are connected"
    if missing:
        found += f", not {json.dumps(missing)[1:-1]}"
    advice = "Ask them whether they are online; check both sides' TCP ports."
    return Check(_NODE, "co-operators", verdict, found, advice=advice)
