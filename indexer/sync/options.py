"""Options that the indexer's commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from indexer.settings import (
    DATABASE_VARIABLE,
    FOLDER,
    REGISTRY_VARIABLE,
    RPC_VARIABLE,
    Settings,
)
from sdk.cli.inputs import AddressType
from sdk.networks import NETWORKS, find_by_name
from sdk.types import Address, BlockNumber

Command: TypeAlias = Callable[..., Any]


def database_options(command: Command) -> Command:
    """Where the tables are."""
    for option in (
        click.option(
            "--data",
            "folder",
            type=click.Path(file_okay=False, path_type=Path),
            default=FOLDER,
            show_default=True,
            envvar="PHALANX_INDEXER_DATA",
            help="Folder of the Postgres that is started where no database is given.",
        ),
        click.option(
            "--database",
            "database_url",
            envvar=DATABASE_VARIABLE,
            metavar="URL",
            help="A Postgres of your own, postgresql://...; with a password into DATABASE_URL.",
        ),
    ):
        command = option(command)
    return command


def chain_options(command: Command) -> Command:
    """Which registry, and from which nodes; the command takes them as `Settings`."""

    @wraps(command)
    def with_settings(
        rpc: tuple[str, ...],
        registry: Address,
        network: str | None,
        start_block: int,
        folder: Path,
        database_url: str | None,
        **more: Any,
    ) -> Any:
        known = None if network is None else find_by_name(network)
        settings = Settings(
            rpc_urls=rpc,
            registry=registry,
            first_block=BlockNumber(start_block),
            chain_id=None if known is None else known.chain_id,
            database_url=database_url,
            folder=folder,
        )
        return command(settings=settings, **more)

    wrapped: Command = database_options(with_settings)
    for option in (
        click.option(
            "--start-block",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            envvar="PHALANX_START_BLOCK",
            help="Block of the registry's deployment; nothing older is read.",
        ),
        click.option(
            "--network",
            type=click.Choice([network.name for network in NETWORKS]),
            envvar="PHALANX_NETWORK",
            help="What the nodes must follow; whatever the first one follows if not given.",
        ),
        click.option(
            "--registry",
            type=AddressType(),
            envvar=REGISTRY_VARIABLE,
            required=True,
            help="The registry's address.",
        ),
        click.option(
            "--rpc",
            envvar=RPC_VARIABLE,
            multiple=True,
            required=True,
            metavar="URL",
            help="Execution node; again for another one, asked when the first fails.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped
