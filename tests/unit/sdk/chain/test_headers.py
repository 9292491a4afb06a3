"""Headers under their own hash: what is changed in one is found out."""

from __future__ import annotations

from dataclasses import replace

import trio

from sdk.chain import Block, Rpc
from sdk.chain.headers import names_itself
from sdk.chain.reading import read_headers
from tests.unit.sdk.chain.pretend_node import Node


def read(node: Node, number: int) -> Block:
    async def main() -> Block:
        async with Rpc(["http://node"], transport=node.transport) as rpc:
            [block] = await read_headers(rpc, [number])
        assert block is not None
        return block

    return trio.run(main)


def test_a_header_is_under_its_hash() -> None:
    node = Node()
    node.mine(3, logs=2)
    assert names_itself(read(node, 2))


def test_a_true_hash_beside_another_root_is_found_out() -> None:
    node = Node()
    node.mine(3, logs=2)
    for name in ("receiptsRoot", "logsBloom", "timestamp", "stateRoot"):
        true = node.blocks[2][name]
        node.blocks[2][name] = true[:-1] + ("0" if true[-1] != "0" else "1")
        assert not names_itself(read(node, 2)), name
        node.blocks[2][name] = true
    assert names_itself(read(node, 2))


def test_what_was_not_given_names_nothing() -> None:
    node = Node()
    node.mine()
    block = read(node, 0)
    assert not names_itself(replace(block, fields=()))
    assert not names_itself(replace(block, fields=("no hex", *block.fields[1:])))
    del node.blocks[0]["mixHash"]
    assert not names_itself(read(node, 0))
