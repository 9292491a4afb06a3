"""A beacon node of the local network, of either tier: its process and its REST interface."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import trio

from deploy.devnet.process import Child
from deploy.devnet.rest import ask
from sdk.errors import BeaconError

NODE: Final = Path(__file__).parents[2] / ".venv/bin/node"
START_PATIENCE_S: Final = 60.0
"""Three seconds are usual; a loaded machine takes longer."""
POLL_S: Final = 0.2


class BeaconNode:
    """A beacon node.

    Attributes:
        child: its process; stops and starts it.
        url: of its REST interface.
    """

    def __init__(self, child: Child, url: str) -> None:
        self.child = child
        self.url = url

    async def ready(self) -> None:
        """Return once it serves.

        Raises:
            ProcessEnded: it ended instead.
            BeaconError: it does not serve in time.
        """
        with trio.move_on_after(START_PATIENCE_S):
            while True:
                self.child.check()
                try:
                    await ask(self.url, "/eth/v1/beacon/genesis")
                except BeaconError:
                    await trio.sleep(POLL_S)
                else:
                    return
        raise BeaconError(
            f"{self.child.name} does not serve after {START_PATIENCE_S:g} s. "
            f"The end of its log:\n{self.child.tail()}"
        )


def node_environment() -> dict[str, str]:
    """Variables for a process that runs Lodestar's code with the minimal preset."""
    # It takes variables that begin with its name for flags, and refuses unknown ones.
    kept = {name: text for name, text in os.environ.items() if not name.startswith("LODESTAR_")}
    return {**kept, "LODESTAR_PRESET": "minimal"}
