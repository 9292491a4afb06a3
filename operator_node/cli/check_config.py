"""`phalanx node check-config`: what a node would run with, before anything is opened."""

from __future__ import annotations

from pathlib import Path

import click

from operator_node.cli.configuration import config_option, load_settings
from operator_node.config import check_named_files, describe
from sdk.cli.output import HELP_NAMES, Output, counted, json_option
from sdk.types import checksum_address


@click.command("check-config", context_settings=HELP_NAMES)
@config_option
@json_option
def check_config(config_path: Path | None, as_json: bool) -> None:
    """Checks the configuration and shows every effective value with its origin.

    Looks whether the files it names can be used, decrypts no key and asks no node; secrets are
    masked.
    """
    output = Output(as_json=as_json)
    sources, built = load_settings(config_path, output)
    check_named_files(built.settings)
    lines = tuple(describe(sources))
    width = max(len(line.path) for line in lines)
    network = built.settings.network
    registry = checksum_address(network.registry)
    output.result(
        {
            "values": {line.path: {"value": line.value, "origin": line.origin} for line in lines},
            "network": {
                "name": network.name,
                "registry": registry,
                "registry_block": network.registry_block,
                "domain": f"0x{network.domain.hex()}",
            },
            "notices": list(built.notices),
            "warnings": list(built.warnings),
        },
        "\n".join(
            [
                *(f"{line.path:<{width}}  {line.value}  ({line.origin})" for line in lines),
                f"network {network.name}: registry {registry} from block {network.registry_block}",
                f"the configuration is usable, with {counted(len(built.warnings), 'warning')}",
            ]
        ),
    )
