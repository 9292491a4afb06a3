"""`phalanx deploy`: runs deploy/contracts.py in the contracts environment.

Ape and web3 8 cannot share an environment, so this only passes words, streams and the exit code.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import click

from sdk.errors import ConfigError

ROOT: Final = Path(__file__).resolve().parents[2]
_COMMANDS: Final = {
    "plan": "Say what a deployment would send and cost.",
    "run": "Deploy, or go on where it stopped.",
    "verify-input": "Compare the published inputs with the chain.",
    "propose-upgrade": "Deploy new code and propose it to the timelock.",
    "propose-parameter": "Propose a governance call to the timelock.",
    "queue": "List what the timelock holds, and the time left.",
    "execute": "Execute a proposal whose delay has passed.",
}


@click.group()
def deploy() -> None:
    """Deploy the registry, and upgrade and govern it through its timelock.

    Works in a checkout of the repository. Nothing is sent without --broadcast: every command is a
    dry run first. docs/deployment.md is the manual.
    """


def _add(name: str, summary: str) -> None:
    """A command that hands every word, --help too, to the script."""

    @deploy.command(
        name,
        help=summary,
        context_settings={
            "ignore_unknown_options": True,
            "allow_extra_args": True,
            "help_option_names": [],
        },
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def forward(context: click.Context, words: tuple[str, ...]) -> None:
        context.exit(_run([name, *words]))


for _name, _summary in _COMMANDS.items():
    _add(_name, _summary)


def _run(words: list[str]) -> int:
    """Exit code of the script; it speaks on our streams.

    Raises:
        ConfigError: `checkout_missing`, this installation has no sources or no Ape.
    """
    runner = ROOT / "deploy" / "toolchain" / "run"
    python = ROOT / ".venv-contracts" / "bin" / "python"
    script = ROOT / "deploy" / "contracts.py"
    for needed in (runner, python, script):
        if not needed.exists():
            raise ConfigError(
                f"{needed} is missing",
                code="checkout_missing",
                hint="Deployments start from a checkout of the repository, after `make setup`.",
            )
    return subprocess.run([runner, python, script, *words]).returncode  # noqa: S603 - fixed program
