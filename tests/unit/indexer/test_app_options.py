"""What an API process is told: checked at once, and never shown if it may hold a password."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from indexer.app_options import ApiSettings, api_options
from sdk.errors import UsageError


def told(*arguments: str, **variables: str) -> ApiSettings:
    """The settings of a command with these arguments."""
    found: list[ApiSettings] = []

    @click.command()
    @api_options
    def command(settings: ApiSettings, **_: Any) -> None:
        found.append(settings)

    ran = CliRunner().invoke(command, arguments, env=variables, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return found[0]


def test_nothing_is_asked_and_nobody_listed_unless_told() -> None:
    assert told(PHALANX_RPC="", PHALANX_BEACON="", PHALANX_METADATA_DATABASE="") == ApiSettings()


def test_the_first_of_several_nodes_in_the_variable_is_taken() -> None:
    found = told(PHALANX_RPC="http://one:8545 http://two:8545")
    assert found.rpc_url == "http://one:8545"


def test_addresses_do_not_show() -> None:
    found = told(
        *("--rpc", "http://key@node", "--beacon", "http://key@beacon"),
        *("--metadata-database", "postgresql://u:key@db/x"),
    )
    assert found.beacon_url == "http://key@beacon"
    assert found.metadata_url == "postgresql://u:key@db/x"
    assert "key" not in repr(found).replace("keys_path", "")


@pytest.mark.parametrize("origin", ["*", "app.example.org", "https://app.example.org/", "null"])
def test_an_origin_has_scheme_and_host_and_no_more(origin: str) -> None:
    with pytest.raises(UsageError, match="no origin"):
        told("--origin", origin)
    assert told("--origin", "https://a.org", "--origin", "http://localhost:3000").origins == (
        "https://a.org",
        "http://localhost:3000",
    )
