"""Every call that the API drafts is what the contract takes, and a node says so beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from indexer.api.app import Manners, Parts, make_app
from indexer.api.node import Node
from indexer.queries.connections import open_database
from sdk.shares import KeysharesFile, write_keyshares
from sdk.testing import keys
from tests.client.world import ETHER, FEE_WEI, OPERATOR, OWNER, STRANGER, World
from tests.indexer.api.world import Api, Clock
from tests.indexer.chain import Chain
from tests.indexer.indexing import index

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


@pytest.fixture
def api(world: World, url: str) -> Iterator[Api]:
    """An API that asks the chain's node, too."""
    node = Node(world.url)
    engine = open_database(url, connections=4)
    clock = Clock()
    manners = Manners(burst=1_000_000, per_second=1e6)
    app = make_app(Parts(engine, clock, manners, node))
    yield Api(app, url, Chain(), clock)
    node.close()
    engine.dispose()


def draft(api: Api, action: str, /, **body: Any) -> dict[str, Any]:
    """A draft that a node found good."""
    made: dict[str, Any] = api.post(f"/v1/tx/{action}", body)["data"]
    assert made["not_checked"] is None, made
    assert made["would_revert"] is None, made
    assert made["gas"] > 21_000
    return made


def send(world: World, made: dict[str, Any], sender: int) -> None:
    """Sign it as it is, with the gas that was estimated; it must succeed."""
    account = world.account(sender)
    assert made["sender"] in (None, account)
    sent = world.w3.eth.send_transaction(
        {
            "from": account,
            "to": made["to"],
            "data": made["data"],
            "value": world.w3.to_wei(int(made["value_wei"]), "wei"),
            "gas": made["gas"],
        }
    )
    assert world.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1, made["function"]


def file_of(world: World, *numbers: int, nonce: int) -> Any:
    shares = tuple(world.shares(*numbers, nonce=nonce))
    return json.loads(write_keyshares(KeysharesFile(shares, created_at="2026-01-01T00:00:00Z")))


def test_what_is_drafted_is_what_the_contract_takes(world: World, url: str, api: Api) -> None:
    owner, stranger = world.account(OWNER), world.account(STRANGER)
    cluster = f"{owner}-1-2-3-4"
    index(world, url)
    key = keys.operators((5,))[0].public_key.text
    sent: list[str] = []

    def go(by: int, action: str, /, **body: Any) -> dict[str, Any]:
        made = draft(api, action, **body)
        send(world, made, by)
        sent.append(made["function"])
        return made

    go(STRANGER, "register_operator", public_key=key, fee_wei=str(FEE_WEI), sender=stranger)
    two = file_of(world, 1, 2, nonce=0)
    made = go(OWNER, "register", owner=owner, keyshares=two, amount_wei=str(ETHER))
    assert made["nonces"] == [0, 1]
    go(OWNER, "set_fee_recipient", owner=owner, recipient=stranger)
    go(OPERATOR, "declare_fee", operator_id=2, fee_wei=str(FEE_WEI + 100_000_000))
    go(OPERATOR, "declare_fee", operator_id=3, fee_wei=str(FEE_WEI + 100_000_000))
    go(OPERATOR, "reduce_fee", operator_id=4, fee_wei="1000000000")
    go(OPERATOR, "admit", operator_ids=[1, 2], addresses=[stranger, owner])
    go(OPERATOR, "set_privacy", operator_ids=[1, 2], is_private=True)
    world.mine(20)
    index(world, url)
    one = file_of(world, 3, nonce=2)
    made = go(OWNER, "register", owner=owner, keyshares=one, runway_days=2)
    assert made["nonces"] == [2]
    go(OPERATOR, "cancel_fee", operator_id=2)
    go(OPERATOR, "dismiss", operator_ids=[1], addresses=[stranger])
    go(OPERATOR, "withdraw_earnings", operator_id=1)
    go(OPERATOR, "withdraw_earnings", operator_id=2, amount_wei="100000")
    go(OPERATOR, "set_privacy", operator_ids=[1, 2], is_private=False)
    go(OPERATOR, "set_whitelisting_contract", operator_ids=[1])
    index(world, url)
    go(STRANGER, "deposit", cluster=cluster, amount_wei=str(ETHER), sender=stranger)
    public_keys = ["0x" + keys.key_share(each).public_key.hex() for each in (1, 2, 3)]
    go(OWNER, "exit", cluster=cluster, public_keys=public_keys[:1])
    go(OWNER, "exit", cluster=cluster, public_keys=public_keys[1:])
    index(world, url)
    go(OWNER, "remove", cluster=cluster, public_keys=public_keys[:1])
    parameters = api.get("/v1/network")["data"]["parameters"]
    world.rpc("evm_increaseTime", int(parameters["declare_period_s"]["value"]) + 1)
    world.mine(1)
    go(OPERATOR, "execute_fee", operator_id=3)
    index(world, url)
    go(OWNER, "remove", cluster=cluster, public_keys=public_keys[1:])
    go(OPERATOR, "remove_operator", operator_id=4)
    index(world, url)
    go(OWNER, "withdraw", cluster=cluster, amount_wei="1")
    assert {
        *("registerOperator", "bulkRegisterValidator", "registerValidator", "exitValidator"),
        *("bulkExitValidator", "removeValidator", "bulkRemoveValidator", "declareOperatorFee"),
        *("executeOperatorFee", "cancelDeclaredOperatorFee", "reduceOperatorFee", "deposit"),
        *("withdrawAllOperatorEarnings", "withdrawOperatorEarnings", "setOperatorsWhitelists"),
        *("removeOperatorsWhitelists", "setOperatorsPrivateUnchecked", "removeOperator"),
        *("setOperatorsPublicUnchecked", "removeOperatorsWhitelistingContract", "withdraw"),
        "setFeeRecipientAddress",
    } == set(sent)


def test_a_node_confirms_what_holds_and_tells_what_does_not(
    world: World, url: str, api: Api
) -> None:
    owner = world.account(OWNER)
    client = world.register(1, 2)
    index(world, url)
    cluster = f"/v1/clusters/{owner}-1-2-3-4"
    found = api.get(f"{cluster}/snapshot", confirm="true")["data"]
    assert found["verified_by_call"] is True
    assert found["verified_at_block"] == world.w3.eth.block_number
    assert api.get(f"{cluster}/snapshot")["data"]["verified_by_call"] is False

    nonce = f"/v1/accounts/{owner}/nonce"
    world.rpc("evm_setAutomine", False)
    try:
        shares = world.shares(3, nonce=2)
        client.validators.register(shares, deposit_wei=ETHER).send()
        waiting = api.get(nonce, pending="true")["data"]
        assert (waiting["next"], waiting["pending_next"], waiting["not_checked"]) == (2, 3, None)
        assert api.get(nonce)["data"]["pending_next"] is None
        world.mine(1)
    finally:
        world.rpc("evm_setAutomine", True)

    # The tables are a block behind now, and the struct in them is void.
    stale = api.ask(f"{cluster}/snapshot", params={"confirm": "true"})
    assert (stale.status_code, stale.json()["code"]) == (409, "snapshot_stale")
    body = {"cluster": f"{owner}-1-2-3-4", "amount_wei": "1"}
    made = api.post("/v1/tx/withdraw", body)["data"]
    assert made["gas"] is None
    assert made["would_revert"]["code"] == "incorrect_cluster_state"
    assert made["not_checked"] is None
    nobody = api.post("/v1/tx/deposit", body)["data"]
    assert nobody["gas"] is None
    assert "sender" in nobody["not_checked"]
