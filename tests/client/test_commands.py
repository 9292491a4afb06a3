"""The commands about the registry: what they do, and what a user reads who does something wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdk.testing import keys
from tests.client.beacon_stub import SLOTS_PER_EPOCH, BeaconStub
from tests.client.commands import Desk, make_desk, public_keys
from tests.client.proxy import Answer, Proxy
from tests.client.world import ETHER, FEE_WEI, OPERATOR, STRANGER, World

pytestmark = pytest.mark.toolchain

CLUSTER = ("--operators", "1,2,3,4")


@pytest.fixture
def desk(world: World, tmp_path: Path, proxy: Proxy) -> Desk:
    return make_desk(world, tmp_path, url=proxy.url)


@pytest.fixture
def registered(desk: Desk) -> Desk:
    """A desk with one validator."""
    desk.write("validators", "register", desk.shares(1), "--deposit", 1).ok()
    return desk


def test_operator_from_registration_to_removal(desk: Desk) -> None:
    key = desk.folder / "operator.json"
    key.write_text(json.dumps({"public_key": keys.operator_key(5).public_key.text}))
    register = ("operators", "register", "--public-key-file", key, "--fee-wei", FEE_WEI)
    assert desk.write(*register, "--private").ok().json()["operator_id"] == 5
    shown = desk.read("operators", "show", 5).ok().json()
    assert (shown["owner"], shown["is_private"]) == (desk.address, True)
    assert shown["public_key"] == keys.operator_key(5).public_key.text
    other = desk.world.account(STRANGER)
    desk.write("operators", "whitelist", 5, "--add", other).ok()
    assert desk.world.client(None).operators.admits([5], other) == (5,)
    desk.write("operators", "whitelist", 5, "--remove", other).ok()
    assert desk.world.client(None).operators.admits([5], other) == ()
    desk.write("operators", "public", 5).ok()
    desk.write("operators", "private", 5).ok()
    desk.write("operators", "set-fee", "declare", 5, "--fee-wei", FEE_WEI + 100_000_000).ok()
    assert desk.read("operators", "show", 5).ok().json()["declared_fee"]["fee_wei"] > FEE_WEI
    desk.write("operators", "set-fee", "cancel", 5).ok()
    desk.write("operators", "set-fee", "reduce", 5, "--fee-wei", 1_000_000_000).ok()
    desk.write("operators", "remove", 5).ok()
    listed = desk.read("operators", "list").ok().json()["operators"]
    assert [each["is_active"] for each in listed] == [True] * 4 + [False]


def test_operators_of_the_registry_are_listed_into_a_file_to_split_with(desk: Desk) -> None:
    file = desk.folder / "operators.json"
    ran = desk.read("operators", "list", "1,2,3,4", "--operators-file", file).ok().json()
    assert ran["written"] == [1, 2, 3, 4]
    again = desk.read("operators", "list", "--operators-file", file)
    assert (again.code, again.error()["code"]) == (2, "file_exists")
    password = desk.folder / "password.txt"
    password.write_text("a long password")
    secret = ("--password-file", password, "--json")
    desk.run("validator-keys", "new", "--out", desk.folder / "validator", *secret).ok()
    owner = ("--owner", desk.address, "--nonce", 0, "--operators", file)
    split = ("keys", "split", desk.folder / "validator", *owner, *secret)
    desk.run(*split, "--out", desk.folder / "keyshares.json").ok()
    desk.write("validators", "register", desk.folder / "keyshares.json", "--deposit", 1).ok()


def test_removed_operator_is_not_written_for_a_split(desk: Desk) -> None:
    desk.world.client(OPERATOR).operators.remove(4).transact()
    file = desk.folder / "operators.json"
    named = desk.read("operators", "list", "3,4", "--operators-file", file)
    assert (named.code, named.error()["code"]) == (4, "operator_removed")
    ran = desk.read("operators", "list", "--operators-file", file).ok().json()
    assert ran["written"] == [1, 2, 3]


def test_operators_of_an_address_without_a_registry_are_an_error(desk: Desk) -> None:
    nowhere = ("--rpc", desk.url, "--registry", desk.address, "--json")
    ran = desk.run("operators", "list", *nowhere)
    assert (ran.code, ran.error()["code"]) == (4, "no_registry")


def test_operator_is_registered_by_its_keystore(desk: Desk) -> None:
    key, password = desk.folder / "operator-1.json", desk.folder / "password.txt"
    password.write_text("a long password")
    made = desk.run(
        *("operator-keys", "generate", "--out", key, "--password-file", password, "--json")
    )
    register = ("operators", "register", "--public-key-file", key, "--fee-wei", FEE_WEI)
    assert desk.write(*register).ok().json()["operator_id"] == 5
    shown = desk.read("operators", "show", 5).ok().json()
    assert shown["public_key"] == made.ok().json()["public_key"]


def test_declared_fee_is_executed_after_its_wait(desk: Desk) -> None:
    key = keys.operator_key(5).public_key.text
    register = ("operators", "register", "--public-key", key, "--fee-wei", FEE_WEI)
    desk.write(*register).ok()
    desk.write("operators", "set-fee", "declare", 5, "--fee-wei", FEE_WEI + 100_000_000).ok()
    early = desk.write("operators", "set-fee", "execute", 5)
    assert (early.code, early.error()["code"]) == (4, "approval_not_within_timeframe")
    desk.world.rpc("evm_increaseTime", hex(604_800))
    desk.world.mine(1)
    desk.write("operators", "set-fee", "execute", 5).ok()
    assert desk.read("operators", "show", 5).ok().json()["fee_wei"] == str(FEE_WEI + 100_000_000)


def test_cluster_from_deposit_to_reactivation(registered: Desk) -> None:
    desk = registered
    desk.write("cluster", "deposit", *CLUSTER, "--amount", 1).ok()
    shown = desk.read("cluster", "show", *CLUSTER).ok().json()
    assert shown["validators"] == 1
    assert int(shown["balance_wei"]) > 2 * ETHER - 10**12
    assert desk.write("cluster", "deposit", *CLUSTER, "--runway-days", 1).code == 4
    desk.write("cluster", "withdraw", *CLUSTER, "--amount", "0.5").ok()
    desk.write("cluster", "withdraw", *CLUSTER, "--all").ok()
    runway = desk.read("cluster", "runway", *CLUSTER).ok().json()
    assert 0 < runway["runway_blocks"] <= 310
    assert runway["liquidation_block"] == runway["block"] + runway["runway_blocks"] + 1
    desk.write("cluster", "liquidate", *CLUSTER).ok()
    stopped = desk.read("cluster", "runway", *CLUSTER).ok().json()
    assert (stopped["active"], stopped["runway_blocks"]) == (False, None)
    refused = desk.write("validators", "register", desk.shares(2, nonce=1), "--deposit", 1)
    assert (refused.code, refused.error()["code"]) == (4, "cluster_liquidated")
    desk.write("cluster", "reactivate", *CLUSTER, "--runway-days", 30).ok()
    assert desk.read("cluster", "runway", *CLUSTER).ok().json()["runway_days_at_least"] >= 29


def test_runway_is_told_in_blocks_and_days_with_its_block(registered: Desk) -> None:
    words = ("cluster", "runway", *CLUSTER, *registered.node(), "--from", registered.address)
    text = registered.run(*words).ok().out
    assert "runway: " in text
    assert "at least" in text
    assert "counted from block" in text
    assert "may liquidate it from block" in text


def test_validators_are_listed_asked_to_exit_and_removed(registered: Desk) -> None:
    desk = registered
    desk.write("validators", "register", desk.shares(2, 3, nonce=1)).ok()
    listed = desk.read("validators", "list").ok().json()["validators"]
    assert [each["public_key"] for each in listed] == public_keys(1, 2, 3)
    desk.write("validators", "exit", *public_keys(1, 2), *CLUSTER).ok()
    desk.write("validators", "remove", "--keyshares", desk.shares(2, 3, nonce=1), *CLUSTER).ok()
    listed = desk.read("validators", "list").ok().json()["validators"]
    assert [each["public_key"] for each in listed] == public_keys(1)
    gone = desk.write("validators", "remove", *public_keys(2), *CLUSTER)
    assert (gone.code, gone.error()["code"]) == (4, "validator_unknown")


def test_list_tells_in_which_epochs_a_beacon_node_has_seen_validators_sign(
    registered: Desk,
) -> None:
    desk = registered
    desk.write("validators", "register", desk.shares(2, nonce=1)).ok()
    first, second = public_keys(1, 2)
    with BeaconStub(head_slot=7 * SLOTS_PER_EPOCH, is_live=lambda epoch, _: epoch == 6) as stub:
        stub.add(first, 41)
        listed = desk.read("validators", "list", "--beacon", stub.url).ok().json()["validators"]
        assert [(each["public_key"], each["beacon"]) for each in listed] == [
            (first, {"index": 41, "status": "active_ongoing", "signed": {"6": True, "7": False}}),
            (second, None),
        ]
        words = ("validators", "list", *desk.node(), "--from", desk.address, "--beacon", stub.url)
        told = desk.run(*words).ok().out.splitlines()
        assert told == [
            f"{first}  operators 1,2,3,4  active_ongoing, signed in epoch 6, "
            "not seen to sign in epoch 7",
            f"{second}  operators 1,2,3,4  not on the beacon chain",
        ]
        stub.liveness_status = 404
        assert "does not tell whether it signs" in desk.run(*words).ok().out


def test_owner_and_network(registered: Desk) -> None:
    desk = registered
    assert desk.read("owner", "nonce").ok().json() == {"nonce": 1, "pending": 1}
    recipient = desk.world.account(STRANGER)
    desk.write("owner", "set-fee-recipient", recipient).ok()
    assert desk.world.client(None).owners.fee_recipient(desk.address) == recipient
    shown = desk.read("network", "show").ok().json()
    assert shown["liquidation_period_blocks"] == 50_190
    assert "minimum collateral: 0.00094 ETH" in desk.run("network", "show", *desk.node()).ok().out


def test_what_a_call_costs_stands_before_the_question(registered: Desk) -> None:
    desk = registered
    words = ("cluster", "deposit", *CLUSTER, "--amount", "0.1")
    ran = desk.run(*words, *desk.node(), "--key-file", desk.key_file)
    assert ran.code == 2
    assert "nobody can be asked" in ran.err
    for part in ("ether sent: 0.1 ETH", "cluster before:", "cluster after:", "gas:"):
        assert part in ran.err


def test_private_operator_unsorted_operators_and_stale_nonce_have_their_messages(
    desk: Desk,
) -> None:
    desk.world.client(OPERATOR).operators.set_private([2]).transact()
    private = desk.write("validators", "register", desk.shares(1), "--deposit", 1)
    assert (private.code, private.error()["code"]) == (4, "operator_private")
    assert "operator 2 is private and does not admit" in private.error()["message"]
    unsorted = desk.read("cluster", "show", "--operators", "2,1,3,4")
    assert (unsorted.code, unsorted.error()["code"]) == (3, "operator_ids_not_sorted")
    assert unsorted.error()["hint"].startswith("Write 1, 2, 3, 4")


def test_node_of_another_chain_is_refused_before_anything_else(
    registered: Desk, proxy: Proxy
) -> None:
    desk = registered
    deposit = ("cluster", "deposit", *CLUSTER, "--amount", 1)
    for words in (("network", "show"), ("cluster", "show", *CLUSTER), (*deposit, "--dry-run")):
        asked = len(proxy.seen)
        ran = desk.read(*words, "--network", "hoodi")
        assert (ran.code, ran.error()["code"]) == (2, "wrong_chain")
        assert "the node follows chain 31337, hoodi is chain 560048" in ran.error()["message"]
        assert [each["method"] for each in proxy.seen[asked:]] == ["eth_chainId"]


def test_wrong_words_are_usage_errors(registered: Desk) -> None:
    desk = registered
    deposit = ("cluster", "deposit", *CLUSTER)
    both = desk.write(*deposit, "--amount", 1, "--runway-days", 1)
    assert (both.code, both.error()["code"]) == (2, "funding")
    unsigned = desk.run(*deposit, "--amount", 1, *desk.node(), "--from", desk.address, "--json")
    assert (unsigned.code, unsigned.error()["code"]) == (2, "signer_missing")
    ids = desk.read("cluster", "show", "--operators", "1,x,3,4")
    assert ids.code == 2
    signers = desk.write(*deposit, "--amount", 1, "--keystore", desk.key_file)
    assert (signers.code, signers.error()["code"]) == (2, "signers")
    nowhere = desk.run("owner", "nonce", "--from", desk.address)
    assert nowhere.code == 2
    assert "--rpc" in nowhere.err


def test_empty_account_is_told_before_anything_is_signed(desk: Desk) -> None:
    desk.world.rpc("anvil_setBalance", desk.address, "0x0")
    ran = desk.write("validators", "register", desk.shares(1), "--deposit", 1)
    assert (ran.code, ran.error()["code"]) == (4, "insufficient_funds")


def test_node_that_limits_requests_or_is_gone(registered: Desk, proxy: Proxy) -> None:
    proxy.rule = lambda request: Answer(status=429, headers={"Retry-After": "0"})
    limited = registered.read("owner", "nonce")
    assert (limited.code, limited.error()["code"]) == (5, "rpc_rate_limited")
    words = ("owner", "nonce", "--from", registered.address, "--json")
    gone = registered.run(
        *words, "--rpc", "http://127.0.0.1:1/secret-key", "--registry", registered.address
    )
    assert (gone.code, gone.error()["code"]) == (5, "rpc_unreachable")
    assert "secret-key" not in gone.err


def test_exports_carry_the_call_and_send_nothing(registered: Desk, proxy: Proxy) -> None:
    desk = registered
    sent = proxy.count("eth_sendRawTransaction")
    out = desk.folder / "call.json"
    words = ("cluster", "deposit", *CLUSTER, "--amount", 1, "--json")
    unsigned = [*desk.node(), "--from", desk.address]
    desk.run(*words, *unsigned, "--export", out).ok()
    assert json.loads(out.read_text())["function"] == "deposit"
    again = desk.run(*words, *unsigned, "--export", out)
    assert (again.code, again.error()["code"]) == (2, "file_exists")
    safe = desk.folder / "safe.json"
    desk.run(*words, *unsigned, "--safe", safe).ok()
    assert json.loads(safe.read_text())["version"] == "1.0"
    assert proxy.count("eth_sendRawTransaction") == sent


def test_keystore_and_remote_signer_sign(registered: Desk) -> None:
    from eth_account import Account

    from tests.client.commands import SECRET
    from tests.client.signer_server import SignerServer

    desk = registered
    keystore = desk.folder / "keystore.json"
    keystore.write_text(json.dumps(Account.encrypt(SECRET, "throwaway", iterations=2)))
    password = desk.folder / "password"
    password.write_text("throwaway\n")
    words = ("cluster", "deposit", *CLUSTER, "--amount", 1, "--yes", "--json", *desk.node())
    desk.run(*words, "--keystore", keystore, "--password-file", password).ok()
    with SignerServer(SECRET) as server:
        desk.run(*words, "--remote-signer", server.url, "--from", desk.address).ok()
    password.write_text("wrong")
    wrong = desk.run(*words, "--keystore", keystore, "--password-file", password)
    assert (wrong.code, wrong.error()["code"]) == (3, "keystore_password")
