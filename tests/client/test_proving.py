"""`phalanx cluster prove`: from a consensus library's state to the registry's records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import trio

from sdk.beacon_proofs.source import BeaconSource
from sdk.client.abi import encode_call
from sdk.toolchain.compile import compile_contracts
from sdk.toolchain.deploy import create
from sdk.types import PublicKey
from tests.client.commands import Desk, make_desk
from tests.client.keeping import Station
from tests.client.proxy import Answer, Proxy
from tests.client.world import FEE_WEI, GOVERNOR, IDS, World
from tests.contracts_proofs import beacon_roots
from tests.contracts_proofs.states import Snapshot, manifest, snapshot

pytestmark = pytest.mark.toolchain

PRESET, FORK = "minimal", "electra"
GENESIS_TIME = 1_700_000_000
ROLE = "consolidation_target"
"""A validator that has 64 ETH in the last state."""
WORDS = ("cluster", "prove", "--operators", "1,2,3,4")
THIN_WEI = 940_000_000_000_000 + 2000 * (4 * FEE_WEI + 3_550_900_000)
"""The minimum collateral, and 2,000 blocks of one validator's fees."""


class StateServer:
    """A beacon node with one block and its state; `has_state` says whether it still serves it."""

    def __init__(self, served: Snapshot) -> None:
        self.has_state = True
        header = served.header
        message = {
            "slot": str(header.slot),
            "proposer_index": str(header.proposer_index),
            **{
                name: "0x" + getattr(header, name).hex()
                for name in ("parent_root", "state_root", "body_root")
            },
        }
        documents: dict[str, Any] = {
            "/eth/v1/beacon/genesis": {"genesis_time": str(GENESIS_TIME)},
            "/eth/v1/config/spec": {"PRESET_BASE": PRESET, "SECONDS_PER_SLOT": "12"},
            f"/eth/v1/beacon/headers/0x{header.root().hex()}": {"header": {"message": message}},
        }
        state_path = f"/eth/v2/debug/beacon/states/0x{header.state_root.hex()}"
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content, kind = b"", "application/json"
                if self.path in documents:
                    content = json.dumps({"data": documents[self.path]}).encode()
                elif self.path == state_path and server.has_state:
                    content, kind = bytes(served.state.data), "application/octet-stream"
                self.send_response(200 if content else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Eth-Consensus-Version", FORK)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def served() -> Snapshot:
    return snapshot(PRESET, FORK, "epoch4")


@pytest.fixture
def beacon(served: Snapshot) -> Iterator[StateServer]:
    node = StateServer(served)
    thread = Thread(target=node.server.serve_forever, args=(0.02,))
    thread.start()
    yield node
    node.server.shutdown()
    thread.join()
    node.server.server_close()


@pytest.fixture
def key(served: Snapshot) -> PublicKey:
    described = served.described.validators[manifest(PRESET).roles[ROLE]]
    return PublicKey(bytes.fromhex(described.public_key))


@pytest.fixture
def desk(world: World, tmp_path: Path, proxy: Proxy, served: Snapshot, key: PublicKey) -> Desk:
    """A validator of that state in a cluster with little money; the root in the chain's ring."""
    verifier, _ = create(
        world.w3,
        compile_contracts()["BeaconVerifier"],
        world.account(GOVERNOR),
        *(GENESIS_TIME, 12, GENESIS_TIME + 12, GENESIS_TIME + 10**9),
    )
    world.client(GOVERNOR).network.update_beacon_verifier(verifier).transact()
    desk = make_desk(world, tmp_path, url=proxy.url)
    _register(desk, key)
    newest = world.rpc("eth_getBlockByNumber", "latest", False)
    beacon_roots.install(world.w3)
    beacon_roots.keep(world.w3, int(newest["timestamp"], 16), served.header.root())

    def rule(request: dict[str, Any]) -> Answer | None:
        """The chain has no beacon chain, so its newest block is told to name our root."""
        if request["method"] != "eth_getBlockByNumber":
            return None
        found = world.rpc(request["method"], *request["params"])
        if found is not None and found["number"] == newest["number"]:
            found["parentBeaconBlockRoot"] = "0x" + served.header.root().hex()
        return Answer.result(request, found)

    proxy.rule = rule
    return desk


def _register(desk: Desk, key: PublicKey) -> None:
    """Its secret is not ours, so the shares are void; the registry does not look at them."""
    struct = (0, 0, 0, True, 0)
    data = encode_call("bulkRegisterValidator", ((key,), IDS, (bytes(1312),), struct))
    call = {"from": desk.address, "to": desk.world.deployed.registry, "data": "0x" + data.hex()}
    desk.world.rpc("anvil_impersonateAccount", desk.address)
    sent = desk.world.rpc("eth_sendTransaction", {**call, "value": hex(THIN_WEI)})
    # Mined by the node in its own time, so the receipt is waited for.
    assert desk.world.w3.eth.wait_for_transaction_receipt(sent, timeout=30)["status"] == 1
    desk.world.rpc("anvil_stopImpersonatingAccount", desk.address)


def test_balance_is_proven_and_the_cluster_topped_up(
    desk: Desk, beacon: StateServer, key: PublicKey
) -> None:
    ran = desk.write(*WORDS, "--beacon", beacon.url).ok()
    record = desk.world.client(None).validators.get(key, owner=desk.address)
    assert record is not None
    assert record.effective_balance_eth == 64
    found = desk.world.client(None).clusters.get(desk.address, IDS)
    assert found.snapshot.active
    assert found.effective_balance_eth == 64
    plan = ran.json()["plan"]
    assert plan["value_wei"] > 0
    assert plan["after"]["runway_blocks"] >= 600
    assert found.runway_blocks == plan["after"]["runway_blocks"]
    again = desk.write(*WORDS, "--beacon", beacon.url)
    assert (again.code, again.error()["code"]) == (4, "nothing_to_prove")


def test_without_top_up_the_proof_may_liquidate(desk: Desk, beacon: StateServer) -> None:
    ran = desk.write(*WORDS, "--beacon", beacon.url, "--no-top-up").ok()
    assert "this proof liquidates the cluster" in ran.err
    assert not desk.world.client(None).clusters.get(desk.address, IDS).snapshot.active


def test_runway_can_be_named(desk: Desk, beacon: StateServer) -> None:
    ran = desk.write(*WORDS, "--beacon", beacon.url, "--runway-days", 10, "--dry-run").ok()
    assert ran.json()["plan"]["after"]["runway_blocks"] == 10 * 7200
    both = desk.write(*WORDS, "--beacon", beacon.url, "--runway-days", 1, "--deposit", 1)
    assert (both.code, both.error()["code"]) == (2, "funding")


def test_node_that_serves_no_state_and_registry_without_verifier(
    desk: Desk, beacon: StateServer
) -> None:
    beacon.has_state = False
    gone = desk.write(*WORDS, "--beacon", beacon.url)
    assert (gone.code, gone.error()["code"]) == (5, "beacon_state_unavailable")
    governor = desk.world.client(GOVERNOR)
    governor.network.update_beacon_verifier("0x" + 40 * "0").transact()
    none = desk.write(*WORDS, "--beacon", beacon.url)
    assert (none.code, none.error()["code"]) == (4, "verifier_not_set")


def test_a_proof_that_ends_in_a_liquidation_is_sent_for_the_bounty(
    desk: Desk, beacon: StateServer, key: PublicKey
) -> None:
    with httpx.Client(base_url=beacon.url, trust_env=False) as client:
        station = Station(desk.world, url=desk.url, source=BeaconSource(client))
        before = station.balance_wei

        async def run() -> None:
            async with station.working():
                await station.outcome("won")

        trio.run(run)
    assert station.balance_wei - before >= station.limits.min_profit_wei
    assert station.nonce == 1
    assert not desk.world.client(None).clusters.get(desk.address, IDS).snapshot.active
    record = desk.world.client(None).validators.get(key, owner=desk.address)
    assert record is not None
    assert record.effective_balance_eth == 64


def test_a_proof_that_liquidates_nothing_is_not_sent(desk: Desk, beacon: StateServer) -> None:
    desk.write("cluster", "deposit", "--operators", "1,2,3,4", "--amount", "1").ok()
    with httpx.Client(base_url=beacon.url, trust_env=False) as client:
        station = Station(desk.world, url=desk.url, source=BeaconSource(client))

        async def run() -> None:
            async with station.working():
                desk.world.mine(1)
                await station.idle()

        trio.run(run)
    assert (station.heard.facts("validators"), station.nonce) == ([1, 1], 0)
    assert station.heard.facts("clusters") == [1, 0]
