"""A client that nobody here wrote reads the same nonce, clusters and operators as ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sdk.errors import ChainError
from sdk.networks import HOODI
from sdk.testing import keys
from sdk.toolchain.compile import compile_contracts
from sdk.toolchain.deploy import create
from tests.client.world import ETHER, FEE_WEI, GOVERNOR, IDS, OPERATOR, OWNER, STRANGER, World
from tests.scanner import installed
from tests.scanner.installed import Scanner

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

ALL_IDS = (1, 2, 3, 4, 5, 6, 7)
NEW_CLUSTER = (0, 0, 0, True, 0)


def assert_same_nonce(world: World, scanner: Scanner, owner: int, expected: int) -> None:
    """Both clients count so many registrations."""
    account = world.account(owner)
    assert world.client(owner).owners.nonce() == expected
    assert scanner.nonce(account) == expected


def assert_same_cluster(
    world: World, scanner: Scanner, owner: int, ids: tuple[int, ...]
) -> tuple[object, ...]:
    """Both clients find this struct; ours had the registry confirm it."""
    account = world.account(owner)
    ours = world.client(owner).clusters.get(account, ids).snapshot_tuple
    assert scanner.cluster(account, ids) == ours
    return ours


def test_scanner_follows_a_life_of_registrations_removals_and_liquidation(
    world: World, scanner: Scanner
) -> None:
    owner, account = world.client(OWNER), world.account(OWNER)
    assert_same_nonce(world, scanner, OWNER, 0)
    assert scanner.cluster(account, IDS) == NEW_CLUSTER
    with pytest.raises(ChainError, match="cluster"):
        owner.clusters.get(account, IDS)

    world.register(1, 2)  # both in one transaction, whose logs carry the same struct
    world.register(3)
    assert_same_nonce(world, scanner, OWNER, 3)
    assert assert_same_cluster(world, scanner, OWNER, IDS)[0] == 3

    owner.validators.remove(IDS, [world.shares(2)[0].public_key]).transact()
    assert_same_nonce(world, scanner, OWNER, 3)  # a removal gives no nonce back
    assert assert_same_cluster(world, scanner, OWNER, IDS)[0] == 2

    world.mine(50)
    owner.clusters.deposit(IDS, amount_wei=ETHER).transact()
    assert_same_cluster(world, scanner, OWNER, IDS)
    owner.clusters.withdraw(IDS, amount_wei=ETHER // 3).transact()
    assert_same_cluster(world, scanner, OWNER, IDS)
    owner.validators.exit(IDS, [world.shares(1)[0].public_key]).transact()  # carries no struct
    assert_same_cluster(world, scanner, OWNER, IDS)

    owner.clusters.liquidate(account, IDS).transact()
    assert assert_same_cluster(world, scanner, OWNER, IDS) == (2, 0, 0, False, 0)
    owner.validators.remove(IDS, [world.shares(3)[0].public_key]).transact()
    assert assert_same_cluster(world, scanner, OWNER, IDS) == (1, 0, 0, False, 0)

    world.mine(50)
    owner.clusters.reactivate(IDS, runway_days=10).transact()
    assert assert_same_cluster(world, scanner, OWNER, IDS)[:4:3] == (1, True)
    world.register(2)  # the removed one again, with the next nonce
    assert_same_nonce(world, scanner, OWNER, 4)
    assert assert_same_cluster(world, scanner, OWNER, IDS)[0] == 2


def test_scanner_tells_owners_and_clusters_apart(world: World, scanner: Scanner) -> None:
    for operator in keys.operators(ALL_IDS)[len(IDS) :]:
        added = world.client(OPERATOR).operators.register(operator.public_key.text, fee_wei=FEE_WEI)
        added.transact()
    world.register(1)
    owner, stranger = world.client(OWNER), world.client(STRANGER)
    wide = keys.key_share(2, ids=ALL_IDS, owner=world.raw(OWNER), nonce=1)
    owner.validators.register([wide], deposit_wei=ETHER).transact()
    others = world.shares(3, owner=STRANGER)
    stranger.validators.register(others, deposit_wei=2 * ETHER).transact()

    assert_same_nonce(world, scanner, OWNER, 2)
    assert_same_nonce(world, scanner, STRANGER, 1)
    structs = {
        assert_same_cluster(world, scanner, OWNER, IDS),
        assert_same_cluster(world, scanner, OWNER, ALL_IDS),
        assert_same_cluster(world, scanner, STRANGER, IDS),
    }
    assert len(structs) == 3


def test_scanner_of_this_version_overlooks_a_balance_proof(world: World, scanner: Scanner) -> None:
    """1.1.1 does not know the log ClusterBalanceUpdated, on SSV's own registry neither."""
    verifier, _ = create(
        world.w3, compile_contracts()["OpenBeaconVerifier"], world.account(STRANGER)
    )
    world.client(GOVERNOR).network.update_beacon_verifier(verifier).transact()
    owner = world.register(1)
    before = assert_same_cluster(world, scanner, OWNER, IDS)
    key = bytes(world.shares(1)[0].public_key)
    proof = (key, 7, bytes(32), 64 * 10**9, False, 0, 0, 0, 0, ())
    owner.clusters.prove(
        world.account(OWNER),
        IDS,
        beacon_timestamp=12,
        state_root=bytes(32),
        state_root_branch=[bytes(32)] * 3,
        proofs=[proof],
    ).transact()
    assert owner.clusters.get(world.account(OWNER), IDS).snapshot_tuple != before
    assert scanner.cluster(world.account(OWNER), IDS) == before
    owner.clusters.deposit(IDS, amount_wei=ETHER).transact()
    assert_same_cluster(world, scanner, OWNER, IDS)


def test_scanner_lists_the_same_operators(world: World, scanner: Scanner) -> None:
    client = world.client(None)
    ours = {operator.operator_id: operator.public_key for operator in client.operators.list(IDS)}
    assert scanner.operators(world.account(OWNER)) == ours
    assert ours == {each.id: each.public_key.text for each in keys.operators(IDS)}


def test_chain_is_one_that_the_scanner_names(world: World) -> None:
    assert world.w3.eth.chain_id == HOODI.chain_id
    assert world.client(None, network=installed.NETWORK).network.parameters().version == "v2.0.0"


def test_only_an_unreachable_npm_excuses_the_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def answer(said: str) -> None:
        failed = subprocess.CompletedProcess([], 1, "", said)
        monkeypatch.setattr(installed, "INSTALLED", tmp_path)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
        installed.install({})

    with pytest.raises(pytest.skip.Exception, match="EAI_AGAIN"):
        answer("npm error code EAI_AGAIN")
    with pytest.raises(AssertionError, match="EINTEGRITY"):
        answer("npm error code EINTEGRITY")
