"""What commands share that work on the slashing record of a stopped node.

Source: docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from operator_node.cli.configuration import config_option, load_settings
from operator_node.config import Settings
from operator_node.signer.record_file import Owner
from sdk.cli.output import Output, json_option
from sdk.errors import StorageError, UsageError
from sdk.types import parse_hex

_F = TypeVar("_F", bound=Callable[..., Any])
_ROOT_BYTES: Final = 32

_root_option = click.option(
    "--genesis-validators-root",
    "root_text",
    metavar="HEX",
    help="Of the chain, where the configuration's network does not say it.",
)


def for_a_record(command: _F) -> _F:
    """The options that name a record: `config_path`, `root_text`, and `as_json`."""
    return config_option(_root_option(json_option(command)))


class Found(NamedTuple):
    """Where the record is, whose it must be, and the settings that say so."""

    path: Path
    owner: Owner
    settings: Settings


def find_record(config_path: Path | None, root_text: str | None, output: Output) -> Found:
    """The record of the node that the settings describe; it need not exist.

    Args:
        config_path: of the settings' file.
        root_text: `--genesis-validators-root`.
        output: is told what `load_settings` notices.

    Raises:
        UsageError: `root_missing`.
        ConfigError: see `load_settings`.
    """
    _, built = load_settings(config_path, output)
    network = built.settings.network
    root = network.genesis_validators_root
    if root_text is not None:
        root = parse_hex(root_text, what="--genesis-validators-root", length=_ROOT_BYTES)
    if root is None:
        raise UsageError(
            f"the genesis validators root of network {network.name} is not known",
            code="root_missing",
            hint="Give --genesis-validators-root, or set it in the network's section.",
        )
    return Found(built.settings.slashing_record, Owner(network.name, root), built.settings)


def existing(path: Path) -> Path:
    """The same path.

    Raises:
        StorageError: `record_missing`.
    """
    if not path.exists():
        raise StorageError(
            f"there is no slashing record at {path}",
            code="record_missing",
            hint="Check db.Path in the configuration.",
        )
    return path
