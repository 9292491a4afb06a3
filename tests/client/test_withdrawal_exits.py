"""Exits by the withdrawal address, through the contract of EIP-7002 (here a stand-in for it)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.client.exits import WITHDRAWAL_REQUESTS
from tests.client.beacon_stub import BeaconStub
from tests.client.commands import Desk, make_desk, public_keys
from tests.client.proxy import Answer, Proxy
from tests.client.withdrawal_queue import install, set_fee
from tests.client.world import World

pytestmark = pytest.mark.toolchain


@pytest.fixture
def desk(world: World, tmp_path: Path, proxy: Proxy) -> Desk:
    install(world, WITHDRAWAL_REQUESTS)
    return make_desk(world, tmp_path, url=proxy.url)


@pytest.fixture
def stub(desk: Desk) -> Iterator[BeaconStub]:
    with BeaconStub() as stub:
        for index, key in enumerate(public_keys(1, 2), 70):
            stub.add(key, index, credentials="0x01" + 11 * "00" + desk.address[2:].lower())
        yield stub


def words(stub: BeaconStub, *numbers: int) -> tuple[object, ...]:
    keys = public_keys(*numbers)
    return ("validators", "exit", *keys, "--from-withdrawal-address", "--beacon", stub.url)


def requests_of(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.rpc(
        "eth_getLogs", {"address": WITHDRAWAL_REQUESTS, "fromBlock": "0x0"}
    )
    return found


def test_request_reaches_the_contract_with_key_and_amount(desk: Desk, stub: BeaconStub) -> None:
    ran = desk.write(*words(stub, 1)).ok().json()
    assert ran["plan"]["value_wei"] == 1
    (log,) = requests_of(desk.world)
    # The contract logs source address, key and amount, without padding.
    address = desk.address[2:].lower()
    assert log["data"] == "0x" + address + public_keys(1)[0][2:] + 16 * "0"


def test_several_exits_are_several_transactions(desk: Desk, stub: BeaconStub) -> None:
    ran = desk.write(*words(stub, 1, 2)).ok().json()
    assert len(ran["transactions"]) == len(requests_of(desk.world)) == 2


def test_second_exit_that_fails_is_told_as_partial(
    desk: Desk, stub: BeaconStub, proxy: Proxy
) -> None:
    send = "eth_sendRawTransaction"
    proxy.rule = lambda request: (
        Answer(status=403) if request["method"] == send and proxy.count(send) == 2 else None
    )
    ran = desk.write(*words(stub, 1, 2))
    assert (ran.code, ran.error()["code"]) == (6, "exited_in_part")
    assert len(requests_of(desk.world)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"credentials": "0x00" + 31 * "22"}, "withdrawal_credentials"),
        ({"credentials": "0x02" + 11 * "00" + 20 * "22"}, "other_withdrawal_address"),
        ({"activation_epoch": 999}, "validator_too_young"),
        ({"status": "pending_queued"}, "validator_not_active"),
        ({"status": "active_exiting", "exit_epoch": "1200"}, "validator_exiting"),
    ],
)
def test_request_that_the_beacon_chain_would_ignore_is_not_sent(
    desk: Desk, stub: BeaconStub, change: dict[str, Any], code: str
) -> None:
    for name, value in change.items():
        setattr(stub.validators[public_keys(1)[0]], name, value)
    ran = desk.write(*words(stub, 1))
    assert (ran.code, ran.error()["code"]) == (4, code)
    assert requests_of(desk.world) == []


def test_pending_partial_withdrawal_has_to_be_waited_for(desk: Desk, stub: BeaconStub) -> None:
    stub.pending = [(70, 1080), (5, 2000), (70, 1090)]
    ran = desk.write(*words(stub, 1))
    assert (ran.code, ran.error()["code"]) == (4, "pending_partial_withdrawal")
    assert "2000000000 gwei" in ran.error()["message"]
    # 90 epochs of 384 seconds are 9.6 hours.
    assert "until epoch 1090, about 10 hours" in ran.error()["hint"]
    assert requests_of(desk.world) == []
    assert "NOT CHECKED" not in desk.write(*words(stub, 2)).ok().json()["plan"]["action"]


@pytest.mark.parametrize("status", [404, 405])
def test_plan_says_if_pending_partial_withdrawals_cannot_be_checked(
    desk: Desk, stub: BeaconStub, status: int
) -> None:
    stub.pending_status = status
    ran = desk.write(*words(stub, 1), "--dry-run").ok()
    assert "NOT CHECKED: the beacon node has no route" in ran.json()["plan"]["action"]


def test_node_that_fails_to_tell_of_pending_withdrawals_stops_the_exit(
    desk: Desk, stub: BeaconStub
) -> None:
    stub.pending_status = 400
    ran = desk.write(*words(stub, 1))
    assert (ran.code, ran.error()["code"]) == (5, "beacon_refused")
    assert requests_of(desk.world) == []


def test_unknown_validator_and_missing_beacon_node(desk: Desk, stub: BeaconStub) -> None:
    ran = desk.write(*words(stub, 3))
    assert (ran.code, ran.error()["code"]) == (4, "validator_not_on_beacon_chain")
    bare = desk.write("validators", "exit", public_keys(1)[0], "--from-withdrawal-address")
    assert (bare.code, bare.error()["code"]) == (2, "beacon_missing")


def test_chain_without_the_contract_is_told(desk: Desk, stub: BeaconStub) -> None:
    desk.world.rpc("anvil_setCode", WITHDRAWAL_REQUESTS, "0x")
    ran = desk.write(*words(stub, 1))
    assert (ran.code, ran.error()["code"]) == (4, "withdrawal_requests_unavailable")


def test_request_can_be_exported_for_a_safe(desk: Desk, stub: BeaconStub) -> None:
    out = desk.folder / "batch.json"
    options = [*desk.node(), "--from", desk.address, "--json", "--safe", str(out)]
    desk.run(*words(stub, 1), *options).ok()
    (call,) = json.loads(out.read_text())["transactions"]
    assert call["to"] == WITHDRAWAL_REQUESTS
    assert (call["value"], call["data"]) == ("1", public_keys(1)[0] + 16 * "0")


def test_dry_run_and_transient_faults(desk: Desk, stub: BeaconStub) -> None:
    stub.broken = 1
    ran = desk.write(*words(stub, 1), "--dry-run").ok()
    assert ran.json()["sent"] is False
    assert requests_of(desk.world) == []


def test_fee_is_paid_as_asked_and_a_high_one_refused(desk: Desk, stub: BeaconStub) -> None:
    set_fee(desk.world, WITHDRAWAL_REQUESTS, fee_wei=12_345)
    assert desk.write(*words(stub, 1)).ok().json()["plan"]["value_wei"] == 12_345
    set_fee(desk.world, WITHDRAWAL_REQUESTS, fee_wei=10**17)
    ran = desk.write(*words(stub, 2))
    assert (ran.code, ran.error()["code"]) == (4, "exit_fee_too_high")
