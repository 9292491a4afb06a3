"""`check-config` shows what a node would run with, and no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from operator_node.cli.check_config import check_config
from sdk.errors import ConfigError
from tests.unit.operator_node.config.files import BASE


def run(folder: Path, text: str, *options: str, **variables: str) -> tuple[str, str]:
    path = folder / "config.yaml"
    path.write_text(text.replace("./key.json", str(folder / "key.json")))
    result = CliRunner().invoke(check_config, ["-c", str(path), *options], env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout, result.stderr


@pytest.fixture(autouse=True)
def key(tmp_path: Path) -> Path:
    return private(tmp_path / "key.json", "{}")


def private(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


def test_effective_values_are_shown_with_their_origin(tmp_path: Path) -> None:
    out, err = run(tmp_path, BASE, TCP_PORT="14001", NETWORK="hoodi")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "p2p.TcpPort 14001 (TCP_PORT)" in lines
    assert "p2p.UdpPort 12001 (default)" in lines
    assert f"KeyStore.PrivateKeyFile {tmp_path}/key.json (config.yaml)" in lines
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
    out, err = run(
        tmp_path,
        BASE + "WithPing: true\n",
        "--json",
        BEACON_NODE_ADDR="http://one:1",
        NETWORK="mainnet",
    )
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


def test_mainnet_by_default_counts_as_a_warning(tmp_path: Path) -> None:
    out, err = run(tmp_path, BASE)
    assert out.endswith("the configuration is usable, with 1 warning\n")
    assert "warning: ssv.Network is not set, so this node runs on MAINNET" in err


@pytest.mark.parametrize("content", ["", " \n\t"])
def test_blank_files_are_refused_by_setting_and_path(tmp_path: Path, content: str) -> None:
    key = private(tmp_path / "key.json", content)
    password = private(tmp_path / "password", content)
    tokens = private(tmp_path / "tokens", content)
    variables = {"PASSWORD_FILE": str(password), "NODE_API_TOKENS_FILE": str(tokens)}
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, BASE, **variables)
    assert caught.value.data["faults"] == [
        f"KeyStore.PrivateKeyFile: {key} is empty. Name the file that holds it.",
        f"KeyStore.PasswordFile: {password} is empty. Name the file that holds it.",
        f"node.api_tokens_file: {tokens} is empty. Name the file that holds it.",
    ]


def test_missing_file_folder_and_open_file_are_refused(tmp_path: Path, key: Path) -> None:
    def refused(**variables: str) -> str:
        with pytest.raises(ConfigError) as caught:
            run(tmp_path, BASE, **variables)
        return caught.value.message.removeprefix("the configuration cannot be used: ")

    none = tmp_path / "none"
    assert refused(PASSWORD_FILE=str(none)) == (
        f"KeyStore.PasswordFile: cannot read {none}: No such file or directory. "
        "Check the path and its permissions."
    )
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for other in (tmp_path, pipe):
        problem = f"KeyStore.PasswordFile: {other} is no file. Name a file."
        assert refused(PASSWORD_FILE=str(other)) == problem
    key.chmod(0o640)
    assert refused() == (
        f"KeyStore.PrivateKeyFile: {key} has mode 0640: others than its owner may use it. "
        f"Say: chmod 600 {key}"
    )
