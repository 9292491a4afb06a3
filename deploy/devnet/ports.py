"""Loopback ports for the processes of the local network."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from typing import Final

from sdk.errors import NetworkError

RANGE: Final = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections, which could take one in between."""
MOST_ATTEMPTS: Final = 200


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
            if _take(held, port, socket.SOCK_STREAM) and _take(held, port, socket.SOCK_DGRAM):
                found.append(port)
    if len(found) < count:
        raise NetworkError(
            f"{count} free ports between {RANGE.start} and {RANGE.stop} were not found",
            hint="End what listens there.",
        )
    return tuple(found)


def _take(held: ExitStack, port: int, kind: socket.SocketKind) -> bool:
    """Whether the port was free; it stays ours until `held` is left, so none is given twice."""
    probe = held.enter_context(socket.socket(socket.AF_INET, kind))
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
