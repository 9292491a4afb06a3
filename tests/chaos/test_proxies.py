"""Proxies pass everything on, or lie in the one way that they are told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from fastapi import FastAPI, Request, Response
from hypercorn.config import Config
from hypercorn.trio import serve

from deploy.devnet.keys import interop_key
from deploy.devnet.ports import free_ports
from deploy.devnet.rest import NO_TLS
from sdk.events.decode import decode
from sdk.events.snapshot import ClusterSnapshot
from sdk.events.types import ValidatorRemoved
from sdk.types import OperatorId, Wei, parse_address
from tests.chaos import beacon_proxy, execution_proxy
from tests.chaos.beacon_proxy import LAG_SLOTS, BeaconProxy, made_up
from tests.chaos.execution_proxy import NO_BLOOM, ExecutionProxy
from tests.chaos.serving import Proxy
from tests.chaos.submitted import Submitted

HEAD = 20
CONTRACT = "0x" + 20 * "ab"
LOG = {"address": CONTRACT, "topics": ["0x" + 32 * "01"], "data": "0x0102", "logIndex": "0x0"}
PATIENCE_S = 10


def root_of(slot: int) -> str:
    return f"0x{slot:064x}"


def upstream() -> FastAPI:
    """A beacon node and an execution node, as far as they are asked here."""
    app = FastAPI()

    @app.get("/eth/v1/validator/attestation_data")
    def vote(slot: int) -> dict[str, Any]:
        target = {"epoch": "2", "root": root_of(16)}
        return {"data": {"beacon_block_root": root_of(HEAD), "target": target}}

    @app.get("/eth/v1/beacon/headers/head")
    def header() -> dict[str, Any]:
        return {"data": {"header": {"message": {"slot": str(HEAD)}}}}

    @app.get("/eth/v1/beacon/blocks/{slot}/root")
    def block_root(slot: int, response: Response) -> dict[str, Any]:
        if slot == HEAD - LAG_SLOTS:  # an empty slot
            response.status_code = 404
            return {}
        return {"data": {"root": root_of(slot)}}

    @app.get("/eth/v1/node/syncing")
    def syncing() -> dict[str, Any]:
        return {"data": {"head_slot": str(HEAD), "sync_distance": "0", "is_syncing": False}}

    @app.post("/eth/v1/beacon/pool/attestations")
    async def take(request: Request) -> dict[str, int]:
        return {"taken": len(await request.json())}

    @app.post("/")
    async def rpc(request: Request) -> Any:
        asked = await request.json()
        if isinstance(asked, list):
            return [answer(each) for each in asked]
        return answer(asked)

    return app


def answer(call: dict[str, Any]) -> dict[str, Any]:
    result: Any = None
    match call["method"]:
        case "eth_blockNumber":
            result = hex(HEAD)
        case "eth_getBlockByNumber":
            number = int(call["params"][0], 16)
            bloom = "0x" + 256 * "11"
            result = {"number": hex(number), "hash": root_of(number), "logsBloom": bloom}
        case "eth_getLogs":
            result = [LOG | {"blockNumber": hex(number)} for number in (HEAD, HEAD + 1)]
        case "eth_getBlockReceipts":
            result = [
                {"blockNumber": hex(HEAD + 1), "logs": [LOG | {"blockNumber": hex(HEAD + 1)}]}
            ]
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


@asynccontextmanager
async def running(proxy_of: Any) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    port = free_ports(1)[0]
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "CRITICAL"
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve, upstream(), config)
            proxy: Proxy = proxy_of(f"http://127.0.0.1:{port}")
            await nursery.start(proxy.run)
            async with httpx.AsyncClient(base_url=proxy.url, verify=NO_TLS) as client:
                yield proxy, client
            nursery.cancel_scope.cancel()


def beacon() -> Any:
    return running(lambda url: BeaconProxy(url, Submitted()))


def execution() -> Any:
    return running(lambda url: ExecutionProxy(url, CONTRACT))


async def vote(client: httpx.AsyncClient) -> dict[str, Any]:
    found = await client.get("/eth/v1/validator/attestation_data?slot=20&committee_index=0")
    data: dict[str, Any] = found.json()["data"]
    return data


async def ask(client: httpx.AsyncClient, method: str, *params: object) -> Any:
    call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    one = (await client.post("/", json=call)).json()
    batch = (await client.post("/", json=[call])).json()
    assert batch == [one]
    return one["result"]


def test_a_well_behaved_proxy_changes_nothing() -> None:
    async def main() -> None:
        async with beacon() as (proxy, client):
            assert (await vote(client))["beacon_block_root"] == root_of(HEAD)
            taken = await client.post("/eth/v1/beacon/pool/attestations", json=[1, 2])
            assert taken.json() == {"taken": 2}
            assert (await client.get("/eth/v1/nothing")).status_code == 404
            assert proxy.requests == 3

    trio.run(main)


def test_a_beacon_node_fails_as_it_is_told() -> None:
    async def main() -> None:
        async with beacon() as (proxy, client):
            proxy.turn(beacon_proxy.Mode.ERRORS)
            assert (await client.get("/eth/v1/node/syncing")).status_code == 500
            proxy.turn(beacon_proxy.Mode.ABSENT)
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/eth/v1/node/syncing")
            proxy.turn(beacon_proxy.Mode.WELL)
            assert (await client.get("/eth/v1/node/syncing")).status_code == 200

    trio.run(main)


def test_a_silent_beacon_node_ends_what_waits_for_it_when_it_is_back() -> None:
    async def main() -> None:
        async with beacon() as (proxy, client):
            proxy.turn(beacon_proxy.Mode.SILENT)
            async with trio.open_nursery() as nursery:

                async def wait() -> None:
                    with pytest.raises(httpx.RemoteProtocolError):
                        await client.get("/eth/v1/node/syncing")

                nursery.start_soon(wait)
                while proxy.requests == 0:  # noqa: ASYNC110  nothing tells that it has come
                    await trio.sleep(0.01)
                proxy.turn(beacon_proxy.Mode.WELL)

    trio.run(main)


def test_a_lagging_beacon_node_has_an_older_head_and_says_so() -> None:
    async def main() -> None:
        async with beacon() as (proxy, client):
            proxy.turn(beacon_proxy.Mode.LAGGING)
            assert (await vote(client))["beacon_block_root"] == root_of(HEAD - LAG_SLOTS - 1)
            told = (await client.get("/eth/v1/node/syncing")).json()["data"]
            assert told["head_slot"] == str(HEAD - LAG_SLOTS)
            assert told["sync_distance"] == str(LAG_SLOTS)
            assert (await client.get("/eth/v3/validator/blocks/21")).status_code == 503

    trio.run(main)


def test_a_lying_beacon_node_makes_up_a_head_or_a_target() -> None:
    async def main() -> None:
        async with beacon() as (proxy, client):
            proxy.turn(beacon_proxy.Mode.LYING_HEAD)
            lie = await vote(client)
            assert lie["beacon_block_root"] == made_up(root_of(HEAD)) != root_of(HEAD)
            assert lie["target"]["root"] == root_of(16)
            proxy.turn(beacon_proxy.Mode.LYING_TARGET)
            lie = await vote(client)
            assert lie["beacon_block_root"] == root_of(HEAD)
            assert lie["target"] == {"epoch": "2", "root": made_up(root_of(16))}

    trio.run(main)


def test_a_frozen_execution_node_knows_no_newer_block() -> None:
    async def main() -> None:
        async with execution() as (proxy, client):
            assert await proxy.turn(execution_proxy.Mode.FROZEN) == HEAD
            assert await ask(client, "eth_getBlockByNumber", hex(HEAD + 1), False) is None
            assert await ask(client, "eth_getBlockByNumber", hex(HEAD), False) is not None
            logs = await ask(client, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x40"})
            assert [each["blockNumber"] for each in logs] == [hex(HEAD)]

    trio.run(main)


def test_hidden_logs_are_in_no_answer() -> None:
    async def main() -> None:
        async with execution() as (proxy, client):
            await proxy.turn(execution_proxy.Mode.HIDING)
            block = await ask(client, "eth_getBlockByNumber", hex(HEAD + 1), False)
            assert block["logsBloom"] == NO_BLOOM
            logs = await ask(client, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x40"})
            assert [each["blockNumber"] for each in logs] == [hex(HEAD)]
            (receipt,) = await ask(client, "eth_getBlockReceipts", hex(HEAD + 1))
            assert receipt["logs"] == []

    trio.run(main)


def test_altered_logs_differ_in_one_bit_everywhere() -> None:
    async def main() -> None:
        async with execution() as (proxy, client):
            await proxy.turn(execution_proxy.Mode.ALTERING)
            logs = await ask(client, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x40"})
            assert [each["data"] for each in logs] == ["0x0102", "0x0103"]
            (receipt,) = await ask(client, "eth_getBlockReceipts", hex(HEAD + 1))
            assert receipt["logs"] == logs[1:]

    trio.run(main)


def test_an_invented_event_is_in_the_first_newer_block_and_decodes() -> None:
    event = ValidatorRemoved(
        owner=parse_address("0x" + 20 * "12"),
        operator_ids=(OperatorId(1),),
        public_key=interop_key(3),
        cluster=ClusterSnapshot(1, 0, 0, True, Wei(5)),
    )

    async def main() -> None:
        async with execution() as (proxy, client):
            await proxy.turn(execution_proxy.Mode.INVENTING, invented=event)
            for wanted in (
                {"fromBlock": hex(HEAD), "toBlock": hex(HEAD + 5)},
                {"blockHash": root_of(HEAD + 1)},
            ):
                *true, lie = await ask(client, "eth_getLogs", wanted)
                assert len(true) == 2
                assert (lie["blockNumber"], lie["blockHash"]) == (
                    hex(HEAD + 1),
                    root_of(HEAD + 1),
                )
                topics = [bytes.fromhex(each[2:]) for each in lie["topics"]]
                assert decode(topics, bytes.fromhex(lie["data"][2:])) == event
            elsewhere = {"fromBlock": "0x0", "toBlock": hex(HEAD)}
            assert len(await ask(client, "eth_getLogs", elsewhere)) == 2

    trio.run(main)


def test_what_a_proxy_is_given_to_publish_is_heard() -> None:
    vote = {
        "aggregation_bits": "0x05",
        "data": {
            "slot": "20",
            "index": "1",
            "beacon_block_root": root_of(HEAD),
            "source": {"epoch": "1", "root": root_of(8)},
            "target": {"epoch": "2", "root": root_of(16)},
        },
        "signature": "0x" + 96 * "00",
    }
    heard = Submitted()

    async def main() -> None:
        async with running(lambda url: BeaconProxy(url, heard)) as (_, client):
            content = json.dumps([vote]).encode()
            for _ in range(2):
                await client.post("/eth/v1/beacon/pool/attestations", content=content)
            await client.post("/eth/v1/beacon/pool/attestations", content=b"[{}]")

    trio.run(main)
    (sent,) = heard.votes
    assert (sent.slot, sent.committee, sent.positions) == (20, 1, (0,))
    assert heard.unread == 1
