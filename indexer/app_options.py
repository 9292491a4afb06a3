"""What an API process is told beside its database and address: whom it may ask and whom it trusts.

Source: docs/api.md, "Running it".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from indexer.settings import BEACON_VARIABLE, METADATA_VARIABLE, RPC_VARIABLE
from sdk.errors import UsageError

Command: TypeAlias = Callable[..., Any]
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The parts of an API process that may be missing.

    Attributes:
        rpc_url: execution node that may be asked; its address often holds a key.
        beacon_url: beacon node that the explorer may ask; its address may hold a key too.
        metadata_url: database that signed metadata is written to; None: the one that is read.
        keys_path: file of API keys.
        origins: of pages of other sites that may write.
    """

    rpc_url: str | None = field(default=None, repr=False)
    beacon_url: str | None = field(default=None, repr=False)
    metadata_url: str | None = field(default=None, repr=False)
    keys_path: Path | None = None
    origins: tuple[str, ...] = ()


def api_options(command: Command) -> Command:
    """Options of `phalanx indexer api`; the command takes them as `ApiSettings`."""

    @wraps(command)
    def with_settings(
        rpc_url: str | None,
        beacon_url: str | None,
        metadata_url: str | None,
        keys_path: Path | None,
        origins: tuple[str, ...],
        **more: Any,
    ) -> Any:
        for each in origins:
            if _ORIGIN.fullmatch(each) is None:
                raise UsageError(
                    f"--origin {each!r} is no origin", hint="Such as https://app.example.org."
                )
        settings = ApiSettings(
            # The variable may name several, for `run`; the first one will do here.
            rpc_url=next(iter((rpc_url or "").split()), None),
            beacon_url=beacon_url or None,
            metadata_url=metadata_url,
            keys_path=keys_path,
            origins=origins,
        )
        return command(settings=settings, **more)

    wrapped: Command = with_settings
    for option in _OPTIONS:
        wrapped = option(wrapped)
    return wrapped


_OPTIONS: Final = (
    click.option(
        "--origin",
        "origins",
        multiple=True,
        metavar="ORIGIN",
        help="Pages from there may write metadata in a browser; again for more. All may read.",
    ),
    click.option(
        "--keys",
        "keys_path",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File of API keys with their rates.",
    ),
    click.option(
        "--metadata-database",
        "metadata_url",
        envvar=METADATA_VARIABLE,
        metavar="URL",
        help="Where signed metadata is written if --database is a replica.",
    ),
    click.option(
        "--beacon",
        "beacon_url",
        envvar=BEACON_VARIABLE,
        metavar="URL",
        help="Beacon node by which the explorer tells whether a validator signs.",
    ),
    click.option(
        "--rpc",
        "rpc_url",
        envvar=RPC_VARIABLE,
        metavar="URL",
        help="Execution node for gas, confirmed snapshots and pending nonces; none is asked if "
        "not given.",
    ),
)
