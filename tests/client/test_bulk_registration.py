"""`phalanx validators register` over several transactions, killed and disturbed on the way."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sdk.client import LocalSigner
from sdk.events.types import ValidatorAdded
from sdk.shares import load_keyshares
from sdk.testing import keys
from sdk.types import parse_address
from tests.client.commands import Desk, Ran, make_desk
from tests.client.proxy import BROKEN, Answer, Proxy
from tests.client.world import ETHER, IDS, MORE_IDS, STRANGER, World

pytestmark = pytest.mark.toolchain

NUMBERS = (1, 2, 3, 4, 5)
SIZE = 2
"""Validators per transaction, so that five take three transactions."""


@pytest.fixture
def desk(world: World, tmp_path: Path, proxy: Proxy) -> Desk:
    return make_desk(world, tmp_path, url=proxy.url)


def words(file: Path) -> tuple[object, ...]:
    return (
        *("validators", "register", file, "--deposit", 3),
        *("--most-per-transaction", SIZE),
    )


def require_registered_once(desk: Desk) -> None:
    """Each validator has exactly one log, in the order of the nonces."""
    logs = desk.world.rpc(
        "eth_getLogs",
        {
            "address": desk.world.deployed.registry,
            "fromBlock": "0x0",
            "topics": ["0x" + _topic().hex(), "0x" + desk.address[2:].lower().rjust(64, "0")],
        },
    )
    expected = [bytes(keys.key_share(number).public_key).hex() for number in NUMBERS]
    found = [key for log in logs for key in expected if key in log["data"]]
    assert found == expected
    client = desk.world.client(None)
    assert client.owners.nonce(desk.address) == len(NUMBERS)
    assert client.clusters.get(desk.address, IDS).snapshot.validator_count == len(NUMBERS)


def _topic() -> bytes:
    from sdk.events import EVENT_ABIS

    return next(abi.topic for abi in EVENT_ABIS if abi.event_class is ValidatorAdded)


def test_several_transactions_with_the_deposit_spread(desk: Desk) -> None:
    ran = desk.write(*words(desk.shares(*NUMBERS))).ok().json()
    assert [each["validators"] for each in ran["transactions"]] == [2, 2, 1]
    assert sum(int(each["deposit_wei"]) for each in ran["transactions"]) == 3 * ETHER
    assert ran["registered"] == 5
    require_registered_once(desk)


@pytest.mark.parametrize("before", [True, False], ids=["before_arrival", "after_arrival"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_at_any_transaction_it_goes_on(
    desk: Desk, proxy: Proxy, nth: int, before: bool
) -> None:
    """The process dies when its n-th transaction reaches the node, or right after that."""
    file = desk.shares(*NUMBERS)
    process: subprocess.Popen[str]

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_sendRawTransaction" or proxy.count(request["method"]) != nth:
            return None
        if not before:
            desk.world.rpc("eth_sendRawTransaction", *request["params"])
        process.send_signal(signal.SIGKILL)
        process.wait()
        return BROKEN

    proxy.rule = rule
    process = desk.start(*words(file))
    assert desk.finish(process).code == -signal.SIGKILL
    proxy.rule = lambda request: None
    desk.write(*words(file)).ok()
    require_registered_once(desk)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_while_it_waits_for_a_receipt(desk: Desk, proxy: Proxy, nth: int) -> None:
    file = desk.shares(*NUMBERS)
    process: subprocess.Popen[str]

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_getTransactionReceipt" or proxy.count(request["method"]) < nth:
            return None
        process.send_signal(signal.SIGKILL)
        process.wait()
        return BROKEN

    proxy.rule = rule
    process = desk.start(*words(file))
    assert desk.finish(process).code == -signal.SIGKILL
    proxy.rule = lambda request: None
    desk.write(*words(file)).ok()
    require_registered_once(desk)


def test_registration_that_follows_in_its_block_is_told_apart(desk: Desk, proxy: Proxy) -> None:
    """The owner's next nonce is then higher than this registration left it."""
    from eth_account import Account

    from tests.client.commands import SECRET

    file = desk.shares(1, 2)
    desk.world.register_more_operators()
    other = desk.world.client(LocalSigner(Account.from_key(SECRET))).validators.register(
        [keys.key_share(3, ids=MORE_IDS, owner=parse_address(desk.address))],
        deposit_wei=ETHER,
    )
    after = other.sign(nonce=1, gas=3_000_000)
    process: subprocess.Popen[str]

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_sendRawTransaction":
            return None
        desk.world.rpc("evm_setAutomine", False)
        desk.world.rpc("eth_sendRawTransaction", *request["params"])
        other.send(after)
        desk.world.mine(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return BROKEN

    proxy.rule = rule
    process = desk.start(*words(file))
    try:
        assert desk.finish(process).code == -signal.SIGKILL
    finally:
        desk.world.rpc("evm_setAutomine", True)
    proxy.rule = lambda request: None
    ran = desk.write(*words(file)).ok()
    assert ran.json()["registered"] == 2
    assert "cannot tell" not in ran.err
    assert desk.world.client(None).owners.nonce(desk.address) == 3


def test_without_its_journal_it_goes_on_as_well(desk: Desk) -> None:
    first = desk.shares(*NUMBERS[:2])
    desk.write(*words(first)).ok()
    whole = desk.shares(*NUMBERS)
    desk.write(*words(whole)).ok()
    require_registered_once(desk)


def test_finished_registration_sends_nothing_more(desk: Desk, proxy: Proxy) -> None:
    file = desk.shares(*NUMBERS)
    desk.write(*words(file)).ok()
    sent = proxy.count("eth_sendRawTransaction")
    again = desk.write(*words(file)).ok().json()
    assert again["registered"] == 5
    assert proxy.count("eth_sendRawTransaction") == sent
    require_registered_once(desk)


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["for_real", "dry_run"])
def test_validators_removed_since_are_not_called_registered(
    desk: Desk, proxy: Proxy, dry: tuple[str, ...]
) -> None:
    file = desk.shares(1, 2, 3)
    desk.write(*words(file)).ok()
    ids = ",".join(map(str, IDS))
    key = "0x" + bytes(keys.key_share(2).public_key).hex()
    desk.write("validators", "remove", key, "--operators", ids).ok()
    sent = proxy.count("eth_sendRawTransaction")
    ran = desk.write(*words(file), *dry)
    assert (ran.code, ran.error()["code"]) == (4, "removed_since")
    assert ran.error()["data"]["removed"] == [key]
    assert "next nonce, 3" in ran.error()["hint"]
    assert proxy.count("eth_sendRawTransaction") == sent


