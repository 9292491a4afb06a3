"""`phalanx watch`, and the commands of the keepers, on a real chain."""

from __future__ import annotations

import hmac
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from sdk.client.abi import encode_call
from sdk.keeper.alerts import Alarms, Alert
from sdk.keeper.conditions import Filters
from sdk.keeper.watching import Watch, judge_for
from sdk.types import OperatorId
from tests.client.commands import Desk, make_desk
from tests.client.keeping import Heard, following, until
from tests.client.proxy import Answer, Proxy
from tests.client.world import ETHER, FEE_WEI, IDS, OPERATOR, OWNER, World

pytestmark = pytest.mark.toolchain

SHORT_WEI = 940_000_000_000_000 + 500 * (4 * FEE_WEI + 3_550_900_000)
"""The minimum collateral, and the fees of 500 blocks of one validator."""
PATIENCE_S = 60.0
PHALANX = (sys.executable, "-m", "sdk.cli.main")


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    return make_desk(world, tmp_path)


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_looking_once_tells_by_the_exit_code(world: World, desk: Desk) -> None:
    client = world.register(1, deposit_wei=SHORT_WEI)
    owner = world.account(OWNER)
    words = ("watch", "--once", "--owner", owner, "--json", *desk.node())
    calm = desk.run(*words, "--runway-blocks", 100)
    assert (calm.code, calm.out) == (0, "")
    due = desk.run(*words, "--runway-blocks", 100, "--runway-days", 1)
    assert due.code == 10
    [alert] = lines(due.out)
    assert (alert["kind"], alert["news"], alert["owner"]) == ("runway", "began", owner)
    assert alert["runway_blocks"] == client.clusters.get(owner, IDS).runway_blocks
    assert alert["liquidation_block"] == client.clusters.get(owner, IDS).liquidation_block
    people = desk.run("watch", "--once", *desk.node())
    assert people.code == 10
    assert people.out.startswith(f"block {world.w3.eth.block_number} runway began: the cluster of")
    stranger = desk.run("watch", "--once", "--owner", world.account(7), *desk.node())
    assert (stranger.code, stranger.out) == (0, "")


def test_a_registration_with_a_wrong_nonce_is_told_as_refused(world: World, desk: Desk) -> None:
    [share] = world.shares(1, nonce=5)
    struct = (0, 0, 0, True, 0)
    data = encode_call(
        "bulkRegisterValidator", ((share.public_key,), IDS, (share.shares_data,), struct)
    )
    call = {"from": world.account(OWNER), "to": world.deployed.registry, "value": hex(ETHER)}
    sent = world.rpc("eth_sendTransaction", {**call, "data": "0x" + data.hex()})
    assert world.w3.eth.wait_for_transaction_receipt(sent, timeout=30)["status"] == 1
    for filters in (("--owner", world.account(OWNER)), ("--operator", "3"), ()):
        ran = desk.run("watch", "--once", *filters, "--json", *desk.node())
        assert ran.code == 10
        [alert] = lines(ran.out)
        assert alert["kind"] == "registration_refused"
        assert alert["reason"] == "nonce_signature_invalid"


