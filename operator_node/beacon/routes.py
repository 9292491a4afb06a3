"""Which route serves a purpose: newest first, and what each beacon node was found to have.

Pure. A node that answers "no such route" is asked by the next older one, and asked that way first
from then on. Objects of Electra and later do not exist on the older routes of votes and aggregates.

Source: Ethereum Beacon APIs, CHANGES.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.spec.versions import DENEB, FULU

T = TypeVar("T")


class Purpose(StrEnum):
    """What has more than one route."""

    BLOCK = "block"
    AGGREGATE = "aggregate"
    SEND_ATTESTATIONS = "send_attestations"
    SEND_AGGREGATES = "send_aggregates"
    SEND_BLOCK = "send_block"
    SEND_BLINDED_BLOCK = "send_blinded_block"
    VALIDATORS = "validators"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask.

    Attributes:
        path: `{…}` stands for what the question fills in.
        until: number of the last fork whose objects it serves.
        is_versioned: names the fork in a header, and takes SSZ.
        is_in_address: is asked by GET with everything in the address, which bounds it.
    """

    path: str
    until: int = FULU
    is_versioned: bool = False
    is_in_address: bool = False


ROUTES: Final = {
    Purpose.BLOCK: (
        Route("/eth/v3/validator/blocks/{slot}", is_versioned=True),
        Route("/eth/v2/validator/blocks/{slot}", until=DENEB),
    ),
    Purpose.AGGREGATE: (
        Route("/eth/v2/validator/aggregate_attestation", is_versioned=True),
        Route("/eth/v1/validator/aggregate_attestation", until=DENEB),
    ),
    Purpose.SEND_ATTESTATIONS: (
        Route("/eth/v2/beacon/pool/attestations", is_versioned=True),
        Route("/eth/v1/beacon/pool/attestations", until=DENEB),
    ),
    Purpose.SEND_AGGREGATES: (
        Route("/eth/v2/validator/aggregate_and_proofs", is_versioned=True),
        Route("/eth/v1/validator/aggregate_and_proofs", until=DENEB),
    ),
    Purpose.SEND_BLOCK: (
        Route("/eth/v2/beacon/blocks", is_versioned=True),
        Route("/eth/v1/beacon/blocks", until=DENEB),
    ),
    Purpose.SEND_BLINDED_BLOCK: (
        Route("/eth/v2/beacon/blinded_blocks", is_versioned=True),
        Route("/eth/v1/beacon/blinded_blocks", until=DENEB),
    ),
    Purpose.VALIDATORS: (
        Route("/eth/v1/beacon/states/head/validators"),
        Route("/eth/v1/beacon/states/head/validators", is_in_address=True),
    ),
    Purpose.LIVENESS: (
        Route("/eth/v1/validator/liveness/{epoch}"),
        Route("/eth/v1/validator/liveness", is_in_address=True),  # Lodestar 1.5.1
    ),
}

VERSION_NAMES: Final = {
    1: "phase0",
    2: "altair",
    3: "bellatrix",
    4: "capella",
    5: "deneb",
    6: "electra",
    7: "fulu",
}
"""Fork numbers by the names that the API gives them."""
VERSION_NUMBERS: Final = {name: number for number, name in VERSION_NAMES.items()}


_TEXT_GRAFFITI: Final = ("Lodestar/v1.5.",)
"""Clients, by the beginning of their version, that take graffiti as plain text and not as hex."""


def graffiti_text(graffiti: bytes, client: str) -> str:
    """Graffiti of 32 bytes as the client wants to be given it."""
    if client.startswith(_TEXT_GRAFFITI):
        return graffiti.rstrip(b"\0").decode(errors="ignore")
    return f"0x{graffiti.hex()}"


class KnownRoutes:
    """What one beacon node was found to serve; forgotten when it comes back, perhaps upgraded."""

    def __init__(self) -> None:
        self._found: dict[Purpose, Route] = {}
        self.takes_ssz = True

    def forget(self) -> None:
        """Tries the newest routes first again."""
        self._found.clear()
        self.takes_ssz = True

    async def first_served(
        self, purpose: Purpose, version: int, ask: Callable[[Route], Awaitable[T]]
    ) -> T:
        """The answer by the first route that the node has.

        Args:
            purpose: what for.
            version: number of the fork in force.
            ask: asks by one route.

        Raises:
            NodeTrouble: of the first route tried, if none is served; else of the one that is.
        """
        fitting = [route for route in ROUTES[purpose] if version <= route.until]
        if not fitting:
            text = f"no route for {purpose} of fork number {version} is known; update this program"
            raise NodeTrouble("of any kind", Trouble.NO_ROUTE, text)
        known = self._found.get(purpose)
        unserved: list[NodeTrouble] = []
        for route in sorted(fitting, key=lambda route: route is not known):
            try:
                answer = await ask(route)
            except NodeTrouble as problem:
                if problem.trouble is not Trouble.NO_ROUTE:
                    self._found[purpose] = route
                    raise
                unserved.append(problem)
            else:
                self._found[purpose] = route
                return answer
        raise unserved[0]
