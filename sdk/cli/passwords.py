"""Where passwords come from: a file, a folder, an environment variable, a descriptor, a prompt.

Never an argument: arguments stand in process lists and shell histories. Line ends after a password
in a file are not part of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from sdk.crypto.secret import Password
from sdk.errors import InputError, UsageError
from sdk.files import read_bounded

Command: TypeAlias = Callable[..., Any]

PASSWORD_MAX_BYTES: Final = 4096
"""Longer than any password; a larger file is the wrong file."""
_MAX_DESCRIPTOR: Final = 2**31 - 1
"""What fits the system's integer."""


@dataclass(frozen=True, slots=True)
class PasswordSource:
    """Where the user said a password is; no field set means the prompt.

    Raises:
        UsageError: `password_source`, more than one field is set.
    """

    file: Path | None = None
    env: str | None = None
    fd: int | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        if sum(place is not None for place in (self.file, self.env, self.fd, self.folder)) > 1:
            raise UsageError("more than one password source is given", code="password_source")

    def read(self, subject: str, *, confirm: bool = False) -> Password:
        """The password, from the prompt if no source was given.

        Args:
            subject: what the password is for, shown in the prompt.
            confirm: ask twice, for a new password.

        Raises:
            UsageError: `password_source`, neither a source nor a terminal to ask at.
            InputError: `password_empty`, `password_missing`, `password_too_long`,
                `file_unreadable`.
        """
        if self.file is not None:
            return from_file(self.file)
        if self.env is not None:
            return _from_environment(self.env)
        if self.fd is not None:
            return _from_descriptor(self.fd)
        return _ask(subject, confirm=confirm)

    def for_keystores(self) -> Callable[[Path], Password]:
        """The password of each keystore: its own file in the folder, or one read now for all."""
        folder = self.folder
        if folder is not None:
            return lambda keystore: from_file(folder / f"{keystore.stem}.txt")
        shared = self.read("the keystores")
        return lambda keystore: shared


def password_options(
    *, folder: bool = False, prefix: str = "password"
) -> Callable[[Command], Command]:
    """Click options `--<prefix>-file`, `-env`, `-fd` and, with `folder`, `--<prefix>-dir`.

    The command receives them as one `PasswordSource` argument named like the prefix. Two sources
    at once are a `password_source` usage error.
    """
    name = prefix.replace("-", "_")
    path = click.Path(path_type=Path)
    options: dict[str, Callable[[Command], Command]] = {
        "file": click.option(f"--{prefix}-file", type=path, help="File that holds the password."),
        "env": click.option(
            f"--{prefix}-env", metavar="NAME", help="Environment variable that holds the password."
        ),
        "fd": click.option(
            f"--{prefix}-fd",
            type=click.IntRange(0, _MAX_DESCRIPTOR),
            metavar="N",
            help="Open file descriptor to read the password from.",
        ),
    }
    if folder:
        options["dir"] = click.option(
            f"--{prefix}-dir",
            type=path,
            help="Folder with a file <keystore name>.txt for each keystore.",
        )

    def decorate(command: Command) -> Command:
        @wraps(command)
        def collected(**arguments: Any) -> Any:
            given = {kind: arguments.pop(f"{name}_{kind}") for kind in options}
            source = PasswordSource(
                given["file"], given["env"], given["fd"], folder=given.get("dir")
            )
            return command(**{name: source}, **arguments)

        decorated: Command = collected
        for option in reversed(options.values()):
            decorated = option(decorated)
        return decorated

    return decorate


def from_file(path: Path) -> Password:
    """The password in a file, without the line ends at its close."""
    return _checked(read_bounded(path, limit_bytes=PASSWORD_MAX_BYTES), str(path))


def _from_environment(name: str) -> Password:
    raw = os.environb.get(os.fsencode(name))
    if raw is None:
        raise InputError(f"environment variable {name} is not set", code="password_missing")
    return _checked(raw, f"environment variable {name}")


def _from_descriptor(number: int) -> Password:
    try:
        with os.fdopen(number, "rb", closefd=False) as stream:
            return _checked(stream.read(PASSWORD_MAX_BYTES + 1), f"descriptor {number}")
    except OSError as problem:
        raise InputError(
            f"cannot read descriptor {number}: {problem.strerror}", code="password_missing"
        ) from problem


def _ask(subject: str, *, confirm: bool) -> Password:
    if not sys.stdin.isatty():
        raise UsageError(
            f"no password given for {subject}, and no terminal to ask at",
            code="password_source",
            hint="Give --password-file, --password-env or --password-fd; see --help.",
        )
    text = click.prompt(
        f"Password for {subject}", hide_input=True, confirmation_prompt=confirm, err=True
    )
    return _checked(str(text).encode(), "the prompt")


def _checked(raw: bytes, source: str) -> Password:
    if len(raw) > PASSWORD_MAX_BYTES:
        raise InputError(
            f"{source} holds more than {PASSWORD_MAX_BYTES} bytes", code="password_too_long"
        )
    password = raw.rstrip(b"\r\n")
    if not password:
        raise InputError(f"{source} holds no password", code="password_empty")
    return Password(password)
