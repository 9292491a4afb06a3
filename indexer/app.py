"""The API as a process: database, routes, server, put together and run until cancelled.

Any number of these run beside the one writer, on its database or on a replica of it; they share
nothing but the tables. Where the database is, is the caller's business (`indexer.store.database`).

Source: docs/api.md, "Running it".
"""

from __future__ import annotations

import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import trio
from hypercorn.config import Config
from hypercorn.trio import serve as hypercorn_serve

from indexer.api.app import Manners, Parts, make_app
from indexer.api.keys import Keys, read_keys
from indexer.api.limits import DEFAULT_BURST, DEFAULT_PER_SECOND
from indexer.api.node import Node
from indexer.app_options import ApiSettings, api_options
from indexer.compat import mount as mount_v4
from indexer.explorer import mount as mount_explorer
from indexer.graphql import mount as mount_graphql
from indexer.queries.connections import CONNECTIONS, open_database
from indexer.store import database
from indexer.sync.options import database_options
from sdk.cli.output import Output, json_option
from sdk.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # the stubs that other libraries bring do not know trio's

LISTEN: Final = "127.0.0.1:8640"
MOST_PORT: Final = 65_535
GRACE_S: Final = 1.0
"""For answers that are under way when the process is told to end; streams are cut."""
KEEP_ALIVE_S: Final = 75.0
BACKLOG: Final = 256
HEADER_BYTES: Final = 16 * 1024
"""A request line with the longest query, and its headers."""


@click.command()
@database_options
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=LISTEN,
    show_default=True,
    help="Where to serve.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1),
    default=DEFAULT_PER_SECOND,
    show_default=True,
    help="Requests a second that one address may make for long.",
)
@click.option(
    "--burst",
    type=click.IntRange(min=50),
    default=DEFAULT_BURST,
    show_default=True,
    help="Requests that it may make at once.",
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="Take addresses from X-Forwarded-For. Only behind a proxy of yours.",
)
@api_options
@json_option
def api(
    folder: Path,
    database_url: str | None,
    listen: str,
    rate: float,
    burst: int,
    behind_proxy: bool,
    settings: ApiSettings,
    as_json: bool,
) -> None:
    """Serves the API until SIGTERM or Ctrl-C; any number may run beside one `run`."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MOST_PORT:
        raise UsageError(f"--listen {listen!r} is no HOST:PORT", hint="Such as 127.0.0.1:8640.")
    output = Output(as_json=as_json)
    with database(database_url, folder) as url:
        trio.run(
            partial(
                _serve_until_told,
                output,
                database_url=url,
                host=host.strip("[]"),
                port=int(port),
                manners=Manners(
                    per_second=rate,
                    burst=burst,
                    trusts_proxy=behind_proxy,
                    keys=Keys({}) if settings.keys_path is None else read_keys(settings.keys_path),
                    writers=settings.origins,
                ),
                settings=settings,
            )
        )
    output.step("stopped")


async def _serve_until_told(output: Output, **told: Any) -> None:
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            port = await nursery.start(partial(serve, **told))
            output.step(f"serving at http://{told['host']}:{port}", port=port)
            async for _ in signals:
                break
        nursery.cancel_scope.cancel()


async def serve(
    *,
    database_url: str,
    host: str,
    port: int,
    manners: Manners | None = None,
    settings: ApiSettings = ApiSettings(),  # noqa: B008 - frozen
    connections: int = CONNECTIONS,
    task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until cancelled; started with the port once it listens.

    Args:
        database_url: `postgresql://…`, of the writer's server or a replica.
        host: to listen on.
        port: 0 takes any.
        manners: towards those who ask.
        settings: parts that may be missing.
        connections: to the database, most at once.
        task_status: told the port.

    Raises:
        ConfigError: the address is taken or not this machine's, or the database's cannot be read.
    """
    engine = open_database(database_url, connections=connections)
    node = None if settings.rpc_url is None else Node(settings.rpc_url)
    written = settings.metadata_url or database_url
    app = make_app(Parts(engine, time.monotonic, manners or Manners(), node, written))
    mount_graphql(app, time.monotonic)
    mount_v4(app)
    mount_explorer(app)
    listening = _listen(host, port)
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.graceful_timeout = GRACE_S
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.h11_max_incomplete_size = HEADER_BYTES
    # Hypercorn's own binding leaks the socket when the port is taken.
    config.bind = [f"fd://{listening.detach()}"]
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.state.feed.bell.listen, database_url)
            bound = await nursery.start(hypercorn_serve, app, config)
            task_status.started(int(bound[0].rsplit(":", 1)[1]))
    finally:
        engine.dispose()
        if node is not None:
            node.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as failure:
        raise ConfigError(
            f"the API cannot listen on {host}:{port}: {failure.strerror}",
            code="api_port",
            hint="Choose another port, or stop the process that has it.",
        ) from failure
