"""Beacon and execution nodes that are fit, and every way in which they are not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
import trio
from trio.testing import MockClock

from operator_node.config import PUBLIC_NETWORKS, NetworkSettings
from operator_node.doctor import beacon_nodes
from operator_node.doctor.beacon_nodes import REQUESTS, check_beacon_node
from operator_node.doctor.checks import Check, Verdict
from operator_node.doctor.execution_nodes import check_execution_node
from sdk.chain.receipts import Receipt, receipts_root
from tests.unit.operator_node.beacon.fake_node import (
    GENESIS_ROOT,
    FakeNetwork,
    FakeNode,
)

GOOD, AVERAGE, POOR = Verdict.GOOD, Verdict.AVERAGE, Verdict.POOR
NETWORK = replace(PUBLIC_NETWORKS["hoodi"], genesis_validators_root=GENESIS_ROOT, chain_id=7)
OWN = replace(NETWORK, genesis_validators_root=None, chain_id=None)


def run(check: Callable[[], Awaitable[list[Check]]]) -> dict[str, Check]:
    checks: list[Check] = []

    async def main() -> None:
        checks.extend(await check())

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return {each.name: each for each in checks}


# --- beacon nodes --------------------------------------------------------------------------

EVENTS = "/eth/v1/events"
LIVENESS = "/eth/v1/validator/liveness/"


def fit(routes: dict[str, Any] | None = None, *, genesis_root: bytes = GENESIS_ROOT) -> FakeNode:
    return FakeNode(
        genesis_root=genesis_root,
        routes={
            "/eth/v1/node/peer_count": {"data": {"connected": "60"}},
            EVENTS: httpx.Response(200, headers={"content-type": "text/event-stream"}),
            **(routes or {}),
        },
    )


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slot 100 of the fake chain, whose slots have 12 s."""
    monkeypatch.setattr(beacon_nodes, "wall_ms", lambda: 1_200_000)


def beacon(node: FakeNode, network: NetworkSettings = NETWORK) -> dict[str, Check]:
    node.routes.setdefault(f"{LIVENESS}12", {"data": [{"index": "0", "is_live": False}]})
    fakes = FakeNetwork(node)
    (url,) = fakes.urls
    return run(lambda: check_beacon_node(url, network, transport=fakes))


def test_a_fit_beacon_node_is_good_in_everything() -> None:
    node = fit()
    found = beacon(node)
    assert list(found) == ["client", "chain", "sync", "peers", "liveness", "events", "latency"]
    assert {check.verdict for check in found.values()} == {GOOD}
    assert {check.part for check in found.values()} == {"beacon node a:5052"}
    assert node.paths().count("/eth/v1/node/syncing") == 1 + REQUESTS
    assert found["sync"].found == "head 0, 100 slots before the clock's 100"


def test_a_beacon_node_that_is_away_has_one_finding() -> None:
    found = beacon(FakeNode(is_down=True))
    assert [(name, check.verdict) for name, check in found.items()] == [("answers", POOR)]
    assert "eth2.BeaconNodeAddr" in found["answers"].advice
    assert beacon(FakeNode(delay_s=60))["answers"].found == "no answer in time"


def test_a_beacon_node_of_another_chain_is_poor() -> None:
    found = beacon(fit(genesis_root=b"\x01" * 32))
    assert found["chain"].verdict is POOR
    assert "hoodi" in found["chain"].advice
    assert beacon(fit(genesis_root=b"\x01" * 32), OWN)["chain"].verdict is GOOD


@pytest.mark.parametrize(
    ("syncing", "told"),
    [
        ({"sync_distance": "5"}, ""),
        ({"is_optimistic": True}, "optimistic: its execution node is not synced"),
        ({"el_offline": True}, "its execution node is away"),
    ],
)
def test_a_beacon_node_that_is_not_synced_is_poor(syncing: dict[str, Any], told: str) -> None:
    data = {"head_slot": "90", "sync_distance": "0", "is_syncing": True, **syncing}
    found = beacon(fit({"/eth/v1/node/syncing": {"data": data}}))["sync"]
    assert found.verdict is POOR
    assert found.found.startswith("head 90, 10 slots before the clock's 100")
    assert told in found.found


@pytest.mark.parametrize(("peers", "verdict"), [(50, GOOD), (20, AVERAGE), (3, POOR)])
def test_peers_are_counted_on_public_networks(peers: int, verdict: Verdict) -> None:
    routes = {"/eth/v1/node/peer_count": {"data": {"connected": str(peers)}}}
    assert beacon(fit(routes))["peers"].verdict is verdict
    assert beacon(fit(routes), OWN)["peers"].verdict is GOOD


def test_missing_liveness_and_events_are_named_with_what_to_switch_on() -> None:
    found = beacon(fit({f"{LIVENESS}12": (400, {"message": "disabled"}), EVENTS: (404, {})}))
    assert found["liveness"].verdict is found["events"].verdict is AVERAGE
    assert "--beacon-liveness-tracking-enabled" in found["liveness"].advice


