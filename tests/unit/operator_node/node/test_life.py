"""Which chain the execution nodes are of, whatever one of them answers."""

from __future__ import annotations

import httpx
import pytest
import trio
import trio.testing

from operator_node.node.life import AGAIN_SECONDS, _chain_id
from sdk.chain import Rpc
from tests.unit.sdk.chain.pretend_node import Node


@pytest.mark.parametrize("answer", ['"0xzz"', '"\udcff"', "[" * 200_000])
def test_a_chain_id_that_cannot_be_read_is_asked_of_the_next_node(answer: str) -> None:
    content = b'{"id":0,"result":' + answer.encode(errors="surrogateescape") + b"}"
    node = Node(chain_id=7)

    def respond(request: httpx.Request) -> httpx.Response:
        is_first = request.url.host == "one"
        return httpx.Response(200, content=content) if is_first else node.respond(request)

    async def main() -> int:
        urls = ["http://one", "http://two"]
        async with Rpc(urls, transport=httpx.MockTransport(respond)) as rpc:
            with trio.fail_after(3 * AGAIN_SECONDS):
                return await _chain_id(rpc)

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == 7
