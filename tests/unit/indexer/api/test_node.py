"""What an execution node does not say clearly is unchecked, and its address is never told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from indexer.api.node import MOST_ANSWER_BYTES, Estimate, Node, NotChecked
from sdk.errors import ConfigError
from sdk.testing import builders
from sdk.types import ClusterId, checksum_address

REGISTRY, OWNER = builders.address(1), builders.address(2)
CHAIN = 31337
ADDRESS = "http://user:secret-key@node.example/v3/secret-key"
Answers = Callable[[str, Any], Any]


def node(answer: Answers) -> Node:
    """A node that answers like this; `chainId` by itself."""

    def respond(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        found = {"result": hex(CHAIN)}
        if asked["method"] != "eth_chainId":
            found = answer(asked["method"], asked["params"])
        if isinstance(found, httpx.Response):
            return found
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, **found})

    return Node(ADDRESS, transport=httpx.MockTransport(respond))


def estimate(asked: Node, chain: int = CHAIN) -> Estimate:
    return asked.estimate(
        "deposit",
        sender=checksum_address(OWNER),
        to=REGISTRY,
        data="0x1234",
        value_wei=5,
        chain=chain,
    )


def test_gas_is_what_the_node_estimates() -> None:
    seen = []

    def answer(method: str, params: Any) -> Any:
        seen.append((method, params))
        return {"result": "0x5208"}

    assert estimate(node(answer)) == Estimate(21_000)
    assert seen == [
        (
            "eth_estimateGas",
            [
                {
                    "from": checksum_address(OWNER),
                    "to": checksum_address(REGISTRY),
                    "data": "0x1234",
                    "value": "0x5",
                }
            ],
        )
    ]


def test_a_revert_is_told_by_its_name() -> None:
    from sdk.client.contract_errors import ERRORS
    from sdk.types import keccak256

    signature = ERRORS["IncorrectClusterState"].signature
    data = "0x" + keccak256(signature.encode())[:4].hex()
    error = {"code": 3, "message": "execution reverted", "data": data}
    found = estimate(node(lambda *_: {"error": error}))
    assert found.gas is None
    assert found.revert is not None
    assert found.revert.code == "incorrect_cluster_state"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": -32601, "message": "the method does not exist"}},
        {"error": {"code": -32005, "message": "rate limit exceeded"}},
        {"result": None},
        {"result": "lots"},
        httpx.Response(502, content=b"<html>secret-key</html>"),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=b"x" * (MOST_ANSWER_BYTES + 1)),
    ],
)
def test_an_answer_that_is_none_leaves_the_call_unchecked(answer: Any) -> None:
    with pytest.raises(NotChecked) as failure:
        estimate(node(lambda *_: answer))
    assert "secret-key" not in failure.value.reason


def test_a_node_that_is_away_leaves_the_call_unchecked() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}")

    with pytest.raises(NotChecked) as failure:
        estimate(Node(ADDRESS, transport=httpx.MockTransport(respond)))
    assert "secret-key" not in failure.value.reason


def test_a_node_of_another_chain_is_not_believed() -> None:
    with pytest.raises(NotChecked, match="of chain 31337, not 1"):
        estimate(node(lambda *_: {"result": "0x5208"}), chain=1)


def test_a_view_that_reverts_says_nothing() -> None:
    def answer(method: str, _: Any) -> Any:
        if method == "eth_blockNumber":
            return {"result": "0x10"}
        return {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}

    with pytest.raises(NotChecked):
        node(answer).commitment(ClusterId(bytes(32)), to=REGISTRY, chain=CHAIN)
    with pytest.raises(NotChecked):
        node(answer).pending_nonce(OWNER, to=REGISTRY, chain=CHAIN)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ({"result": "0x1626ba7e" + "00" * 28}, True),
        ({"result": "0x1626ba7e"}, False),
        ({"result": "0x" + "00" * 32}, False),
        ({"result": "0x"}, False),
        ({"error": {"code": 3, "message": "execution reverted", "data": "0x"}}, False),
    ],
)
def test_a_contract_accepts_only_with_the_magic_word(answer: Any, accepted: bool) -> None:
    asked = node(lambda *_: answer)
    assert asked.accepts(OWNER, bytes(32), b"\x01" * 70, chain=CHAIN) is accepted


def test_an_address_that_is_none_is_refused_without_being_told() -> None:
    with pytest.raises(ConfigError) as failure:
        Node("ws://user:secret-key@node")
    assert "secret-key" not in str(failure.value)