def test_latency_is_that_of_many_requests() -> None:
    found = beacon(replace(fit(), delay_s=0.06))["latency"]
    assert (found.verdict, found.found) == (AVERAGE, "60 ms (p90 of 200 requests)")
    slow = beacon(replace(fit(), delay_s=2))["latency"]
    assert (slow.verdict, slow.found) == (POOR, "no answer in time")


def test_an_answer_that_is_none_is_a_finding_and_ends_nothing() -> None:
    found = beacon(fit({"/eth/v1/node/peer_count": {"data": "many"}}))
    assert found["peers"].verdict is POOR
    assert found["latency"].verdict is GOOD


# --- execution nodes -----------------------------------------------------------------------

BLOCK = 1_234
RECEIPTS = [
    {
        "transactionHash": "0x" + "01" * 32,
        "cumulativeGasUsed": "0x5208",
        "logsBloom": "0x" + "00" * 256,
        "logs": [],
        "status": "0x1",
    }
]
ROOT = f"0x{receipts_root(msgspec.convert(RECEIPTS, list[Receipt])).hex()}"


class FakeExecution(httpx.AsyncBaseTransport):
    """Answers by method; an exception stands for an error, a number for its code."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "eth_chainId": "0x7",
            "eth_syncing": False,
            "eth_blockNumber": "0x10",
            "eth_getLogs": [{"blockNumber": hex(BLOCK)}],
            "eth_getBlockByNumber": {"receiptsRoot": ROOT},
            "eth_getBlockReceipts": RECEIPTS,
            **answers,
        }
        self.delay_s = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await trio.sleep(self.delay_s)
        asked = msgspec.json.decode(await request.aread())
        is_batch = isinstance(asked, list)
        answers = [self._answer(each) for each in (asked if is_batch else [asked])]
        return httpx.Response(200, json=answers if is_batch else answers[0])

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = self.answers[asked["method"]]
        if callable(answer):
            answer = answer(asked["params"])
        if isinstance(answer, Exception):
            return {"id": asked["id"], "error": {"code": -32000, "message": str(answer)}}
        return {"id": asked["id"], "result": answer}


def execution(node: FakeExecution, network: NetworkSettings = NETWORK) -> dict[str, Check]:
    return run(lambda: check_execution_node("http://u:hush@e:8545/hush", network, transport=node))


def test_a_fit_execution_node_is_good_in_everything() -> None:
    found = execution(FakeExecution())
    assert list(found) == ["chain", "sync", "latency", "history"]
    assert {check.verdict for check in found.values()} == {GOOD}
    assert found["history"].found == f"first event in block {BLOCK}, receipts as its header says"
    assert "hush" not in str(found)


def test_an_execution_node_of_another_chain_is_not_asked_further() -> None:
    found = execution(FakeExecution(eth_chainId="0x1"))
    assert [(name, check.verdict) for name, check in found.items()] == [("chain", POOR)]
    assert found["chain"].found == "chain id 1"


def test_an_execution_node_that_does_not_answer_has_one_finding() -> None:
    node = FakeExecution()
    node.delay_s = 100
    found = execution(node)
    assert [(name, check.verdict) for name, check in found.items()] == [("answers", POOR)]
    assert "hush" not in str(found)


def test_an_execution_node_that_still_syncs_is_poor() -> None:
    found = execution(FakeExecution(eth_syncing={"currentBlock": "0x1"}))
    assert (found["sync"].verdict, found["sync"].found) == (POOR, "head 16, still syncing")


def test_history_without_its_first_events_is_poor_on_public_networks() -> None:
    found = execution(FakeExecution(eth_getLogs=[]))["history"]
    assert found.verdict is POOR
    assert "Geth: --history.logs=0" in found.advice
    assert execution(FakeExecution(eth_getLogs=[]), OWN)["history"].verdict is Verdict.UNKNOWN


def test_fewer_blocks_are_searched_where_the_node_limits_them() -> None:
    def limited(params: list[dict[str, str]]) -> Any:
        wide = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
        return ValueError("range too large") if wide > 500 else [{"blockNumber": hex(BLOCK)}]

    assert execution(FakeExecution(eth_getLogs=limited))["history"].verdict is GOOD
    refusing = FakeExecution(eth_getLogs=ValueError("no"))
    assert execution(refusing)["history"].verdict is POOR


def test_pruned_receipts_and_those_of_another_root_are_poor() -> None:
    pruned = execution(FakeExecution(eth_getBlockReceipts=None))["history"]
    assert pruned.found == f"block {BLOCK} has an event and no receipts any more"
    other = execution(FakeExecution(eth_getBlockByNumber={"receiptsRoot": "0x" + "00" * 32}))
    assert other["history"].verdict is pruned.verdict is POOR
    assert "Do not use it" in other["history"].advice
    unserved = execution(FakeExecution(eth_getBlockReceipts=ValueError("no such method")))
    assert unserved["history"].verdict is AVERAGE
