"""Moving validators to other operators: removed, final, silent, registered; in that order only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdk.client.beacon import BeaconNode
from sdk.client.journal_file import JournalFile
from sdk.client.move import Move, MoveStep, move_journal_file
from sdk.client.move_journal import MoveJournal
from sdk.client.tracking import SentTransaction
from sdk.errors import BeaconError, ChainError, ConfigError, PhalanxError, UsageError
from sdk.shares import load_keyshares
from sdk.testing import keys
from sdk.types import parse_address
from tests.client.beacon_stub import SECONDS_PER_SLOT, BeaconStub
from tests.client.commands import SECRET, Desk, make_desk, public_keys
from tests.client.proxy import BROKEN, Answer, Proxy
from tests.client.world import ETHER, IDS, MORE_IDS, World

pytestmark = pytest.mark.toolchain

NUMBERS = (1, 2)
FIRST_EPOCH = 1000
"""The stub's epoch when a test begins; its validators sign until then."""
SLOTS = 16
"""How far the stub's head moves while the move waits."""


@pytest.fixture
def desk(world: World, tmp_path: Path, proxy: Proxy) -> Desk:
    """Two validators registered with operators 1 to 4, and operators 5 to 7 to move to."""
    world.register_more_operators()
    desk = make_desk(world, tmp_path, url=proxy.url)
    desk.write("validators", "register", desk.shares(*NUMBERS), "--deposit", 1).ok()
    return desk


