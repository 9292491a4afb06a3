"""`python -m deploy.devnet`: the commands of `phalanx devnet`, where that is not installed."""

from __future__ import annotations

import sys

import click

from deploy.devnet.cli import devnet
from sdk.cli.output import show_error
from sdk.errors import PhalanxError, UsageError


def main() -> None:
    """Runs the command and ends the process with an exit code that tells the truth."""
    as_json = "--json" in sys.argv
    try:
        code = devnet.main(prog_name="phalanx devnet", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except PhalanxError as problem:
        show_error(problem, as_json=as_json)
        sys.exit(problem.exit_code)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        usage = UsageError(problem.format_message(), hint="See --help.")
        show_error(usage, as_json=as_json)
        sys.exit(usage.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
