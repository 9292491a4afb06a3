"""Loopback ports for the processes of the local network."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from sdk.errors import ConfigError, NetworkError

RANGE: Final = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections, which could take one in between."""
MOST_ATTEMPTS: Final = 200
LOWEST_BASE: Final = 1_024
"""Below are the ports of the system."""
BEACONS_AT: Final = 4
OPERATORS_AT: Final = 10
PORTS_OF_A_BEACON: Final = 2
PORTS_OF_AN_OPERATOR: Final = 3
SPAN: Final = 50
"""From one base to the next: ten, and three for each of at most 13 operators."""


@dataclass(frozen=True, slots=True)
class PortPlan:
    """Which part listens where in a network with a base: the same at every start.

    Raises:
        ConfigError: the base leaves no room below the ports of outgoing connections.
    """

    base: int

    def __post_init__(self) -> None:
        if not LOWEST_BASE <= self.base <= RANGE.stop - SPAN:
            raise ConfigError(
                f"ports from {self.base} on cannot be had",
                hint=f"Take a base from {LOWEST_BASE} to {RANGE.stop - SPAN}.",
            )

    @property
    def chain(self) -> int:
        """Of the registry's chain."""
        return self.base

    @property
    def indexer(self) -> int:
        """Of API and explorer."""
        return self.base + 1

    def beacons(self, count: int) -> tuple[int, ...]:
        """Two for each beacon node: REST, then peers."""
        return self._block(BEACONS_AT, PORTS_OF_A_BEACON * count)

    def operators(self, count: int) -> tuple[int, ...]:
        """Three for each operator's node: peers, API, metrics."""
        return self._block(OPERATORS_AT, PORTS_OF_AN_OPERATOR * count)

    def refuse_taken(self, *, beacons: int, operators: int) -> None:
        """Returns if all are free now.

        Raises:
            NetworkError: which ones are not.
        """
        wanted = (self.chain, self.indexer, *self.beacons(beacons), *self.operators(operators))
        with ExitStack() as held:
            taken = [port for port in wanted if not _is_free(held, port, is_reused=True)]
        if taken:
            raise NetworkError(
                f"somebody listens on {', '.join(map(str, taken))} already",
                code="port_taken",
                hint=f"Choose another base; a network takes up to {SPAN} ports from it on.",
                data={"ports": taken},
            )

    def _block(self, at: int, count: int) -> tuple[int, ...]:
        return tuple(range(self.base + at, self.base + at + count))


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct ports on 127.0.0.1 that nobody listens on, TCP nor UDP.

    They are free now; whoever takes them does so soon.

    Raises:
        NetworkError: too many of those tried are taken.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(RANGE, MOST_ATTEMPTS):
            if len(found) == count:
                break
            if _is_free(held, port):
                found.append(port)
    if len(found) < count:
        raise NetworkError(
            f"{count} free ports between {RANGE.start} and {RANGE.stop} were not found",
            hint="End what listens there.",
        )
    return tuple(found)


def _is_free(held: ExitStack, port: int, *, is_reused: bool = False) -> bool:
    """On TCP and UDP.

    Args:
        held: the port stays ours until it is left, so that none is given twice.
        port: on 127.0.0.1.
        is_reused: a server that has just ended is no obstacle, as it is none to servers.
    """
    return _take(held, port, socket.SOCK_STREAM, is_reused) and _take(
        held, port, socket.SOCK_DGRAM, False
    )


def _take(held: ExitStack, port: int, kind: socket.SocketKind, is_reused: bool) -> bool:
    """Whether the port was free."""
    probe = held.enter_context(socket.socket(socket.AF_INET, kind))
    if is_reused:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
