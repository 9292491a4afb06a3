"""A whole indexer against a real chain and a real Postgres."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import astuple
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import trio

from indexer.store import load, schema
from indexer.sync import Sync
from sdk.client.abi import encode_call
from sdk.registry import Refusal
from tests.client.world import OWNER, STRANGER, World
from tests.indexer import databases
from tests.indexer.conftest import EPOCH_BLOCKS
from tests.indexer.indexing import PATIENCE_S, ask, caught_up, compared, index, live, until

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


def test_everything_agrees_with_the_contract(world: World, url: str) -> None:
    live(world)
    index(world, url)
    count, wrong = compared(world, url)
    assert wrong == []
    assert count >= 7
    with psycopg.connect(url, autocommit=True) as connection:
        state = load(connection).state
    assert {each.refusal for each in state.validators.values()} == {None}
    assert ask(url, "SELECT count(*) FROM divergence") == [(0,)]


def test_a_registration_that_operators_refuse_is_shown_as_such(world: World, url: str) -> None:
    """Its signature is over another nonce: on chain, charged, and ignored by every node."""
    client = world.client(OWNER)
    share = world.shares(1, nonce=5)[0]
    world.register(2)
    found = client.clusters.get(world.account(OWNER), (1, 2, 3, 4))
    struct = astuple(found.snapshot)
    data = encode_call(
        "registerValidator", (share.public_key, (1, 2, 3, 4), share.shares_data, struct)
    )
    sent = world.w3.eth.send_transaction(
        {
            "from": world.account(OWNER),
            "to": world.deployed.registry,
            "data": data,
            "value": world.w3.to_wei(1, "ether"),
        }
    )
    assert world.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    index(world, url)
    refused = "encode(public_key, 'hex'), refusal, nonce FROM validator_version"
    assert ask(url, f"SELECT {refused} WHERE refusal IS NOT NULL") == [
        (share.public_key.hex(), Refusal.NONCE_SIGNATURE_INVALID.value, 1)
    ]
    assert ask(url, "SELECT refusal FROM log WHERE nonce = 1") == [("nonce_signature_invalid",)]
    assert compared(world, url)[1] == []


def test_a_reorganisation_of_the_chain_is_followed(world: World, url: str, server: str) -> None:
    world.register(1)
    world.mine(3)

    async def reorganise(sync: Sync) -> None:
        def change() -> None:
            # Or empty blocks of the same second would be the very blocks that they replace.
            world.rpc("anvil_setCoinbase", world.account(STRANGER))
            world.rpc("anvil_reorg", 3, [])
            live_again(world)

        await trio.to_thread.run_sync(change)
        await caught_up(world, sync)

    metrics = index(world, url, reorganise)
    assert metrics.reorgs._value.get() >= 1
    assert compared(world, url)[1] == []
    with databases.fresh(server) as other:
        index(world, other)
        assert databases.difference(databases.rows(url), databases.rows(other)) == ""


def live_again(world: World) -> None:
    world.register(2, 3)
    world.mine(2)


def test_a_row_that_is_wrong_becomes_a_suspect_until_it_is_right(world: World, url: str) -> None:
    live(world)
    index(world, url)
    change = "UPDATE operator_version SET credit_units = credit_units {} 1 WHERE operator_id = 2"
    with psycopg.connect(url) as connection:
        connection.execute(change.format("+").encode())
    _, wrong = compared(world, url)
    assert len(wrong) == 1
    assert "getOperatorEarnings" in wrong[0]
    assert ask(url, "SELECT kind, subject FROM suspect") == [("operator", "2")]
    assert ask(url, "SELECT mismatches FROM integrity WHERE kind = 'operator'") == [(1,)]
    with psycopg.connect(url) as connection:
        connection.execute(change.format("-").encode())
    assert compared(world, url)[1] == []
    assert ask(url, "SELECT count(*) FROM suspect") == [(0,)]


def test_finality_is_the_nodes(world: World, url: str) -> None:
    world.mine(3 * EPOCH_BLOCKS)

    async def told(sync: Sync) -> None:
        # The tags are asked for when there is nothing left to read, so after the last rows.
        await until(lambda: ask(url, "SELECT FROM head") != [])

    index(world, url, told)
    safe: Any = world.w3.eth.get_block("safe")
    finalized: Any = world.w3.eth.get_block("finalized")
    assert ask(url, "SELECT safe_number, finalized_number FROM head") == [
        (safe["number"], finalized["number"])
    ]


def test_the_command_follows_until_it_is_told_to_stop(world: World) -> None:
    """One process with a Postgres of its own, as a person starts it; then `verify`, `reset`."""
    live(world)
    with TemporaryDirectory() as folder:
        where = ["--data", f"{folder}/data"]
        chain = ["--rpc", world.url, "--registry", world.deployed.registry]
        run = [sys.executable, "-c", "from indexer.cli import indexer; indexer()"]
        running = subprocess.Popen(
            [*run, "run", *where, *chain, "--workers", "1"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        assert any("loaded as of block none" in line for line in running.stderr)
        command = [*run, "verify", *where, *chain, "--all", "--json"]
        verified = trio.run(_until_verified, command, world)
        running.send_signal(signal.SIGTERM)
        assert "stopped" in running.communicate(timeout=PATIENCE_S)[1]
        assert running.returncode == 0
        assert verified["mismatches"] == 0
        tried = subprocess.run([*run, "reset", *where, "--dry-run"], capture_output=True, text=True)
        assert tried.returncode == 0, tried.stderr
        assert f"tables of version {schema.NEWEST} would go" in tried.stdout + tried.stderr
        still = subprocess.run([*run, "verify", *where, *chain], capture_output=True, text=True)
        assert still.returncode == 0, still.stderr
        emptied = subprocess.run([*run, "reset", *where, "--yes"], capture_output=True, text=True)
        assert emptied.returncode == 0, emptied.stderr
        again = subprocess.run([*run, "verify", *where, *chain], capture_output=True, text=True)
        assert again.returncode != 0
        assert "Run the indexer first" in again.stderr


async def _until_verified(command: list[str], world: World) -> dict[str, Any]:
    """What the command said once the tables were at the chain's head."""
    with trio.fail_after(PATIENCE_S):
        while True:
            ran = await trio.run_process(
                command, capture_stdout=True, capture_stderr=True, check=False
            )
            lines = [line for line in ran.stderr.decode().splitlines() if line[:1] == "{"]
            said: list[dict[str, Any]] = [json.loads(line) for line in lines]
            found = next((each for each in said if "compared" in each), None)
            if found is not None and found["block"] == world.w3.eth.block_number:
                return found
