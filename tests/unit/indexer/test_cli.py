"""What the commands take, and what they say to nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.cli import indexer
from indexer.store.database import database
from indexer.sync.commands import _address
from sdk.errors import ConfigError, UsageError


@pytest.mark.parametrize("command", ["api", "run", "reset", "verify"])
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(indexer, [command, "--help"])
    assert shown.exit_code == 0
    assert "--database" in shown.output


def test_a_registry_is_needed() -> None:
    shown = CliRunner().invoke(indexer, ["run", "--rpc", "http://127.0.0.1:1"])
    assert shown.exit_code == 2
    assert "--registry" in shown.output


def test_metrics_are_shown_at_an_address() -> None:
    assert _address("127.0.0.1:9100") == ("127.0.0.1", 9100)
    with pytest.raises(UsageError, match="HOST:PORT"):
        _address("9100")


def test_an_address_of_something_else_is_no_database(tmp_path: Path) -> None:
    opening = database("mysql://a:secret@b", tmp_path)
    with pytest.raises(ConfigError, match="Postgres") as caught, opening:
        raise AssertionError("opened")
    assert "secret" not in str(caught.value)
