"""The API as a process: database, routes, server, put together and run until cancelled.

Any number of these run beside the one writer, on its database or on a replica of it; they share
nothing but the tables. Where the database is, is the caller's business (`indexer.store.database`).

Source: docs/api.md, "Running it".
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import trio

from indexer.api.app import Manners, Parts, make_app
from indexer.api.beacon import Beacon
from indexer.api.keys import Keys, read_keys
from indexer.api.limits import DEFAULT_BURST, DEFAULT_PER_SECOND
from indexer.api.node import Node
from indexer.app_options import ApiSettings, api_options
from indexer.compat import mount as mount_v4
from indexer.explorer import mount as mount_explorer
from indexer.graphql import mount as mount_graphql
from indexer.processes import MOST_PROCESSES, Work, serve_together
from indexer.queries.connections import CONNECTIONS, open_database
from indexer.serving import serve_app
from indexer.store import database
from indexer.sync.options import database_options
from sdk.cli.output import Output, json_option
from sdk.errors import ConfigError, PhalanxError, UsageError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # the stubs that other libraries bring do not know trio's

LISTEN: Final = "127.0.0.1:8640"
MOST_PORT: Final = 65_535
BACKLOG: Final = 256


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
    "--processes",
    type=click.IntRange(1, MOST_PROCESSES),
    default=1,
    show_default=True,
    help="Serve with so many; one keeps about one core busy.",
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
    processes: int,
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
    manners = Manners(
        per_second=rate,
        burst=burst,
        trusts_proxy=behind_proxy,
        keys=Keys({}) if settings.keys_path is None else read_keys(settings.keys_path),
        writers=settings.origins,
    )
    host = host.strip("[]")
    with ExitStack() as stack:
        url = stack.enter_context(database(database_url, folder))
        sockets = [stack.enter_context(each) for each in _listen(host, int(port), processes)]
        works = [
            partial(
                serve_at,
                listening=each,
                database_url=url,
                manners=manners,
                settings=settings,
                process=number if processes > 1 else None,
            )
            for number, each in enumerate(sockets)
        ]
        try:
            trio.run(_serve_until_told, output, works, host)
        except BaseExceptionGroup as group:
            raise _told_of(group) from None
    output.step("stopped")


def _told_of(group: BaseException) -> BaseException:
    """The failure that people are told of, out of the groups that nurseries make."""
    found = group
    while isinstance(found, BaseExceptionGroup):
        found = (found.subgroup(PhalanxError) or found).exceptions[0]
    return found


async def _serve_until_told(output: Output, works: Sequence[Work], host: str) -> None:
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            port = await nursery.start(serve_together, works)
            output.step(f"serving at http://{host}:{port}", port=port)
            async for _ in signals:
                break
        nursery.cancel_scope.cancel()


async def serve(*, host: str, port: int, **told: Any) -> None:
    """As `serve_at`, at an address; port 0 takes any.

    Raises:
        ConfigError: the address is taken or not this machine's, or the database's cannot be read.
    """
    (listening,) = _listen(host, port)
    with listening:
        await serve_at(listening=listening, **told)


async def serve_at(
    *,
    listening: socket.socket,
    database_url: str,
    manners: Manners | None = None,
    settings: ApiSettings = ApiSettings(),  # noqa: B008 - frozen
    connections: int = CONNECTIONS,
    process: int | None = None,
    task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until cancelled; started with the port once it does.

    Args:
        listening: where connections come in; stays open.
        database_url: `postgresql://…`, of the writer's server or a replica.
        manners: towards those who ask.
        settings: parts that may be missing.
        connections: to the database, most at once.
        process: number of this one if there are several.
        task_status: told the port.

    Raises:
        ConfigError: the database's address cannot be read.
    """
    engine = open_database(database_url, connections=connections)
    node = None if settings.rpc_url is None else Node(settings.rpc_url)
    written = settings.metadata_url or database_url
    url = settings.beacon_url
    beacon = None if url is None else Beacon(url, now=time.monotonic)
    parts = Parts(
        engine,
        time.monotonic,
        manners or Manners(),
        node,
        written,
        process=process,
        beacon=beacon,
    )
    app = make_app(parts)
    mount_graphql(app, time.monotonic)
    mount_v4(app)
    mount_explorer(app)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.state.feed.bell.listen, database_url)
            task_status.started(await nursery.start(serve_app, app, listening))
    finally:
        engine.dispose()
        for asked in (node, beacon):
            if asked is not None:
                asked.close()


def _listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """As many sockets at one address, between which the kernel divides connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        first = socket.create_server((host, port), family=family, backlog=BACKLOG)
        if count == 1:
            return [first]
        with first:
            # Nobody else has it: that cannot be seen by sockets that share an address.
            place = first.getsockname()
        return [
            socket.create_server(place[:2], family=family, backlog=BACKLOG, reuse_port=True)
            for _ in range(count)
        ]
    except OSError as failure:
        raise ConfigError(
            f"the API cannot listen on {host}:{port}: {failure.strerror}",
            code="api_port",
            hint="Choose another port, or stop the process that has it.",
        ) from failure
