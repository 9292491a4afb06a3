"""`check-config` shows what a node would run with, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from operator_node.cli.check_config import check_config
from sdk.errors import ConfigError
from tests.unit.operator_node.config.files import BASE


def run(folder: Path, text: str, *options: str, **variables: str) -> tuple[str, str]:
    path = folder / "config.yaml"
    path.write_text(text)
    result = CliRunner().invoke(check_config, ["-c", str(path), *options], env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout, result.stderr


def test_effective_values_are_shown_with_their_origin(tmp_path: Path) -> None:
    out, err = run(tmp_path, BASE, TCP_PORT="14001")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "p2p.TcpPort 14001 (TCP_PORT)" in lines
    assert "p2p.UdpPort 12001 (default)" in lines
    assert "KeyStore.PrivateKeyFile ./key.json (config.yaml)" in lines
    assert lines[-1] == "the configuration is usable, with 0 warnings"
    assert err == ""


def test_secrets_are_masked(tmp_path: Path) -> None:
    text = BASE.replace("http://one:5052", "http://me:hush@one:5052/hush")
    for options in ((), ("--json",)):
        out, err = run(tmp_path, text, *options, OPERATOR_KEY="hush", NETWORK_PRIVATE_KEY="hush")
        assert "hush" not in out + err
        assert "<redacted>" in out
    address = json.loads(out)["values"]["eth2.BeaconNodeAddr"]["value"]
    assert address == "http://one:5052/…;http://two:5052"


def test_json_has_values_network_notices_and_warnings(tmp_path: Path) -> None:
    out, err = run(tmp_path, BASE + "WithPing: true\n", "--json", BEACON_NODE_ADDR="http://one:1")
    found = json.loads(out)
    assert found["values"]["eth2.BeaconNodeAddr"] == {
        "value": "http://one:1",
        "origin": "BEACON_NODE_ADDR",
    }
    assert found["network"]["domain"] == "0x00000001"
    assert found["notices"] == ["WithPing has no effect here"]
    assert len(found["warnings"]) == 1
    assert all(json.loads(line)["event"] == "note" for line in err.splitlines())


def test_configuration_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no operator key is named"):
        run(tmp_path, "")
