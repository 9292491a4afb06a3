"""The command tells everything, and ends with 3 where something is poor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trio
from click.testing import CliRunner

from operator_node.api import NodeState, Status
from operator_node.api.answers import status
from operator_node.api.status import Part, Severity
from operator_node.cli.doctor import doctor
from operator_node.doctor import operator
from operator_node.doctor.checks import Check, Verdict
from operator_node.doctor.operator import ask_node, check_key, check_node
from sdk.crypto.secret import Password
from tests.unit.operator_node.config.files import BASE, built


def ended(folder: Path, *options: str) -> tuple[int, str]:
    path = folder / "node.yaml"
    path.write_text(BASE + f"db:\n  Path: {folder}/data\nssv:\n  Network: hoodi\n")
    result = CliRunner().invoke(doctor, ["-c", str(path), *options])
    return result.exit_code, result.stdout


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.GOOD, 0), (Verdict.AVERAGE, 0), (Verdict.POOR, 3)]
)
def test_exit_code_is_three_if_anything_is_poor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, code: int
) -> None:
    async def examine(_settings: object) -> tuple[Check, ...]:
        return (Check("host", "disk", Verdict.GOOD, "1 ms"), Check("x", "y", verdict, "z"))

    monkeypatch.setattr("operator_node.cli.doctor.examine", examine)
    assert ended(tmp_path)[0] == code
    found_code, out = ended(tmp_path, "--json")
    assert found_code == code
    found = json.loads(out)
    assert found["verdict"] == verdict
    assert found["checks"][1] == {
        "part": "x",
        "name": "y",
        "verdict": verdict,
        "found": "z",
        "limits": "",
        "advice": "",
    }


def test_upstreams_that_are_not_there_are_told_with_host_ports_and_key(tmp_path: Path) -> None:
    """For real: nothing listens on port 1 of this machine."""
    path = tmp_path / "node.yaml"
    path.write_text(
        "ssv: {Network: hoodi}\n"
        "eth2: {BeaconNodeAddr: 'http://127.0.0.1:1'}\n"
        "eth1: {ETH1Addr: 'http://127.0.0.1:1/hush'}\n"
        f"KeyStore: {{PrivateKeyFile: '{tmp_path}/none'}}\n"
        f"db: {{Path: '{tmp_path}/data'}}\n"
    )
    result = CliRunner().invoke(doctor, ["-c", str(path)])
    assert result.exit_code == 3, result.output
    parts = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert parts[:-1] == [
        "host",
        "beacon node 127.0.0.1:1",
        "execution node http://127.0.0.1:1",
        "ports",
        "operator key",
        "running node",
    ]
    assert "hush" not in result.output
    assert not (tmp_path / "data").exists()


# --- the running node ----------------------------------------------------------------------


def test_a_running_node_is_asked_with_the_first_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[httpx.Request] = []
    now = Status(NodeState.DEGRADED, (Part("p2p", Severity.BAD, "nobody", "", "open it"),))
    facts = {"operator": 4, "validators": 1, "co_operators": [1, 2], "connected": [1]}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=status(now, version="x", facts=facts))

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    monkeypatch.setattr("httpx.AsyncClient", lambda **_: client)
    tokens = tmp_path / "tokens"
    tokens.write_text("reading\ncontrolling\n")
    text = f"SSVAPIPort: 16000\nnode:\n  api_tokens_file: {tokens}\n"
    node = trio.run(ask_node, built(tmp_path, text).settings)
    assert asked[0].headers["authorization"] == "Bearer reading"
    found = {check.name: check for check in check_node(node)}
    assert found["registered"].verdict is Verdict.GOOD
    assert (found["p2p"].verdict, found["p2p"].advice) == (Verdict.POOR, "open it")
    assert found["co-operators"].found == "1 of 2 are connected, not 2"
    assert found["co-operators"].verdict is Verdict.AVERAGE


def test_no_answer_of_a_node_is_unknown_and_no_fault(tmp_path: Path) -> None:
    assert trio.run(ask_node, built(tmp_path).settings) is None
    (found,) = check_node(None)
    assert found.verdict is Verdict.UNKNOWN


def test_a_node_without_registration_or_co_operators_is_poor() -> None:
    alone = operator.NodeState("degraded", [], None, 1, [1, 2, 3], [])
    assert [(each.name, each.verdict) for each in check_node(alone)] == [
        ("registered", Verdict.POOR),
        ("co-operators", Verdict.POOR),
    ]


def test_a_key_that_does_not_open_is_poor(tmp_path: Path) -> None:
    settings = built(tmp_path).settings
    missing = replace(settings.operator_key, file=tmp_path / "none")
    assert check_key(replace(settings, operator_key=missing)).verdict is Verdict.POOR
    raw = replace(settings.operator_key, file=None, raw=Password.from_text("hush"))
    found = check_key(replace(settings, operator_key=raw))
    assert found.verdict is Verdict.AVERAGE
    assert "hush" not in str(found)
