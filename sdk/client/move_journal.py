"""What moving validators writes down: how far it came, and what proves it.

Pure values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdk.client.silence import Silence
from sdk.client.tracking import SentTransaction

FORMAT: Final = "phalanx-validator-move"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveJournal:
    """One move.

    Attributes:
        keys: public keys as hex, in the order of the new keyshares.
        quiet_epochs: silence that is asked for.
        is_waived: the user accepted the slashing risk of not waiting.
        removal: the transaction that removes them, written down before it was sent; None before,
            and if they were removed by somebody's own hand.
        removal_block: where it was mined, as first seen.
        silence: None until the removal is final.
    """

    chain_id: int
    registry: str
    owner: str
    old_operator_ids: tuple[int, ...]
    new_operator_ids: tuple[int, ...]
    keys: tuple[str, ...]
    quiet_epochs: int
    is_waived: bool
    removal: SentTransaction | None = None
    removal_block: int | None = None
    silence: Silence | None = None
    format: str = FORMAT
    version: int = VERSION

    @property
    def may_register(self) -> bool:
        """Whether nothing more is to be waited for."""
        if self.is_waived:
            return self.removal_block is not None
        return self.silence is not None and self.silence.is_proven
