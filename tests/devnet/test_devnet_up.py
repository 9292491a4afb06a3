"""`phalanx devnet up` for real: it starts, answers, and a part's crash ends it by its name."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from deploy.devnet.ports import PortPlan
from sdk.errors import NetworkError
from tests.devnet.bases import OWN_BASE

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

START_S = 300.0
END_S = 60.0
ADDRESS = "0x000000000000000000000000000000000000dEaD"


def devnet(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.devnet", *words, "--json", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=START_S,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of a network that is gone afterwards.

    Not below pytest's folder: a root user's Postgres runs as another user, who must get there.
    """
    with TemporaryDirectory(prefix="phalanx-test-") as name:
        yield Path(name)
        devnet("down", folder=Path(name))


def parts(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in facts["parts"]}


def test_crash_of_a_part_ends_the_network_by_its_name_and_leaves_nothing(folder: Path) -> None:
    up = devnet("up", "--detach", "--ports", str(OWN_BASE), "--validators", "2", folder=folder)
    assert up.returncode == 0, up.stderr
    facts = json.loads(up.stdout)
    assert facts == json.loads((folder / "network.json").read_text())
    assert facts["rpc"] == f"http://127.0.0.1:{OWN_BASE}"
    assert len(facts["validators"]) == 2
    assert f"PHALANX_REGISTRY='{facts['registry']}'" in (folder / "network.env").read_text()

    status = devnet("status", folder=folder)
    assert status.returncode == 0, status.stdout
    assert list(parts(json.loads(status.stdout))) == [
        *("anvil", "indexer", "indexer api", "lodestar 1", "lodestar 2"),
        *(f"node {number}" for number in range(1, 5)),
    ]
    gift = json.loads(devnet("faucet", ADDRESS, "1.5", folder=folder).stdout)
    assert gift["balance_wei"] == str(15 * 10**17)

    postgres = int((folder / "run/indexer/data/postmaster.pid").read_text().split()[0])
    os.kill(parts(facts)["indexer"]["pid"], signal.SIGKILL)
    until_gone([facts["pid"], postgres, *(part["pid"] for part in parts(facts).values())])
    ended = devnet("status", folder=folder)
    assert ended.returncode == NetworkError.exit_code
    assert "indexer ended with -9" in json.loads(ended.stderr)["message"]
    assert devnet("down", folder=folder).stdout == json.dumps({"stopped": []}, indent=2) + "\n"
    PortPlan(OWN_BASE).refuse_taken(beacons=2, operators=4)


def until_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + END_S
    for pid in processes:
        try:
            ends = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            left_s = max(0.0, deadline - time.monotonic())
            assert select.select([ends], [], [], left_s)[0], f"process {pid} is left"
        finally:
            os.close(ends)


def test_port_that_is_taken_is_told_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", PortPlan(OWN_BASE).indexer))
        taken.listen()
        ran = devnet("up", "--ports", str(OWN_BASE), folder=folder)
    assert ran.returncode == NetworkError.exit_code
    assert json.loads(ran.stderr.splitlines()[-1])["code"] == "port_taken"
    assert list((folder / "run").glob("*")) == []
