"""The files that an operator's node left behind: whole, and what they hold.

They are looked at in a copy, as nobody may open a node's own before the node itself does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import trio

from deploy.devnet.chain import BURIAL_BLOCKS
from deploy.devnet.operators import NETWORK, LocalNode
from deploy.devnet.registry import LocalOperator, LocalRegistry
from operator_node.registry.binding import Binding
from operator_node.registry.record import Record
from operator_node.registry.replay import TIMED
from operator_node.registry.values import Identity
from operator_node.signer.interchange import write_interchange
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.store import SlashingStore
from sdk.chain import CaughtUp, Extend, Follower, LogReader, Rpc
from sdk.types import BlockNumber, parse_address

STATE = "state.sqlite"
SAFETY = "safety.sqlite"
DUTIES = "duties.sqlite"
CHAIN_ID = 31337
"""Anvil's."""
FREE_S = 10.0
SQLITE_LOCKS = (512, 2**30)
"""Length and offset of the bytes that SQLite locks in a file."""
REGISTRY_TABLES = ("record", "share", "exit", "oddity")
"""What the registry comes to; the other tables say how far it was read, and how to go back."""


def copy_of(node: LocalNode, to: Path) -> Path:
    """The data folder of a node that does not run, copied as it is."""
    data = node.config.parent / "data"
    _wait_until_free(data / SAFETY)
    return Path(shutil.copytree(data, to))


def _wait_until_free(path: Path) -> None:
    """The signing process of a node that was killed ends a moment after it."""
    deadline = time.monotonic() + FREE_S
    with path.open("r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *SQLITE_LOCKS)
            except BlockingIOError:
                assert time.monotonic() < deadline, f"{path} is in use"
                os.sched_yield()
            else:
                return


def damages(data: Path) -> list[str]:
    """What SQLite finds wrong with the databases of a data folder."""
    found = []
    for name in (STATE, SAFETY, DUTIES):
        with closing(sqlite3.connect(data / name)) as base:
            answers = [answer for (answer,) in base.execute("PRAGMA integrity_check")]
        found += [f"{name}: {answer}" for answer in answers if answer != "ok"]
    return found


def export_of(data: Path, genesis_validators_root: bytes) -> bytes:
    """The slashing record as an EIP-3076 file.

    Raises:
        PhalanxError: it cannot be used.
        AssertionError: it counts as an older copy, which a crash must not make of it.
    """
    owner = Owner(NETWORK, genesis_validators_root)
    with SlashingStore.open(data / SAFETY, owner, on_damage=OnDamage.STOP) as store:
        assert not store.needs_arming
        histories = tuple(store.key_histories())
    return write_interchange(histories, genesis_validators_root=genesis_validators_root)


def registry_rows(data: Path) -> dict[str, list[tuple[object, ...]]]:
    """The registry as a node has it, table by table."""
    with closing(sqlite3.connect(data / STATE)) as base:
        return {
            table: sorted(base.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - above
            for table in REGISTRY_TABLES
        }


async def read_afresh(registry: LocalRegistry, operator: LocalOperator, data: Path) -> None:
    """Writes the operator's registry store into an empty folder, from the chain alone."""
    deployment = registry.deployment
    contract = parse_address(deployment.registry)
    identity = Identity(CHAIN_ID, contract, operator.public_key.fingerprint)
    record = Record(data / STATE, identity, Binding(operator.public_key))
    try:
        record.load()
        async with Rpc([registry.chain.url], chain_id=CHAIN_ID) as rpc:
            follower = Follower(BlockNumber(deployment.start_block), distance=BURIAL_BLOCKS)
            reader = LogReader(
                rpc, follower, address=contract, timed=TIMED, pause=trio.lowlevel.checkpoint
            )
            async for step in reader:
                if isinstance(step, CaughtUp):
                    return
                if not isinstance(step, Extend):
                    raise AssertionError(f"anvil was reorganised: {step}")
                record.extend(step, {})
    finally:
        record.close()
