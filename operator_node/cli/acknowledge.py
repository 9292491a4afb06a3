"""`phalanx node acknowledge-slashings`: a person knows, and signing goes on."""

from __future__ import annotations

from pathlib import Path

import click

from operator_node.cli.configuration import config_option, load_settings
from operator_node.letterbox import ask
from sdk.cli.output import HELP_NAMES, Output, counted, json_option

LETTER = "acknowledge-slashings"


@click.command(LETTER, context_settings=HELP_NAMES)
@config_option
@json_option
def acknowledge_slashings(config_path: Path | None, as_json: bool) -> None:
    """Lets the running node sign again after own validators were slashed.

    First find out who signed twice, and with which key: every further signature may cost a stake.
    """
    output = Output(as_json=as_json)
    _, built = load_settings(config_path, output)
    answer = ask(built.settings.data_folder, LETTER, {})
    count = int(answer.get("acknowledged", "0"))
    output.result({"acknowledged": count}, f"acknowledged {counted(count, 'slashing')}")
