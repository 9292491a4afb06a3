"""`phalanx node doctor`: whether machine, upstreams and surroundings are fit for a node."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import trio

from operator_node.cli.configuration import config_option, load_settings
from operator_node.doctor import Verdict, examine, overall, report
from sdk.cli.output import HELP_NAMES, Output, json_option

UNFIT: int = 3


@click.command(context_settings=HELP_NAMES)
@config_option
@json_option
def doctor(config_path: Path | None, as_json: bool) -> None:
    """Measures disk, machine, beacon and execution nodes, ports, key and co-operators.

    Each is good, average or poor, with advice; exit code 3 if anything is poor. It changes nothing,
    and may be used beside a running node.
    """
    output = Output(as_json=as_json)
    _, built = load_settings(config_path, output)
    output.step("looking at machine and upstreams, which takes up to a minute")
    checks = trio.run(partial(examine, built.settings))
    verdict = overall(checks)
    facts = {"verdict": verdict.value, "checks": [asdict(check) for check in checks]}
    output.result(facts, report(checks))
    if verdict is Verdict.POOR:
        raise click.exceptions.Exit(UNFIT)