@pytest.fixture
def stub(world: World) -> Iterator[BeaconStub]:
    """A beacon node of the same chain, one epoch ahead of its newest block's."""
    now = int(world.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    stub = BeaconStub()
    stub.is_live = lambda epoch, index: epoch < FIRST_EPOCH
    stub.genesis_time = now - stub.head_slot * SECONDS_PER_SLOT
    for index, key in enumerate(public_keys(*NUMBERS), 70):
        stub.add(key, index)

    def advance() -> None:
        stub.head_slot += SLOTS
        world.mine(SLOTS)

    stub.advance = advance
    with stub:
        yield stub


class Moving:
    """A move in this process."""

    def __init__(self, desk: Desk, stub: BeaconStub | None, file: Path) -> None:
        from eth_account import Account

        from sdk.client import LocalSigner

        self.desk = desk
        self.steps: list[MoveStep] = []
        self.stub = stub
        self.client = desk.world.client(LocalSigner(Account.from_key(SECRET)), url=desk.url)
        self.shares = load_keyshares(file.read_bytes(), source="file").shares
        self.path = desk.folder / "move"

    def begin(self) -> MoveJournal:
        """Plans the move, and sends nothing."""
        with move_journal_file(self.path) as opened:
            move = self._move(opened)
            move.begin(begun := move.plan(IDS, deposit_wei=ETHER)[0])
        return begun

    def run(self) -> None:
        with move_journal_file(self.path) as opened:
            move = self._move(opened)
            if move.journal is None:
                move.begin(move.plan(IDS, deposit_wei=ETHER)[0])
            move.run(deposit_wei=ETHER)

    def _move(self, opened: JournalFile[MoveJournal]) -> Move:
        node = None if self.stub is None else BeaconNode(self.stub.url)
        return Move(
            self.client, node, self.shares, opened, tell=self.steps.append, pause=self._pause
        )

    def _pause(self, seconds: float) -> None:
        assert self.stub is not None
        self.stub.advance()

    def kinds(self) -> list[str]:
        return [step.kind for step in self.steps]


def new_shares(desk: Desk) -> Path:
    return desk.shares(*NUMBERS, nonce=2, ids=MORE_IDS)


def require_moved(desk: Desk) -> None:
    client = desk.world.client(None)
    assert client.clusters.get(desk.address, IDS).snapshot.validator_count == 0
    assert client.clusters.get(desk.address, MORE_IDS).snapshot.validator_count == 2
    assert client.owners.nonce(desk.address) == 4


def test_registers_only_after_three_silent_epochs(desk: Desk, stub: BeaconStub) -> None:
    moving = Moving(desk, stub, new_shares(desk))
    moving.run()
    require_moved(desk)
    assert moving.kinds() == [
        *("removing", "removed", "awaiting_finality", "final"),
        *("awaiting_silence", "quiet", "quiet", "quiet"),
    ]
    journal = json.loads(moving.path.read_text())
    quiet = journal["silence"]["quiet"]
    assert quiet == list(range(quiet[0], quiet[0] + 3))
    assert quiet[0] >= journal["silence"]["first_epoch"]


def test_sign_of_life_begins_the_count_anew(desk: Desk, stub: BeaconStub) -> None:
    last_live = FIRST_EPOCH + 8
    stub.is_live = lambda epoch, index: epoch < FIRST_EPOCH or (index == 71 and epoch <= last_live)
    moving = Moving(desk, stub, new_shares(desk))
    moving.run()
    require_moved(desk)
    assert "alive" in moving.kinds()
    quiet = json.loads(moving.path.read_text())["silence"]["quiet"]
    assert quiet[0] > last_live


def test_validators_that_never_fall_silent_are_never_registered(
    desk: Desk, stub: BeaconStub
) -> None:
    stub.is_live = lambda epoch, index: True
    # Finality is reached first, by hand, so that the day of waiting is spent on silence alone.
    moving = Moving(desk, stub, new_shares(desk))
    stub.advance = lambda: _skip(desk.world, stub)
    with pytest.raises(BeaconError) as caught:
        moving.run()
    assert caught.value.code == "not_silent"
    client = desk.world.client(None)
    assert client.owners.nonce(desk.address) == 2


def _skip(world: World, stub: BeaconStub) -> None:
    stub.head_slot += 32
    if stub.head_slot < 1010 * 32:
        world.mine(32)


@pytest.mark.parametrize("before", [True, False], ids=["before_arrival", "after_arrival"])
@pytest.mark.parametrize("nth", [1, 2], ids=["removal", "registration"])
def test_killed_at_any_transaction_it_goes_on(
    desk: Desk, stub: BeaconStub, proxy: Proxy, nth: int, before: bool
) -> None:
    file, journal = new_shares(desk), desk.folder / "move"
    words = (desk.url, desk.world.deployed.registry, desk.key_file, file, stub.url, journal)
    command = [sys.executable, "-m", "tests.client.move_process", *map(str, words)]
    already = proxy.count("eth_sendRawTransaction")
    process: subprocess.Popen[str]

    def rule(request: dict[str, Any]) -> Answer | None:
        is_send = request["method"] == "eth_sendRawTransaction"
        if not is_send or proxy.count("eth_sendRawTransaction") - already != nth:
            return None
        if not before:
            desk.world.rpc("eth_sendRawTransaction", *request["params"])
        process.send_signal(signal.SIGKILL)
        process.wait()
        return BROKEN

    proxy.rule = rule
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    desk.finish(process)
    assert process.returncode == -signal.SIGKILL
    proxy.rule = lambda request: None
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    require_moved(desk)


def test_killed_while_it_waits_it_goes_on_waiting(desk: Desk, stub: BeaconStub) -> None:
    moving = Moving(desk, stub, new_shares(desk))
    plain, looks = stub.advance, iter(range(100))

    def stop() -> None:
        if next(looks) == 5:
            raise InterruptedError
        plain()

    stub.advance = stop
    with pytest.raises(InterruptedError):
        moving.run()
    assert json.loads(moving.path.read_text())["removal_block"] is not None
    stub.advance = plain
    moving.run()
    require_moved(desk)
    assert moving.kinds().count("removing") == 1


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ({"liveness_status": 404}, BeaconError, "beacon_liveness_unsupported"),
        ({"liveness_status": 400}, BeaconError, "beacon_liveness_unsupported"),
        ({"syncing": {"is_syncing": True}}, BeaconError, "beacon_not_synced"),
        ({"syncing": {"is_syncing": False, "el_offline": True}}, BeaconError, "beacon_not_synced"),
        ({"chain_id": 1}, ConfigError, "other_beacon_chain"),
    ],
)
def test_beacon_node_that_cannot_prove_silence_stops_the_move_before_it_begins(
    desk: Desk, stub: BeaconStub, fault: dict[str, Any], error: type[PhalanxError], code: str
) -> None:
    for name, value in fault.items():
        setattr(stub, name, value)
    moving = Moving(desk, stub, new_shares(desk))
    with pytest.raises(error) as caught:
        moving.run()
    assert caught.value.code == code
    assert not moving.path.exists()
    client = desk.world.client(None)
    assert client.clusters.get(desk.address, IDS).snapshot.validator_count == 2


def test_without_a_beacon_node_the_risk_has_to_be_named(desk: Desk) -> None:
    file = new_shares(desk)
    words = ("validators", "move", file, "--from-operators", "1,2,3,4", "--deposit", 1)
    ran = desk.write(*words)
    assert (ran.code, ran.error()["code"]) == (2, "beacon_missing")
    assert "--accept-slashing-risk-of-not-waiting" in ran.error()["hint"]
    assert "slashed" in ran.error()["message"]
    ran = desk.write(*words, "--accept-slashing-risk-of-not-waiting").ok()
    assert ran.json()["quiet_epochs"] == []
    assert "sign two different votes" in ran.err
    require_moved(desk)
    other = ("validators", "move", file, "--from-operators", "1,2,3,5")
    ran = desk.write(*other, "--accept-slashing-risk-of-not-waiting")
    assert (ran.code, ran.error()["code"]) == (2, "journal_of_another_run")


def test_move_is_planned_by_the_command(desk: Desk, stub: BeaconStub) -> None:
    file = new_shares(desk)
    words = ("validators", "move", file, "--from-operators", "1,2,3,4", "--deposit", 1)
    ran = desk.write(*words, "--beacon", stub.url, "--dry-run").ok()
    assert ran.json() == {"validators": 2, "to_operators": list(MORE_IDS), "sent": False}


