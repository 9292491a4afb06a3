"""Commands about the registry before any of them reaches a node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.sdk.cli.running import OWNER_TEXT, Phalanx

NODE = ("--rpc", "http://127.0.0.1:1", "--registry", OWNER_TEXT)
GROUPS = {
    "operators": ["list", "private", "public", "register", "remove", "set-fee", "show"],
    "validators": ["exit", "list", "move", "register", "remove"],
    "cluster": ["deposit", "liquidate", "prove", "reactivate", "runway", "show", "withdraw"],
    "owner": ["nonce", "set-fee-recipient"],
    "network": ["show"],
}


@pytest.mark.parametrize("group", GROUPS)
def test_group_lists_its_commands(phalanx: Phalanx, group: str) -> None:
    ran = phalanx(group, "--help")
    assert ran.code == 0
    for command in GROUPS[group]:
        assert f"\n  {command} " in ran.out


def test_help_waits_for_no_chain_library() -> None:
    words = [["--help"], *([group, "--help"] for group in GROUPS)]
    program = (
        "import sys\n"
        "from sdk.cli.main import main\n"
        f"for words in {words!r}:\n"
        "    try:\n"
        "        main(words)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "sys.exit('web3' in sys.modules or 'eth_account' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_missing_option_names_the_variable_that_would_do(
    phalanx: Phalanx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHALANX_RPC", raising=False)
    ran = phalanx("operators", "list")
    assert ran.code == 2
    assert "Missing option '--rpc'" in ran.err
    assert "Give it, or set PHALANX_RPC. See --help." in ran.err
    assert phalanx("cluster", "show", *NODE).err.endswith("See --help.\n")


def test_two_ways_out_exclude_each_other(phalanx: Phalanx) -> None:
    words = ("cluster", "deposit", "--operators", "1,2,3,4", "--amount", "1", *NODE)
    ran = phalanx(*words, "--export", "a", "--safe", "b", "--json")
    assert (ran.code, ran.error()["code"]) == (2, "exports")


def test_remote_signer_needs_the_account(phalanx: Phalanx) -> None:
    words = ("owner", "set-fee-recipient", OWNER_TEXT, *NODE)
    ran = phalanx(*words, "--remote-signer", "http://127.0.0.1:1", "--json")
    assert (ran.code, ran.error()["code"]) == (2, "signers")


def test_no_option_takes_a_key_or_a_password(phalanx: Phalanx) -> None:
    for words in (("cluster", "deposit"), ("validators", "register"), ("validators", "move")):
        options = phalanx(*words, "--help").out
        assert "--private-key" not in options
        assert "--password " not in options


def test_key_file_that_others_can_read_is_refused(phalanx: Phalanx, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("11" * 32)
    key.chmod(0o644)
    words = ("owner", "set-fee-recipient", OWNER_TEXT, *NODE, "--key-file", key, "--json")
    ran = phalanx(*words)
    assert (ran.code, ran.error()["code"]) == (3, "key_file_mode")


@pytest.mark.parametrize("text", ["1e3", "-1", "0,5", "1.0000000000000000001", "abc"])
def test_amount_that_is_not_exact_is_refused(phalanx: Phalanx, text: str) -> None:
    words = ("cluster", "deposit", "--operators", "1,2,3,4", *NODE, f"--amount={text}", "--json")
    ran = phalanx(*words)
    assert (ran.code, ran.error()["code"]) == (3, "amount_malformed")


@pytest.mark.parametrize("url", ["ftp://node", "node", "http://"])
def test_address_of_a_node_must_be_a_url(phalanx: Phalanx, url: str) -> None:
    ran = phalanx("owner", "nonce", "--rpc", url, "--registry", OWNER_TEXT, "--json")
    assert (ran.code, ran.error()["code"]) == (2, "rpc_url")


def test_move_without_beacon_node_names_the_risk(phalanx: Phalanx) -> None:
    words = ("validators", "move", "none.json", "--from-operators", "1,2,3,4", *NODE, "--json")
    ran = phalanx(*words)
    assert (ran.code, ran.error()["code"]) == (2, "beacon_missing")
    assert "slashed" in ran.error()["message"]
    assert "--accept-slashing-risk-of-not-waiting" in ran.error()["hint"]


def test_exit_needs_to_know_which_way(phalanx: Phalanx) -> None:
    key = "0x" + 96 * "1"
    neither = phalanx("validators", "exit", key, *NODE, "--json")
    assert (neither.code, neither.error()["code"]) == (2, "exit_way")
    words = ("validators", "exit", key, "--operators", "1,2,3,4", "--from-withdrawal-address")
    both = phalanx(*words, *NODE, "--json")
    assert (both.code, both.error()["code"]) == (2, "exit_way")
