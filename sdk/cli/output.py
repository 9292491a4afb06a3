"""What a command says: steps on stderr, the result on stdout, for people or (`--json`) programs.

With `--json`, stdout carries one JSON object, and stderr one JSON object per line: steps, progress
and errors. Nothing here ever receives a secret.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import click

from sdk.errors import PhalanxError
from sdk.findings import Finding

HELP_NAMES: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}
"""Settings of the root, and of commands that tests call without it: click remembers at the first
call which options ask for help."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on stdout; steps as JSON on stderr."
)
dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    help="Read and check the inputs and say what would be written; write nothing.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace an existing file (never happens otherwise)."
)


class Output:
    """One command's voice.

    Args:
        as_json: for programs instead of people.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def step(self, text: str, **facts: object) -> None:
        """Says what the command does now."""
        if self.as_json:
            self._line({"event": "step", "text": text, **facts})
        else:
            click.echo(f"==> {plain(text)}", err=True)

    def note(self, text: str, **facts: object) -> None:
        """Something the user should know that is no error."""
        if self.as_json:
            self._line({"event": "note", "text": text, **facts})
        else:
            click.echo(f"note: {plain(text)}", err=True)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Findings for people; programs get them in the result."""
        if self.as_json:
            return
        for finding in findings:
            colour = "red" if finding.severity == "error" else "yellow"
            label = click.style(f"{finding.severity} {finding.code}", fg=colour)
            click.echo(f"{label}  {plain(finding.where)}: {plain(finding.message)}")
            if finding.hint:
                click.echo(f"    {finding.hint}")

    def result(self, facts: Mapping[str, object], text: str) -> None:
        """The result: `facts` for programs, `text` for people."""
        click.echo(json.dumps(facts, indent=2, default=str) if self.as_json else plain(text))

    def progress(self, total: int, label: str) -> Progress:
        """Progress of long work; call `advance` after each item."""
        return Progress(self, total, label)

    def _line(self, facts: Mapping[str, object]) -> None:
        click.echo(json.dumps(facts, default=str), err=True)


class Progress:
    """A progress bar with time remaining on a terminal, a line per step otherwise."""

    def __init__(self, output: Output, total: int, label: str) -> None:
        self._output = output
        self._total = total
        self._label = label
        self._started = time.monotonic()
        self._fresh = 0

    def advance(self, done: int, subject: str, problem: str = "") -> None:
        """Tells that `done` of the total items are finished, the last of them `subject`."""
        self._fresh += 1
        spent = time.monotonic() - self._started
        remaining_seconds = round((self._total - done) * spent / self._fresh)
        if self._output.as_json:
            facts: dict[str, Any] = {"event": "progress", "done": done, "total": self._total}
            facts |= {"item": subject, "remaining_seconds": remaining_seconds}
            self._output._line(facts | ({"error": problem} if problem else {}))
            return
        tail = f", about {remaining_seconds} s left" if done < self._total else ""
        text = f"{self._label} {done}/{self._total}{tail}"
        problem = plain(problem)
        if problem:
            click.echo(f"\r\033[K{problem}" if sys.stderr.isatty() else problem, err=True)
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{text}", err=True, nl=done == self._total)
        elif done == self._total or self._total <= 20 or done % (self._total // 10) == 0:
            click.echo(text, err=True)


def plain(text: str) -> str:
    """The text with control codes written out: what a file holds must not steer the terminal."""
    return "".join(
        char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text
    )


def counted(number: int, noun: str) -> str:
    """`1 validator`, `3 validators`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def finding_facts(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Findings as plain values for JSON."""
    return [asdict(finding) for finding in findings]


def show_error(problem: PhalanxError, *, as_json: bool) -> None:
    """The error on stderr: for people one message, for programs one JSON object."""
    if as_json:
        facts = {"event": "error", "code": problem.code, "message": problem.message}
        click.echo(
            json.dumps(facts | {"hint": problem.hint, "data": problem.data}, default=str), err=True
        )
        return
    click.echo(click.style("error: ", fg="red") + plain(problem.message), err=True)
    if problem.hint:
        click.echo(f"       {problem.hint}", err=True)