def test_node_that_dies_midway_leaves_a_partial_result(desk: Desk, proxy: Proxy) -> None:
    file = desk.shares(*NUMBERS)
    proxy.rule = lambda request: (
        Answer(status=500) if proxy.count("eth_sendRawTransaction") >= 2 else None
    )
    ran = desk.write(*words(file))
    assert (ran.code, ran.error()["code"]) == (6, "registered_in_part")
    assert ran.error()["data"]["cause"] == "rpc_unreachable"
    assert "2 of 5 validators are registered" in ran.error()["message"]
    proxy.rule = lambda request: None
    desk.write(*words(file)).ok()
    require_registered_once(desk)


def test_lost_transaction_is_sent_again_under_its_old_nonce(desk: Desk, proxy: Proxy) -> None:
    """The node says it took the transaction and never heard of it later."""
    file = desk.shares(*NUMBERS)
    lost: list[str] = []

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] == "eth_sendRawTransaction" and not lost:
            lost.append(request["params"][0])
            return Answer(status=403)
        return None

    proxy.rule = rule
    ran = desk.write(*words(file))
    assert (ran.code, ran.error()["code"]) == (5, "rpc_forbidden")
    journal = json.loads((file.with_name(file.name + ".registration")).read_text())
    assert journal["chunks"][0]["sent"]["account_nonce"] == 0
    desk.write(*words(file)).ok()
    require_registered_once(desk)
    # The lost one turns up after all: its account nonce is used.
    with pytest.raises(AssertionError, match="nonce"):
        desk.world.rpc("eth_sendRawTransaction", lost[0])


def test_replaced_transaction_is_made_anew(desk: Desk, proxy: Proxy) -> None:
    from eth_account import Account

    from tests.client.commands import SECRET

    file = desk.shares(*NUMBERS)
    proxy.rule = lambda request: (
        Answer(status=403) if request["method"] == "eth_sendRawTransaction" else None
    )
    assert desk.write(*words(file)).code == 5
    proxy.rule = lambda request: None
    owner = desk.world.client(LocalSigner(Account.from_key(SECRET)))
    owner.owners.set_fee_recipient(desk.address).transact()
    desk.write(*words(file)).ok()
    require_registered_once(desk)


