"""`phalanx devnet`: a local network for developers of other software.

Part of a checkout, like the network itself. Its commands are imported when they are used.
"""

from __future__ import annotations

from sdk.cli.lazy import LazyGroup

devnet = LazyGroup(
    name="devnet",
    help=(
        "A local network: a beacon chain, the registry on anvil, operators' nodes, an indexer.\n\n"
        "Needs a checkout after `make setup`. Every key in it is public or worth nothing."
    ),
    places={
        "up": "deploy.devnet.up:up",
        "down": "deploy.devnet.running:down",
        "status": "deploy.devnet.running:status",
        "logs": "deploy.devnet.running:logs",
        "faucet": "deploy.devnet.running:faucet",
    },
)
