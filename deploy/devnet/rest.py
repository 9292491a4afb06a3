"""Questions to the parts of the local network, answered in JSON: by REST, and by JSON-RPC."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any, Final

import httpx

from sdk.errors import BeaconError, ChainError, NetworkError

ANSWER_S: Final = 5.0
RPC_ANSWER_S: Final = 30.0
"""Of the registry's chain, which answers late while it executes a deployment."""
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: everything here is plain and on loopback, and reading the system's certificates
for each request costs more than the request."""
SHOWN: Final = 400
"""Characters of a refusal that an error repeats."""
_NOT_FOUND: Final = 404


async def ask(url: str, path: str, *, method: str = "GET", body: object = None) -> Any:
    """The node's answer; None if there is no such thing, an empty slot's block for example.

    Raises:
        BeaconError: no answer, or a refusal.
    """
    try:
        async with httpx.AsyncClient(base_url=url, timeout=ANSWER_S, verify=NO_TLS) as client:
            answer = await client.request(method, path, json=body)
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.is_error:
            said = f"{answer.status_code} {answer.text[:SHOWN]}"
            raise BeaconError(f"{url} refuses {method} {path}: {said}")
        return answer.json() if answer.content else None
    except (httpx.HTTPError, ValueError) as problem:
        raise BeaconError(f"{url} fails at {method} {path}: {problem!r}") from problem


async def ask_any(
    urls: Sequence[str], path: str, *, method: str = "GET", body: object = None
) -> Any:
    """The first answer that one of the nodes gives, asked in order.

    Raises:
        BeaconError: the last one's refusal, if none answers.
    """
    refusal = BeaconError("there is no beacon node to ask")
    for url in urls:
        try:
            return await ask(url, path, method=method, body=body)
        except BeaconError as problem:
            refusal = problem
    raise refusal


async def ask_rpc(url: str, method: str, *parameters: object) -> Any:
    """The result of a JSON-RPC request.

    Raises:
        NetworkError: no answer.
        ChainError: a refusal.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    try:
        async with httpx.AsyncClient(timeout=RPC_ANSWER_S, verify=NO_TLS) as client:
            answer = (await client.post(url, json=request)).json()
    except (httpx.HTTPError, ValueError) as problem:
        raise NetworkError(f"the chain at {url} does not answer {method}") from problem
    if "error" in answer:
        raise ChainError(f"the chain at {url} refuses {method}: {answer['error']}")
    return answer["result"]
