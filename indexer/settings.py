"""What an indexer is told: checked at once, then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdk.types import Address, BlockNumber

DATABASE_VARIABLE: Final = "DATABASE_URL"
RPC_VARIABLE: Final = "PHALANX_RPC"
BEACON_VARIABLE: Final = "PHALANX_BEACON"
METADATA_VARIABLE: Final = "PHALANX_METADATA_DATABASE"
REGISTRY_VARIABLE: Final = "PHALANX_REGISTRY"
FOLDER: Final = Path("phalanx-indexer")
"""Of the embedded Postgres, unless stated: in the folder where the command runs."""
POLL_S: Final = 2.0
"""Between questions for a new block; a slot has 12 seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One indexer.

    Attributes:
        rpc_urls: execution nodes, most wanted first.
        registry: contract to follow.
        first_block: no log is older; 0 is right and slow.
        chain_id: None takes the chain of the first node that answers.
        database_url: None for a Postgres of our own in `folder`.
        distance: blocks to stay behind the head. 0 shows everything at once, and undoes more.
        verifies_shares: check nonce signatures.
        proves_history: prove the logs of every block of history by its header, not of a sample.
        workers: processes for that; None: one per core.
        poll_s: seconds between looks at the chain.
        metrics: address to show metrics at, None for none.
        samples: subjects compared with the contract's views per block.
    """

    rpc_urls: tuple[str, ...]
    registry: Address
    first_block: BlockNumber = BlockNumber(0)  # noqa: RUF009 - a number
    chain_id: int | None = None
    database_url: str | None = None
    folder: Path = FOLDER
    distance: int = 0
    verifies_shares: bool = True
    proves_history: bool = False
    workers: int | None = None
    poll_s: float = POLL_S
    metrics: tuple[str, int] | None = None
    samples: int = 32
