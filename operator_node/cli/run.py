"""`phalanx node run`: the node itself."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
import trio

from operator_node.cli.configuration import config_option
from operator_node.config import Built, Sources, build, read_sources
from operator_node.log import configure
from sdk.cli.output import HELP_NAMES, Output, json_option
from sdk.errors import PhalanxError

_log = logging.getLogger(__name__)


@click.command(context_settings=HELP_NAMES)
@config_option
@json_option
def run(config_path: Path | None, as_json: bool) -> None:
    """Runs the node until SIGTERM or Ctrl-C; exit code 0 then.

    Everything is checked before anything opens. What is missing outside is waited for. The form of
    the log is a setting, global.LogFormat.
    """
    # Until it is listened for: somebody who reloads a node that still starts must not end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Here, not above: libp2p takes a second to load, and no other command needs it. What is loaded
    # stays: looking for garbage among it would take the whole node 0.4 s each time.
    gc.disable()
    from operator_node.node import Reload
    from operator_node.node import run as run_node

    gc.freeze()
    gc.enable()

    # Before a key is read: the memory of a process that crashes must not end up in a file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = Output(as_json=as_json)
    sources = read_sources(config_path, os.environ)
    built = build(sources)
    settings = built.settings
    configure(settings.log, hidden=(*settings.beacon.nodes, *settings.execution.nodes))
    _tell(built)
    name = f"phalanx/{version('phalanx-dvt')}"
    output.step(f"{name}, network {settings.network.name}, data in {settings.data_folder}")
    try:
        reload = Reload(partial(_read, config_path), sources)
        trio.run(partial(run_node, settings, version=name, reload=reload))
    except* PhalanxError as group:
        raise _first(group) from group
    output.step("stopped")


def _read(path: Path | None) -> tuple[Sources, Built]:
    sources = read_sources(path, os.environ)
    return sources, build(sources)


def _tell(built: Built) -> None:
    """What the owner of the settings should hear of, once, also in the log's file."""
    if built.notices:
        # One line: the log leaves out what repeats too often.
        _log.info("settings: %s", "; ".join(built.notices))
    for text in built.warnings:
        _log.warning("settings: %s", text)


def _first(group: BaseException) -> BaseException:
    """The problem itself, out of the groups that nurseries make."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
