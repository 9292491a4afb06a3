"""The network to practise on: what it refuses, and what it tells those who join.

The network itself is run by test_run_a_node.py.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from click.testing import CliRunner

from deploy.devnet.belongings import environment
from deploy.devnet.network import LocalNetwork
from deploy.devnet.practice import GUEST_API, main
from operator_node.cli.asking import DEFAULT_API

HOSTILE = "http://127.0.0.1:1;$(false)"


def network() -> LocalNetwork:
    """As far as `environment` looks."""
    beacons = [SimpleNamespace(url="http://127.0.0.1:2"), SimpleNamespace(url="http://127.0.0.1:3")]
    chain = SimpleNamespace(url=HOSTILE)
    deployment = SimpleNamespace(registry="0xAbc", start_block=7)
    registry = SimpleNamespace(chain=chain, deployment=deployment)
    nodes = [SimpleNamespace(peer="/ip4/127.0.0.1/tcp/4/p2p/16U")]
    indexer = SimpleNamespace(url="http://127.0.0.1:5")
    parts = SimpleNamespace(registry=registry, beacons=beacons, nodes=nodes, indexer=indexer)
    return cast(LocalNetwork, parts)


def test_variables_are_what_a_shell_reads(tmp_path: Path) -> None:
    file = tmp_path / "network.env"
    file.write_text(environment(network(), staker="0xdef"))
    ran = subprocess.run(
        ["bash", "-euc", f"source {file}; env"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    told = dict(line.split("=", 1) for line in ran.stdout.splitlines())
    assert (
        told.items()
        >= {
            "PHALANX_RPC": HOSTILE,
            "PHALANX_REGISTRY": "0xAbc",
            "PHALANX_START_BLOCK": "7",
            "DEVNET_BEACON_NODES": "http://127.0.0.1:2;http://127.0.0.1:3",
            "DEVNET_PEER": "/ip4/127.0.0.1/tcp/4/p2p/16U",
            "DEVNET_INDEXER": "http://127.0.0.1:5",
            "DEVNET_STAKER": "0xdef",
        }.items()
    )


def test_folder_of_an_earlier_network_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    ran = CliRunner().invoke(main, ["--folder", str(tmp_path)])
    assert ran.exit_code == 2
    assert f"rm -r {tmp_path}" in ran.output
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("page", ["docs/run-a-node.md"])
def test_page_has_the_guest_where_the_network_looks_for_it(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text()
    assert GUEST_API == DEFAULT_API
    assert f"SSVAPIPort: {GUEST_API.rsplit(':', 1)[1]}" in text
