"""Execution blocks by what beacon nodes have in their slots, in both forms that they come in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio

from operator_node.node.payloads import Payloads
from operator_node.registry.proof import Payload, Untied

CHAIN_ID = 7
MINE = Payload(b"\1" * 32, b"\2" * 32, b"\3" * 256)
OTHER = Payload(b"\4" * 32, b"\2" * 32, b"\3" * 256)
Beacon = Callable[[str], Any]


def block(payload: Payload, *, part: str = "execution_payload_header") -> Any:
    told = {
        "block_hash": "0x" + payload.block_hash.hex(),
        "receipts_root": "0x" + payload.receipts_root.hex(),
        "logs_bloom": "0x" + payload.logs_bloom.hex(),
        "transactions": [],
    }
    return {"version": "deneb", "data": {"message": {"slot": "9", "body": {part: told}}}}


def beacon(answers: dict[str, Any]) -> Beacon:
    return lambda path: answers.get(path)


def ask(*beacons: Beacon, is_same_chain: bool | None = True) -> Payload | Untied | None:
    nodes = {f"beacon{place}": each for place, each in enumerate(beacons)}

    def respond(request: httpx.Request) -> httpx.Response:
        found = nodes[request.url.host](request.url.path)
        if found is None:
            return httpx.Response(404, json={"message": "not found"})
        content = found if isinstance(found, bytes) else json.dumps(found).encode()
        return httpx.Response(200, content=content)

    async def main() -> Payload | Untied | None:
        payloads = Payloads(
            [f"http://{name}" for name in nodes],
            is_same_chain=is_same_chain,
            transport=httpx.MockTransport(respond),
        )
        async with payloads:
            return await payloads.of(9, MINE.block_hash, chain_id=CHAIN_ID)

    return trio.run(main)


BLINDED = "/eth/v1/beacon/blinded_blocks/9"
FULL = "/eth/v2/beacon/blocks/9"
CONTRACT = "/eth/v1/config/deposit_contract"


def deposits(chain_id: str | int) -> Any:
    return {"data": {"chain_id": chain_id, "address": "0x" + "00" * 20}}


def test_the_payload_is_read_from_either_form() -> None:
    assert ask(beacon({BLINDED: block(MINE)})) == MINE
    assert ask(beacon({FULL: block(MINE, part="execution_payload")})) == MINE


def test_the_wanted_payload_counts_even_if_only_one_node_has_it() -> None:
    assert ask(beacon({BLINDED: block(OTHER)}), beacon({BLINDED: block(MINE)})) == MINE
    assert ask(beacon({BLINDED: block(OTHER)}), beacon({})) == OTHER


def test_a_slot_without_a_block_says_nothing() -> None:
    assert ask(beacon({})) is None
    assert ask(beacon({BLINDED: {"data": {"message": {"body": {}}}}})) is None
    assert ask(beacon({BLINDED: "rubbish"})) is None


HEADER = b'{"data":{"message":{"body":{"execution_payload_header":{"block_hash":"\xff"}}}}}'


@pytest.mark.parametrize(
    "rubbish", [HEADER, b'{"data":{"chain_id":"\xff"}}', b'{"more":' + b"[" * 200_000]
)
def test_bytes_that_are_no_json_say_nothing(rubbish: bytes) -> None:
    assert ask(beacon({BLINDED: rubbish}), beacon({BLINDED: block(MINE)})) == MINE
    answers = {CONTRACT: deposits(7), BLINDED: block(MINE)}
    assert ask(beacon({CONTRACT: rubbish}), beacon(answers), is_same_chain=None) == MINE


@pytest.mark.parametrize("told", ["7", 7])
def test_the_deposit_chain_tells_whether_both_chains_are_one(told: str | int) -> None:
    answers = {CONTRACT: deposits(told), BLINDED: block(MINE)}
    assert ask(beacon(answers), is_same_chain=None) == MINE


def test_another_deposit_chain_is_said_and_nothing_compared() -> None:
    found = ask(beacon({CONTRACT: deposits("5"), BLINDED: block(OTHER)}), is_same_chain=None)
    assert isinstance(found, Untied)
    assert "(7)" in found.reason


def test_while_nobody_tells_the_chain_nothing_is_known() -> None:
    assert ask(beacon({BLINDED: block(MINE)}), is_same_chain=None) is None
