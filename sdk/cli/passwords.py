"""Where passwords come from: a file, a folder, an environment variable, a descriptor, a prompt.

Never an argument: arguments stand in process lists and shell histories. Line ends after a password
in a file are not part of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
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


def password_options(
    *, folder: bool = False, prefix: str = "password"
) -> Callable[[Command], Command]:
    """Click options `--<prefix>-file`, `-env`, `-fd` and, with `folder`, `--<prefix>-dir`."""
    name = prefix.replace("-", "_")
    options: list[Callable[[Command], Command]] = [
        click.option(
            f"--{prefix}-file",
            f"{name}_file",
            type=click.Path(path_type=Path),
            help="File that holds the password.",
        ),
        click.option(
            f"--{prefix}-env",
            f"{name}_env",
            metavar="NAME",
            help="Environment variable that holds the password.",
        ),
        click.option(
            f"--{prefix}-fd",
            f"{name}_fd",
            type=click.IntRange(0, _MAX_DESCRIPTOR),
            metavar="N",
            help="Open file descriptor to read the password from.",
        ),
    ]
    if folder:
        options.append(
            click.option(
                f"--{prefix}-dir",
                f"{name}_dir",
                type=click.Path(path_type=Path),
                help="Folder with a file <keystore name>.txt for each keystore.",
            )
        )

    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def one_password(
    *, file: Path | None, env: str | None, fd: int | None, subject: str, confirm: bool = False
) -> Password:
    """The password from the one source given, or from a prompt.

    Args:
        file: path of a password file.
        env: name of an environment variable.
        fd: number of an open descriptor.
        subject: what the password is for, shown in the prompt.
        confirm: ask twice, for a new password.

    Raises:
        UsageError: `password_source`, more than one source, or none and no terminal to ask at.
        InputError: `password_empty`, `password_missing`, `password_too_long`, `file_unreadable`.
    """
    given = [source for source in (file, env, fd) if source is not None]
    if len(given) > 1:
        raise UsageError("more than one password source is given", code="password_source")
    if file is not None:
        return from_file(file)
    if env is not None:
        raw = os.environb.get(os.fsencode(env))
        if raw is None:
            message = f"environment variable {env} is not set"
            raise InputError(message, code="password_missing")
        return _checked(raw, f"environment variable {env}")
    if fd is not None:
        try:
            with os.fdopen(fd, "rb", closefd=False) as stream:
                return _checked(stream.read(PASSWORD_MAX_BYTES + 1), f"descriptor {fd}")
        except OSError as problem:
            raise InputError(
                f"cannot read descriptor {fd}: {problem.strerror}", code="password_missing"
            ) from problem
    return _ask(subject, confirm=confirm)


def from_file(path: Path) -> Password:
    """The password in a file; bytes after the first line end at the close are not part of it."""
    return _checked(read_bounded(path, limit_bytes=PASSWORD_MAX_BYTES), str(path))


def _ask(subject: str, *, confirm: bool) -> Password:
    if not sys.stdin.isatty():
        raise UsageError(
            f"no password given for {subject}, and no terminal to ask at",
            code="password_source",
            hint="Use a password file, an environment variable or a descriptor.",
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
