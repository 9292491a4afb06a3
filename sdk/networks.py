"""Names of the Ethereum networks and the two facts that tell them apart: chain id, genesis fork.

Pure. No contract addresses and no endpoints: those are settings. A local network is a `Network`
of the caller's own making, handed to the functions that take `networks`.

Source: the public configuration of each network; docs/keyshares.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdk.errors import ConfigError

FORK_VERSION_BYTES: Final = 4
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Network:
    """One Ethereum network; `genesis_fork_version` is what deposits are signed under.

    Raises:
        ConfigError: a name that is not lower case, a chain id below 1, not 4 bytes of version.
    """

    name: str
    chain_id: int
    genesis_fork_version: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"network name {self.name[:40]!r} is not usable",
                hint="Use up to 32 lower case letters, digits and hyphens, a letter first.",
            )
        if self.chain_id < 1:
            raise ConfigError(f"network {self.name}: chain id {self.chain_id} is below 1")
        if len(self.genesis_fork_version) != FORK_VERSION_BYTES:
            raise ConfigError(
                f"network {self.name}: genesis fork version has "
                f"{len(self.genesis_fork_version)} bytes, expected {FORK_VERSION_BYTES}"
            )


MAINNET: Final = Network("mainnet", 1, bytes.fromhex("00000000"))
HOODI: Final = Network("hoodi", 560_048, bytes.fromhex("10000910"))
HOLESKY: Final = Network("holesky", 17_000, bytes.fromhex("01017000"))
SEPOLIA: Final = Network("sepolia", 11_155_111, bytes.fromhex("90000069"))

NETWORKS: Final = (MAINNET, HOODI, HOLESKY, SEPOLIA)


def find_by_name(name: str, *, networks: Sequence[Network] = NETWORKS) -> Network | None:
    """The network of that name, None if unknown."""
    return next((network for network in networks if network.name == name), None)


def find_by_fork_version(
    version: bytes, *, networks: Sequence[Network] = NETWORKS
) -> Network | None:
    """The network with that genesis fork version, None if unknown."""
    return next((each for each in networks if each.genesis_fork_version == version), None)


def network_by_name(name: str, *, networks: Sequence[Network] = NETWORKS) -> Network:
    """The network of that name.

    Raises:
        ConfigError: `network_unknown`.
    """
    network = find_by_name(name, networks=networks)
    if network is None:
        raise ConfigError(
            f"network {name[:40]!r} is not known",
            code="network_unknown",
            hint=f"Known are {', '.join(each.name for each in networks)}.",
        )
    return network
