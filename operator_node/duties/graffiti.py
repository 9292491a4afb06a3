"""The 32 bytes that a proposer may write into its block.

Pure. Source: consensus-specs, phase0/beacon-chain.md (BeaconBlockBody); docs/protocol.md,
"Local records".
"""

from __future__ import annotations

from typing import Final

GRAFFITI_BYTES: Final = 32
_NONE: Final = bytes(GRAFFITI_BYTES)


def fit_graffiti(text: str) -> bytes:
    """The text in UTF-8, cut between characters where it is too long, filled up with zeros."""
    cut = text.encode()[:GRAFFITI_BYTES]
    return cut.decode(errors="ignore").encode().ljust(GRAFFITI_BYTES, b"\0")


def choose_graffiti(of_validator: bytes, of_node: bytes) -> bytes:
    """The validator's own, if the registry has one; otherwise the node's.

    Args:
        of_validator: 32 bytes, zero if the registry has none.
        of_node: 32 bytes.
    """
    return of_node if of_validator == _NONE else of_validator