@pytest.mark.parametrize("heard", [(), (71,)], ids=["none", "not_all"])
def test_beacon_node_that_hears_nobody_stops_the_move_before_it_begins(
    desk: Desk, stub: BeaconStub, heard: tuple[int, ...]
) -> None:
    stub.is_live = lambda epoch, index: index in heard
    file, sent = new_shares(desk), desk.world.client(None)
    words = ("validators", "move", file, "--from-operators", "1,2,3,4", "--deposit", 1)
    ran = desk.write(*words, "--beacon", stub.url)
    assert (ran.code, ran.error()["code"]) == (5, "liveness_not_tracked")
    assert f"of {2 - len(heard)} active validators" in ran.error()["message"]
    assert "--beacon-liveness-tracking-enabled" in ran.error()["hint"]
    assert sent.clusters.get(desk.address, IDS).snapshot.validator_count == 2
    assert not file.with_name(file.name + ".move").exists()
    desk.write(*words, "--beacon", stub.url, "--accept-slashing-risk-of-not-waiting").ok()
    require_moved(desk)


def test_move_that_goes_on_before_the_removal_is_checked_again(
    desk: Desk, stub: BeaconStub
) -> None:
    moving = Moving(desk, stub, new_shares(desk))
    moving.begin()
    stub.is_live = lambda epoch, index: False
    with pytest.raises(BeaconError) as caught:
        moving.run()
    assert caught.value.code == "liveness_not_tracked"
    client = desk.world.client(None)
    assert client.clusters.get(desk.address, IDS).snapshot.validator_count == 2


def test_validators_that_sign_no_more_as_they_are_removed_already_are_moved(
    desk: Desk, stub: BeaconStub
) -> None:
    stub.is_live = lambda epoch, index: False
    moving = Moving(desk, stub, new_shares(desk))
    moving.client.validators.remove(IDS, public_keys(*NUMBERS)).transact()
    moving.run()
    require_moved(desk)
    assert moving.kinds().count("quiet") == 3


def test_removed_by_hand_while_the_own_removal_was_lost(desk: Desk, stub: BeaconStub) -> None:
    moving = Moving(desk, stub, new_shares(desk))
    begun = moving.begin()
    moving.client.validators.remove(IDS, public_keys(*NUMBERS)).transact()
    nonce = int(desk.world.rpc("eth_getTransactionCount", desk.address, "latest"), 16)
    with move_journal_file(moving.path) as opened:
        opened.save(replace(begun, removal=SentTransaction("0x" + 64 * "a", nonce)))
    moving.run()
    require_moved(desk)
    assert json.loads(moving.path.read_text())["removal"] is None


def test_registrations_of_one_owner_in_one_block_are_told_apart(world: World) -> None:
    """What got its nonces is right, whatever follows it in the block."""
    world.register_more_operators()
    signer = world.funded_signer()
    client = world.client(signer)
    owner = parse_address(signer.address)
    orders = [
        client.validators.register(
            [keys.key_share(number, ids=ids, owner=owner, nonce=0)], deposit_wei=ETHER
        )
        for number, ids in zip(NUMBERS, (IDS, MORE_IDS), strict=True)
    ]
    signed = [order.sign(nonce=place, gas=3_000_000) for place, order in enumerate(orders)]
    world.rpc("evm_setAutomine", False)
    try:
        for order, each in zip(orders, signed, strict=True):
            order.send(each)
        world.mine(1)
        blocks = [
            world.rpc("eth_getTransactionReceipt", each.hash.to_0x_hex())["blockNumber"]
            for each in signed
        ]
        assert blocks[0] == blocks[1]
        assert orders[0].wait(signed[0].hash).block_number == int(blocks[0], 16)
        with pytest.raises(ChainError) as caught:
            orders[1].wait(signed[1].hash)
    finally:
        world.rpc("evm_setAutomine", True)
    assert caught.value.code == "nonce_shifted"
    assert caught.value.data["first"] == 1


def test_removed_in_part_and_same_operators_are_refused(desk: Desk, stub: BeaconStub) -> None:
    same = Moving(desk, stub, desk.shares(*NUMBERS, nonce=2))
    with pytest.raises(ChainError) as caught:
        same.run()
    assert caught.value.code == "same_operators"
    moving = Moving(desk, stub, new_shares(desk))
    moving.client.validators.remove(IDS, public_keys(1)).transact()
    with pytest.raises(ChainError) as part:
        moving.run()
    assert part.value.code == "removed_in_part"


def test_journal_of_other_validators_is_refused(desk: Desk, stub: BeaconStub) -> None:
    moving = Moving(desk, stub, new_shares(desk))
    moving.run()
    other = Moving(desk, stub, desk.shares(3, nonce=4, ids=MORE_IDS))
    with pytest.raises(UsageError) as caught:
        other.run()
    assert caught.value.code == "journal_of_another_run"
