"""Deploys, upgrades and governs the registry. `phalanx deploy` starts it in .venv-contracts.

Nothing is sent without --broadcast. docs/deployment.md is the manual.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

# Started as a file, Python would look for our packages in this folder alone.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import click  # noqa: E402 - after the path

from deploy.contracts_parts.commands import execute, propose_parameter, queue  # noqa: E402
from deploy.contracts_parts.deployment import plan, run, verify_input  # noqa: E402
from deploy.contracts_parts.upgrade import propose_upgrade  # noqa: E402
from sdk.cli.output import show_error  # noqa: E402
from sdk.errors import InvariantBroken, PartialError, PhalanxError, UsageError  # noqa: E402


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def deploy() -> None:
    """Deploy the registry, and upgrade and govern it through its timelock.

    Unaudited software; not for mainnet funds. Nothing is sent without --broadcast.
    """


for command in (plan, run, verify_input, propose_upgrade, propose_parameter, queue, execute):
    deploy.add_command(command)


def main(words: list[str]) -> int:
    """Runs a command; its exit code is that of every `phalanx` command."""
    problem: PhalanxError
    try:
        code = deploy.main(args=words, prog_name="phalanx deploy", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except PhalanxError as found:
        problem = found
    except click.ClickException as found:
        problem = UsageError(found.format_message(), hint="See --help.")
    except (KeyboardInterrupt, click.Abort):
        problem = PartialError(
            "stopped", code="interrupted", hint="The same command goes on where it stopped."
        )
    except Exception as found:
        # Where it happened, but not what the exception says: that might quote an input.
        click.echo("".join(traceback.format_tb(found.__traceback__)), err=True)
        problem = InvariantBroken(
            f"unexpected {type(found).__name__}", hint="This is a bug of ours: report it."
        )
    show_error(problem, as_json="--json" in words)
    return problem.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
