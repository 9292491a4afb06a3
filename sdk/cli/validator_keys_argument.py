"""Which validators a command is about: public keys as arguments, or those of a keyshares file."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sdk.cli.inputs import load_keyshares_file, path_type
from sdk.errors import UsageError


def keys_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """`PUBLIC_KEYS…` and `--keyshares FILE`; the command receives `keys`, hex texts."""

    @wraps(command)
    def collected(**arguments: Any) -> Any:
        named: tuple[str, ...] = arguments.pop("public_keys")
        path: Path | None = arguments.pop("keyshares_file")
        if bool(named) == (path is not None):
            raise UsageError(
                "give either public keys or --keyshares with a file that has them", code="keys"
            )
        keys = named
        if path is not None:
            file = load_keyshares_file(path)
            keys = tuple("0x" + bytes(share.public_key).hex() for share in file.shares)
        return command(keys=keys, **arguments)

    named_keys = click.argument("public_keys", nargs=-1)
    from_file = click.option(
        "--keyshares", "keyshares_file", type=path_type, help="All validators of this file instead."
    )
    decorated: Callable[..., Any] = named_keys(from_file(collected))
    return decorated