def test_deposit_of_a_stranger_between_two_transactions(desk: Desk, proxy: Proxy) -> None:
    """It changes the snapshot under a signed transaction, which then reverts and is made anew."""
    file = desk.shares(*NUMBERS)
    stranger = desk.world.client(STRANGER)
    done: list[bool] = []

    def rule(request: dict[str, Any]) -> Answer | None:
        is_second = proxy.count("eth_sendRawTransaction") == 2
        if request["method"] == "eth_sendRawTransaction" and is_second and not done:
            done.append(True)
            stranger.clusters.deposit(IDS, owner=desk.address, amount_wei=ETHER).transact()
        return None

    proxy.rule = rule
    desk.write(*words(file)).ok()
    assert proxy.count("eth_sendRawTransaction") == 4
    require_registered_once(desk)


def test_other_keyshares_than_the_journals_are_refused(desk: Desk) -> None:
    file = desk.shares(*NUMBERS)
    journal = desk.folder / "journal"
    desk.write(*words(file), "--journal", journal).ok()
    other = desk.shares(6, 7, nonce=5)
    ran = desk.write(*words(other), "--journal", journal)
    assert (ran.code, ran.error()["code"]) == (3, "journal_of_another_file")


def test_wrong_nonce_is_told_before_anything_is_sent(desk: Desk, proxy: Proxy) -> None:
    ran = desk.write(*words(desk.shares(1, 2, nonce=3)))
    assert (ran.code, ran.error()["code"]) == (4, "nonce_too_high")
    desk.write(*words(desk.shares(1, 2))).ok()
    low = desk.write(*words(desk.shares(8, 9)))
    assert (low.code, low.error()["code"]) == (4, "nonce_too_low")


def test_deposit_too_small_for_all_is_refused_at_once(desk: Desk, proxy: Proxy) -> None:
    file = desk.shares(*NUMBERS)
    ran = desk.write("validators", "register", file, "--deposit", "0.0001")
    assert (ran.code, ran.error()["code"]) == (4, "underfunded")
    assert proxy.count("eth_sendRawTransaction") == 0
    # Enough for a single block, but not for several transactions.
    least = ran.error()["data"]["least_wei"]
    text = f"{least / 10**18:.18f}"
    almost = desk.write("validators", "register", file, "--deposit", text)
    assert (almost.code, almost.error()["code"]) == (4, "underfunded")


def test_dry_run_sends_nothing_and_leaves_no_file(desk: Desk, proxy: Proxy) -> None:
    file = desk.shares(*NUMBERS)
    ran = desk.write(*words(file), "--dry-run").ok()
    assert ran.json()["plan"]["sizes"] == [2, 2, 1]
    assert proxy.count("eth_sendRawTransaction") == 0
    assert {path.name for path in desk.folder.iterdir()} == {file.name, "key"}


def test_one_transaction_can_be_exported(desk: Desk) -> None:
    file = desk.shares(*NUMBERS)
    out = desk.folder / "call.json"
    ran: Ran = desk.run(
        *("validators", "register", file, "--deposit", 3, "--export", out),
        *(*desk.node(), "--from", desk.address, "--json"),
    )
    assert ran.ok().json()["file"] == str(out)
    assert json.loads(out.read_text())["nonces"] == list(range(5))
    assert len(load_keyshares(file.read_bytes(), source="").shares) == 5


def test_transaction_with_too_much_gas_is_halved(desk: Desk, proxy: Proxy) -> None:
    """Each validator is told to need four million gas, so three of them fit one transaction."""
    file = desk.shares(*NUMBERS)

    def rule(request: dict[str, Any]) -> Answer | None:
        if request["method"] != "eth_estimateGas":
            return None
        calldata = len(request["params"][0]["data"]) // 2
        return Answer.result(request, hex(4_000_000 * (calldata // 1500)))

    proxy.rule = rule
    ran = desk.write("validators", "register", file, "--deposit", 3).ok().json()
    assert [each["validators"] for each in ran["transactions"]] == [2, 3]
    require_registered_once(desk)


def test_block_that_leaves_the_chain_is_registered_again(desk: Desk) -> None:
    file = desk.shares(*NUMBERS)
    desk.write(*words(file)).ok()
    before = desk.world.rpc("eth_getTransactionCount", desk.address, "latest")
    assert before == "0x3"
    desk.world.rpc("anvil_reorg", 1, [])
    desk.write(*words(file)).ok()
    require_registered_once(desk)
