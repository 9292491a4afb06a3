"""What can be wrong with a beacon node's answer, and how each client says it.

Pure. Status codes alone do not tell: some clients answer 500 for a slot in the future or for a vote
they already have. The phrases they use are data here, one row each.

Source: Ethereum Beacon APIs, status codes; devnet measurements with Lodestar 1.5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Unavailable
from sdk.errors import BeaconError

SHOWN: Final = 240
"""Characters of a beacon node's text that are repeated."""


class Trouble(StrEnum):
    """Why one request to one beacon node brought nothing."""

    DOWN = "down"
    LATE = "late"
    BUSY = "busy"
    """It is syncing, or has too much to do."""
    NO_ROUTE = "no_route"
    """No such route, or nothing of that name: most clients answer both with 404."""
    NO_SSZ = "no_ssz"
    NOT_YET = "not_yet"
    UNKNOWN_HEAD = "unknown_head"
    ALREADY_KNOWN = "already_known"
    REFUSED = "refused"
    MALFORMED = "malformed"


class NodeTrouble(BeaconError):
    """One beacon node did not give what it was asked for.

    Args:
        node: its name as shown.
        trouble: of which kind.
        text: what it said, or what was wrong with the answer.
        failures: of a batch, what was wrong with single items, by their place.
    """

    default_code = "beacon_node"

    def __init__(
        self,
        node: str,
        trouble: Trouble,
        text: str,
        *,
        failures: Mapping[int, str] | None = None,
    ) -> None:
        self.node = node
        self.trouble = trouble
        self.text = clip(text)
        self.failures = dict(failures or {})
        super().__init__(
            f"beacon node {node}: {trouble}: {self.text}",
            hint="Check that the beacon node runs, is synced and is on the intended network.",
            data={"node": node, "trouble": str(trouble)},
        )


class LivenessUnavailable(BeaconError):
    """Beacon nodes answer, and none of them tells which validators were seen.

    Lasting, unlike an unreachable node: the route is missing, or the tracking is switched off, as
    it is by default in Teku. Whoever waits for signs of life must not wait for ever (SAF-24).

    Args:
        without: what each node said that does not tell, by its name; at least one.
        silent: nodes that did not answer in time; one of them may tell when it is back.
    """

    default_code = "liveness_unavailable"

    def __init__(self, without: Mapping[str, str], silent: Iterable[str]) -> None:
        self.without = dict(without)
        self.silent = tuple(silent)
        told = "; ".join(f"{name}: {text}" for name, text in self.without.items())
        others = f"; no answer from {', '.join(self.silent)}" if self.silent else ""
        super().__init__(
            f"no beacon node tells which validators were seen: {told}{others}",
            hint="Update the beacon node, or switch its liveness tracking on (Teku: "
            "--beacon-liveness-tracking-enabled=true).",
            data={"without": list(self.without), "silent": list(self.silent)},
        )


# In lower case; the first that occurs decides.
_PHRASES: Final = (
    ("already_known", Trouble.ALREADY_KNOWN),  # Lodestar: ATTESTATION_ERROR_…, BLOCK_ERROR_…
    ("already known", Trouble.ALREADY_KNOWN),
    ("alreadyknown", Trouble.ALREADY_KNOWN),  # Lighthouse: …AlreadyKnown
    ("attestationknown", Trouble.ALREADY_KNOWN),  # Lighthouse: PriorAttestationKnown
    ("already seen", Trouble.ALREADY_KNOWN),  # Nimbus, Teku
    ("already in pool", Trouble.ALREADY_KNOWN),
    ("duplicate", Trouble.ALREADY_KNOWN),
    ("unknown_beacon_block_root", Trouble.UNKNOWN_HEAD),  # Lodestar
    ("unknown_or_prefinalized", Trouble.UNKNOWN_HEAD),  # Lodestar
    ("unknownheadblock", Trouble.UNKNOWN_HEAD),  # Lighthouse
    ("unknown head block", Trouble.UNKNOWN_HEAD),
    ("in the future", Trouble.NOT_YET),  # Lodestar answers 500
    ("no attestation for", Trouble.NOT_YET),  # Lodestar answers 500
    ("no contribution for", Trouble.NOT_YET),
    ("no matching", Trouble.NOT_YET),
    ("is syncing", Trouble.BUSY),
)
_BY_STATUS: Final = {
    404: Trouble.NO_ROUTE,
    405: Trouble.NO_ROUTE,
    408: Trouble.LATE,
    410: Trouble.NO_ROUTE,
    415: Trouble.NO_SSZ,
    429: Trouble.BUSY,
    501: Trouble.NO_ROUTE,
    502: Trouble.DOWN,
    503: Trouble.BUSY,
    504: Trouble.DOWN,
}


def trouble_of(status: int, text: str) -> Trouble:
    """What an answer that is no success means."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return meaning_of(text)


def meaning_of(text: str) -> Trouble:
    """What the text about a refused object means."""
    lower = text.lower()
    return next((meaning for phrase, meaning in _PHRASES if phrase in lower), Trouble.REFUSED)


def unavailable(troubles: Iterable[NodeTrouble]) -> Unavailable:
    """What a duty is told when no beacon node gave a usable answer."""
    known = list(troubles)
    kinds = {each.trouble for each in known}
    if not kinds or kinds <= {Trouble.DOWN}:
        reason = Reason.BN_DOWN
    elif kinds <= {Trouble.DOWN, Trouble.LATE}:
        reason = Reason.BN_LATE
    else:
        reason = Reason.BN_STALE_HEAD  # it answers, and does not have what the slot needs
    return Unavailable(reason, clip("; ".join(each.message for each in known)))


def clip(text: str) -> str:
    """The text without control characters, and of bounded length."""
    plain = text if text.isprintable() else ascii(text)
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"
