"""An anvil of the demo's own, and its end.

The node listens on loopback only, on a port that the system chooses. It ends with the block that
started it, and with the demo's process, however that ends.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from examples.demo_show import DemoFailed, check
from sdk.client import Client, NodeSigner
from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.deploy import LocalDeployment

HARDFORK = "osaka"
"""The rules under which SSV's figures were measured."""
SECONDS_PER_BLOCK = 12


class Stopped(BaseException):
    """Somebody asked the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number


@dataclass(frozen=True, slots=True)
class LocalChain:
    """A running node; it holds the keys of its accounts."""

    w3: Web3
    url: str

    def client(self, number: int, deployed: LocalDeployment) -> Client:
        """The registry as one of the accounts sees it."""
        return Client(
            self.w3,
            registry=deployed.registry,
            start_block=deployed.start_block,
            signer=NodeSigner(self.w3.eth.accounts[number]),
        )

    def mine(self, blocks: int) -> None:
        """Empty blocks."""
        answer = self._ask("anvil_mine", hex(blocks), hex(SECONDS_PER_BLOCK))
        check("error" not in answer, f"anvil did not mine {blocks} blocks: {answer}")

    def _ask(self, method: str, *parameters: str) -> dict[str, Any]:
        return dict(self.w3.provider.make_request(RPCEndpoint(method), list(parameters)))


@contextmanager
def local_chain() -> Iterator[LocalChain]:
    """A fresh chain. When the block is left, its process has ended and its port is free.

    Raises:
        ConfigError: anvil is not on the PATH, or did not start.
        DemoFailed: somebody still listens on the port.
    """
    with running_anvil("--hardfork", HARDFORK) as url:
        yield LocalChain(Web3(HTTPProvider(url, exception_retry_configuration=None)), url)
    _check_free(url.removeprefix("http://"))


@contextmanager
def stop_signals() -> Iterator[None]:
    """Inside, the first request to stop raises `Stopped`; further ones leave the cleaning alone.

    Covers Ctrl-C, a plain kill and a closed terminal, unless the last is ignored (`nohup`).
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_children() -> None:
    """Ends what this process started and did not end, such as a compiler at work.

    Ctrl-C reaches them by itself; a signal to this process alone does not.
    """
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)


def _check_free(address: str) -> None:
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        if probe.connect_ex((host, int(port))) == 0:
            raise DemoFailed(f"something still listens on {address}")
