"""A node that limits, refuses, forgets or dies, as real providers do, in front of a real chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdk.client import Client, contract_errors
from sdk.errors import ChainError, ConfigError, NetworkError
from sdk.testing import keys
from sdk.types import keccak256
from tests.client.proxy import BROKEN, Answer, Proxy
from tests.client.world import ETHER, FEE_WEI, IDS, OWNER, QUICK, STRANGER, World

pytestmark = pytest.mark.toolchain


def through(world: World, proxy: Proxy, number: int = OWNER, **more: Any) -> Client:
    return world.client(number, url=proxy.url, **more)


def width(request: dict[str, Any]) -> int:
    wanted = request["params"][0]
    return int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1


def test_rate_limit_is_waited_out(world: World, proxy: Proxy) -> None:
    client = through(world, proxy)
    limited = iter(range(2))
    proxy.rule = lambda request: (
        Answer(429, headers={"Retry-After": "0"}) if next(limited, None) is not None else None
    )
    assert client.owners.nonce() == 0
    assert len(proxy.seen) == 3


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(429), "rpc_rate_limited"),
        (Answer(503), "rpc_unreachable"),
        (Answer(403), "rpc_forbidden"),
        (Answer(200, b"<html>"), "rpc_unreachable"),
        (Answer(200, b'"text"'), "rpc_unreachable"),
        (BROKEN, "rpc_unreachable"),
    ],
)
def test_node_that_stays_away_is_named_without_its_address(
    world: World, proxy: Proxy, answer: Answer, code: str
) -> None:
    client = through(world, proxy)
    proxy.rule = lambda request: answer
    with pytest.raises(NetworkError, match="eth_call") as caught:
        client.owners.nonce()
    assert caught.value.code == code
    assert "127.0.0.1" not in str(caught.value)
    assert len(proxy.seen) == (1 if code == "rpc_forbidden" else 3)


def test_dead_node_is_an_error_after_all_attempts(world: World) -> None:
    with Proxy(world.url) as proxy:
        client = through(world, proxy)
        assert client.owners.nonce() == 0
    with pytest.raises(NetworkError, match="connection failed"):
        client.owners.nonce()


@pytest.mark.parametrize("limit", [1, 7])
@pytest.mark.parametrize(
    "message", ["query returned more than 10000 results", "limited to a {} block range"]
)
def test_refused_ranges_hide_no_log(world: World, proxy: Proxy, limit: int, message: str) -> None:
    world.register(1, 2)
    world.mine(25)

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] == "eth_getLogs" and width(request) > limit:
            return Answer.error(request, -32005, message.format(limit))
        return None

    proxy.rule = rule
    client = through(world, proxy)
    direct = world.client(OWNER)
    assert client.owners.clusters() == direct.owners.clusters()
    found = client.clusters.get(world.account(OWNER), IDS)
    assert found.snapshot == direct.clusters.get(world.account(OWNER), IDS).snapshot
    assert [each.public_key for each in client.operators.list()] == [
        each.public_key for each in direct.operators.list()
    ]


def test_too_large_status_for_logs_is_a_refused_range(world: World, proxy: Proxy) -> None:
    world.register(1)
    world.mine(25)

    def rule(request: dict[str, Any]) -> Answer | None:
        is_wide = request["method"] == "eth_getLogs" and width(request) > 10
        return Answer(413) if is_wide else None

    proxy.rule = rule
    assert through(world, proxy).clusters.get(world.account(OWNER), IDS).exists


def test_nonce_is_counted_where_the_registry_does_not_tell_it(world: World, proxy: Proxy) -> None:
    world.register(1, 2)
    world.register(3)
    selector = "0x" + keccak256(b"getOwnerNonce(address)")[:4].hex()

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] == "eth_getLogs" and width(request) > 5:
            return Answer.error(request, -32602, "range too large")
        if request["method"] != "eth_call" or request["params"][0]["data"][:10] != selector:
            return None
        return Answer.error(request, 3, "execution reverted", "0x")

    proxy.rule = rule
    client = through(world, proxy)
    assert client.owners.nonce() == 3
    assert client.owners.nonce(block="pending") == 3
    assert client.owners.nonce(world.account(STRANGER)) == 0
    before = int(world.rpc("eth_blockNumber"), 16) - 1
    assert client.owners.nonce(block=before) == 2


def test_registry_without_accounts_has_the_same_runway(world: World, proxy: Proxy) -> None:
    world.register(1, 2)
    world.mine(30)
    direct = world.client(OWNER).clusters.get(world.account(OWNER), IDS)
    missing = {
        "0x" + keccak256(text)[:4].hex()
        for text in (b"getClusterHash(bytes32)", b"getNetworkAccounting()")
    }

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_call" or request["params"][0]["data"][:10] not in missing:
            return None
        return Answer.error(request, 3, "execution reverted")

    proxy.rule = rule
    found = through(world, proxy).clusters.get(world.account(OWNER), IDS)
    assert found.parties != direct.parties
    assert (found.balance_wei, found.burn_rate_wei, found.effective_balance_eth) == (
        direct.balance_wei,
        direct.burn_rate_wei,
        direct.effective_balance_eth,
    )
    assert found.liquidation_block == direct.liquidation_block
    assert found.snapshot == direct.snapshot


def test_node_without_the_logs_is_contradicted_by_the_registry(world: World, proxy: Proxy) -> None:
    world.register(1)
    proxy.rule = lambda request: (
        Answer.result(request, []) if request["method"] == "eth_getLogs" else None
    )
    client = through(world, proxy)
    with pytest.raises(NetworkError, match="does not confirm") as caught:
        client.clusters.get(world.account(OWNER), IDS)
    assert caught.value.code == "logs_incomplete"
    assert proxy.count("eth_getLogs") == 2


def test_lost_race_is_run_again(world: World, proxy: Proxy) -> None:
    client = world.register(1)
    stale = world.rpc("eth_getLogs", {"fromBlock": "0x0", "address": world.deployed.registry})
    client.clusters.deposit(IDS, amount_wei=ETHER).transact()
    first = iter([stale[-1:]])

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_getLogs":
            return None
        logs = next(first, None)
        return None if logs is None else Answer.result(request, logs)

    proxy.rule = rule
    found = through(world, proxy).clusters.get(world.account(OWNER), IDS)
    assert found.snapshot.balance_wei == 2 * ETHER
    assert proxy.count("eth_getLogs") == 2


def test_snapshot_that_goes_stale_is_refused_before_sending(world: World, proxy: Proxy) -> None:
    client = world.register(1)
    prepared = through(world, proxy).clusters.withdraw(IDS, amount_wei=ETHER // 2)
    old = client.clusters.get(world.account(OWNER), IDS).snapshot
    client.clusters.deposit(IDS, amount_wei=ETHER).transact()
    for verb in (prepared.check, prepared.transact):
        with pytest.raises(ChainError, match="has changed since its snapshot") as caught:
            verb()
        assert caught.value.code == "stale_snapshot"
    with pytest.raises(ChainError) as caught:
        client.clusters.get(world.account(OWNER), IDS, snapshot=old)
    assert caught.value.code == "stale_snapshot"
    assert proxy.count("eth_sendTransaction") == 0


def test_nonce_used_up_meanwhile_is_refused_before_sending(world: World) -> None:
    client = world.client(OWNER)
    prepared = client.validators.register(world.shares(1), deposit_wei=ETHER)
    world.register(2)
    with pytest.raises(ChainError) as caught:
        prepared.transact()
    assert caught.value.code == "stale_snapshot"
    with pytest.raises(ChainError, match="made for nonce 0, the next nonce") as low:
        client.validators.register(world.shares(1), deposit_wei=ETHER)
    assert low.value.code == "nonce_too_low"


def test_answer_lost_after_sending_is_no_failure(world: World, proxy: Proxy) -> None:
    signer = world.funded_signer()
    client = world.client(signer, url=proxy.url)
    lost = iter([True])

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] == "eth_sendRawTransaction" and next(lost, False):
            world.rpc("eth_sendRawTransaction", *request["params"])
            return BROKEN
        return None

    proxy.rule = rule
    receipt = client.owners.set_fee_recipient(world.account(STRANGER)).transact()
    assert proxy.count("eth_sendRawTransaction") == 2
    assert receipt.events
    assert int(world.rpc("eth_getTransactionCount", signer.address, "latest"), 16) == 1


def test_transaction_that_the_node_refuses_is_told(world: World) -> None:
    signer = world.funded_signer(2)
    prepared = world.client(signer).owners.set_fee_recipient(world.account(STRANGER))
    signed = prepared.sign()
    world.rpc("anvil_setBalance", signer.address, "0x0")
    with pytest.raises(ChainError) as caught:
        prepared.send(signed)
    assert caught.value.code == "transaction_refused"


def test_receipt_that_never_comes_is_given_up_with_the_hash(world: World, proxy: Proxy) -> None:
    proxy.rule = lambda request: (
        Answer.result(request, None) if request["method"] == "eth_getTransactionReceipt" else None
    )
    client = through(world, proxy, patience=replace(QUICK, receipt_timeout_s=0.05))
    with pytest.raises(NetworkError, match="was not mined within") as caught:
        client.owners.set_fee_recipient(world.account(STRANGER)).transact()
    assert caught.value.code == "receipt_timeout"
    assert str(caught.value.data["transaction_hash"]).startswith("0x")


def test_mined_revert_gets_its_reason(world: World) -> None:
    """A call that was right when signed, mined after another that made it wrong."""
    client = world.client(world.funded_signer(3))
    text = keys.operator_key(5).public_key.text
    prepared = client.operators.register(text, fee_wei=FEE_WEI)
    first = prepared.sign(nonce=0)
    second = prepared.sign(nonce=1)
    assert prepared.wait(prepared.send(first)).events
    with pytest.raises(contract_errors.OperatorAlreadyExists) as caught:
        prepared.wait(prepared.send(second))
    assert caught.value.data["transaction_hash"] == second.hash.to_0x_hex()


def test_other_network_and_other_contract_are_noticed(world: World) -> None:
    hoodi = world.client(OWNER, network="hoodi")
    with pytest.raises(ConfigError) as caught:
        hoodi.owners.set_fee_recipient(world.account(STRANGER)).transact()
    assert caught.value.code == "wrong_chain"
    empty = world.client(OWNER, registry=world.account(9))
    with pytest.raises(ChainError) as nothing:
        empty.owners.nonce()
    assert nothing.value.code == "no_registry"
