"""The one console command. Rooms above the SDK add their own groups by entry point.

A group is imported only when it is used, and the chain libraries only when a command runs that
needs them, so neither `phalanx keys` nor `phalanx --help` waits for web3.
Exit codes: 0 fine, 2 usage, 3 input, 4 chain state, 5 network or disk, 6 partly done, 70 our bug.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Final

import click

from sdk.cli.output import HELP_NAMES, show_error
from sdk.errors import InvariantBroken, PartialError, PhalanxError, StorageError, UsageError

COMMANDS_ENTRY_POINT: Final = "phalanx.commands"
_OWN_GROUPS: Final = {
    "cluster": "sdk.cli.clusters:cluster",
    "deploy": "sdk.cli.deploy:deploy",
    "keys": "sdk.cli.keys:keys",
    "liquidator": "sdk.cli.liquidator:liquidator",
    "network": "sdk.cli.network:network",
    "operator-keys": "sdk.cli.operator_keys:operator_keys",
    "operators": "sdk.cli.operators:operators",
    "owner": "sdk.cli.owners:owner",
    "prover": "sdk.cli.prover:prover",
    "validator-keys": "sdk.cli.validator_keys:validator_keys",
    "validators": "sdk.cli.validators:validators",
    "watch": "sdk.cli.watch:watch",
}


class _LazyGroup(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*_OWN_GROUPS, *(entry.name for entry in _other_groups())])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in _OWN_GROUPS:
            module, attribute = _OWN_GROUPS[name].split(":")
            command = getattr(import_module(module), attribute)
        else:
            entry = next((entry for entry in _other_groups() if entry.name == name), None)
            command = entry.load() if entry else None
        return command if isinstance(command, click.Command) else None

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            # Click itself would print an empty line first, which is no JSON.
            raise click.Abort from None


@click.group(cls=_LazyGroup, context_settings=HELP_NAMES)
@click.version_option(package_name="phalanx-dvt", prog_name="phalanx")
def phalanx() -> None:
    """Distributed validators: split keys, run an operator, read the registry.

    Unaudited software; not for mainnet funds.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with an exit code that tells the truth."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in words
    try:
        # Without standalone mode click returns the code of a command that ended by Exit.
        code = phalanx.main(args=words, prog_name="phalanx", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except PhalanxError as problem:
        show_error(problem, as_json=as_json)
        sys.exit(problem.exit_code)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        usage = UsageError(problem.format_message(), hint=_hint(problem))
        show_error(usage, as_json=as_json)
        sys.exit(usage.exit_code)
    except (KeyboardInterrupt, click.Abort):
        if not as_json:
            click.echo(err=True)  # leaves the line of the progress bar
        stopped = PartialError("stopped by the user", code="interrupted")
        show_error(stopped, as_json=as_json)
        sys.exit(stopped.exit_code)
    except OSError as problem:
        failed = StorageError(f"the system refused: {problem.strerror or type(problem).__name__}")
        show_error(failed, as_json=as_json)
        sys.exit(failed.exit_code)
    except Exception as problem:
        # Where it happened, but not what the exception says: that might quote an input.
        bug = InvariantBroken(
            f"unexpected {type(problem).__name__}",
            hint="This is a bug of ours: report it with the lines above.",
            data={"trace": traceback.format_tb(problem.__traceback__)},
        )
        if not as_json:
            click.echo("".join(traceback.format_tb(problem.__traceback__)), err=True)
        show_error(bug, as_json=as_json)
        sys.exit(bug.exit_code)


def _hint(problem: click.ClickException) -> str:
    """What to do about a wrong call."""
    missing = problem.param if isinstance(problem, click.MissingParameter) else None
    if missing is None or not isinstance(missing.envvar, str):
        return "See --help."
    return f"Give it, or set {missing.envvar}. See --help."


def _other_groups() -> Sequence[EntryPoint]:
    """Those that are here: what only a checkout has, such as the local network, is in no wheel."""
    found = entry_points(group=COMMANDS_ENTRY_POINT)
    here = [entry for entry in found if find_spec(entry.module.partition(".")[0]) is not None]
    return sorted(here, key=lambda entry: entry.name)


if __name__ == "__main__":
    main()
