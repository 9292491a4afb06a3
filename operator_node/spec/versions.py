"""Numbers of the forks, as messages carry them, and the refusal of a number we do not know.

Pure. Source: docs/protocol.md, "Data version".
"""

from __future__ import annotations

from typing import Final

from sdk.errors import PeerError

PHASE0: Final = 1
ALTAIR: Final = 2
BELLATRIX: Final = 3
CAPELLA: Final = 4
DENEB: Final = 5
ELECTRA: Final = 6
FULU: Final = 7


class UnknownVersion(PeerError):
    """A number that stands for no fork whose objects we can read."""

    default_code = "version_unknown"


class UnknownBlockVersion(UnknownVersion):
    """A number of no fork whose blocks can be proposed."""

    default_code = "block_version_unknown"


def require_known(version: int) -> None:
    """Passes for phase0 to fulu.

    Raises:
        UnknownVersion: any other number.
    """
    if not PHASE0 <= version <= FULU:
        raise UnknownVersion(
            f"version {version} is no fork from phase0 ({PHASE0}) to fulu ({FULU})"
        )
