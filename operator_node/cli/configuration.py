"""The `--config` option of commands that need a node's settings, and reading what it names."""

from __future__ import annotations

import os
from pathlib import Path

import click

from operator_node.config import Built, Sources, build, read_sources
from sdk.cli.inputs import path_type
from sdk.cli.output import Output

config_option = click.option(
    "--config",
    "-c",
    "config_path",
    type=path_type,
    envvar="CONFIG_PATH",
    show_envvar=True,
    help="YAML file; variables of the environment win over it.",
)


def load_settings(path: Path | None, output: Output) -> tuple[Sources, Built]:
    """What is written and what it comes to; notices and warnings are said.

    Raises:
        InputError: `file_unreadable`.
        ConfigError: `config_malformed`, `config_invalid`.
    """
    sources = read_sources(path, os.environ)
    built = build(sources)
    for text in built.notices:
        output.note(text)
    for text in built.warnings:
        output.note(f"warning: {text}", severity="warning")
    return sources, built