def test_a_life_is_told_in_order(world: World) -> None:
    heard, said = Heard(), list[Alert]()
    filters = Filters(operators=frozenset({OperatorId(1)}))
    watch = Watch(Alarms(filters, runway_blocks=[300]), said.extend)
    operator = world.client(OPERATOR).operators

    async def told(kind: str, news: str) -> None:
        await until(lambda: any((e.kind, e.news) == (kind, news) for e in said), heard)

    async def run() -> None:
        async with following(world, watch.act, heard, judge=judge_for(filters)):
            await until(lambda: bool(heard.facts("logs")), heard)
            client = world.register(1, deposit_wei=SHORT_WEI)
            operator.declare_fee(1, fee_wei=FEE_WEI * 11 // 10).transact()
            await told("fee_declared", "began")
            operator.cancel_fee(1).transact()
            await told("fee_declared", "ended")
            operator.reduce_fee(1, fee_wei=FEE_WEI - 10**8).transact()
            await told("fee_changed", "began")
            world.mine(250)
            await told("runway", "began")
            saved = world.rpc("evm_snapshot")
            operator.remove(2).transact()
            await told("operator_removed", "began")
            world.rpc("evm_revert", saved)
            world.mine(2)
            await told("operator_removed", "ended")
            client.clusters.deposit(IDS, amount_wei=ETHER).transact()
            await told("runway", "ended")
            client.clusters.liquidate(world.account(OWNER), IDS).transact()
            await told("liquidated", "began")

    trio.run(run)
    assert [(each.kind.value, each.news.value) for each in said] == [
        ("fee_declared", "began"),
        ("fee_declared", "ended"),
        ("fee_changed", "began"),
        ("runway", "began"),
        ("operator_removed", "began"),
        ("operator_removed", "ended"),
        ("runway", "ended"),
        ("liquidated", "began"),
    ]
    declared = said[0].facts
    begin, end = declared["begin_s"], declared["end_s"]
    assert isinstance(begin, int)
    assert isinstance(end, int)
    assert end - begin == 604_800


def test_alerts_go_to_a_webhook_with_a_signature(world: World, desk: Desk) -> None:
    world.register(1, deposit_wei=SHORT_WEI)
    secret = desk.folder / "secret"
    secret.write_text("throwaway\n")
    words = ("watch", "--once", "--json", *desk.node(), "--webhook-secret-file", secret)
    with Proxy(None) as receiver:
        receiver.rule = lambda request: Answer()
        ran = desk.run(*words, "--webhook", receiver.url)
        assert ran.code == 10
        [body] = receiver.seen
        raw = json.dumps(body).encode()
        expected = hmac.new(b"throwaway", raw, "sha256").hexdigest()
        headers = {name.lower(): value for name, value in receiver.headers[0].items()}
        assert headers["x-phalanx-signature"] == f"sha256={expected}"
        assert body["registry"] == world.deployed.registry
        assert body["alerts"] == lines(ran.out)
        receiver.rule = lambda request: Answer(status=403)
        refused = desk.run(*words, "--webhook", receiver.url)
        assert (refused.code, refused.error()["code"]) == (5, "webhook_failed")
    alone = desk.run(*words)
    assert (alone.code, alone.error()["code"]) == (2, "webhook_missing")


@pytest.mark.parametrize(
    "words",
    [("liquidator", "run"), ("watch",), ("prover", "run", "--beacon", "http://127.0.0.1:9")],
)
def test_a_keeper_runs_until_it_is_told_to_stop(
    world: World, desk: Desk, words: tuple[str, ...]
) -> None:
    running = subprocess.Popen(
        [*PHALANX, *words, *desk.node(), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    said = []
    for line in running.stderr:
        said.append(json.loads(line))
        if "logs" in said[-1]:
            break
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, err
    assert out == ""
    assert json.loads(err.splitlines()[-1])["text"] == "stopped"
    if "run" in words:
        assert said[0]["sends"] is False


def test_nobody_sends_without_a_signer_or_proves_without_a_beacon_node(desk: Desk) -> None:
    ran = desk.run("liquidator", "run", "--send", *desk.node(), "--json")
    assert (ran.code, ran.error()["code"]) == (2, "signer_missing")
    ran = desk.run("prover", "run", *desk.node(), "--json")
    assert (ran.code, ran.error()["code"]) == (2, "beacon_missing")


def test_the_command_liquidates_with_the_account_of_a_key_file(world: World, desk: Desk) -> None:
    world.register(1, deposit_wei=SHORT_WEI)
    before = world.w3.eth.get_balance(desk.address)  # type: ignore[arg-type]
    running = subprocess.Popen(
        [
            *(*PHALANX, "liquidator", "run", "--send", *desk.node()),
            *("--key-file", str(desk.key_file)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    world.mine(600)
    deadline = time.monotonic() + PATIENCE_S
    for line in running.stderr:
        assert time.monotonic() < deadline
        if "the reward is ours" in line:
            break
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    assert not world.client(None).clusters.get(world.account(OWNER), IDS).snapshot.active
    assert world.w3.eth.get_balance(desk.address) > before  # type: ignore[arg-type]
