"""Exit requests of own validators that are not proven yet, and are therefore not told.

An exit cannot be taken back, so its event must first be proven (docs/run-a-node.md, "Proof of the
registry"). Near the head that is done as it is read; those from before the start, or from a stretch
that was read as a range, wait here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from operator_node.registry.notices import ExitRequested
from operator_node.registry.proof import Proof
from sdk.chain.proofs import BlockProof
from sdk.errors import ConfigError, NetworkError
from sdk.events import decode
from sdk.events.types import ValidatorExited
from sdk.types import BlockNumber

log = logging.getLogger(__name__)

MOST_HELD: Final = 4_096
"""An operator has 3,000 validators at most; each may ask again."""
AT_ONCE: Final = 8
"""Blocks proven per look at the chain: a few megabytes."""


class HeldExits:
    """What waits.

    Attributes:
        refused: exits that the chain turned out not to have.
    """

    def __init__(self, proof: Proof) -> None:
        """Nothing waits."""
        self.refused = 0
        self._proof = proof
        self._held: dict[ExitRequested, None] = {}

    def __len__(self) -> int:
        return len(self._held)

    def sift(self, requests: Iterable[ExitRequested]) -> list[ExitRequested]:
        """Those that may be acted on; the others wait."""
        told = []
        for each in requests:
            if self._proof.is_certain(each.block_number):
                told.append(each)
            elif len(self._held) < MOST_HELD:
                self._held[each] = None
        return told

    def go_back(self, to: BlockNumber) -> None:
        """Blocks above are gone."""
        self._held = {each: None for each in self._held if each.block_number <= to}

    async def look_again(self) -> list[ExitRequested]:
        """Those that are proven by now."""
        told: list[ExitRequested] = []
        turns = list(dict.fromkeys(each.block_number for each in self._held))
        for number in turns[:AT_ONCE]:
            proof: BlockProof | None = None
            try:
                proof = await self._proof.prove(number)
            except (NetworkError, ConfigError) as failure:
                log.warning("registry: exits of block %d wait: %s", number, failure)
            asked = None if proof is None else _exits_of(proof)
            for each in [each for each in self._held if each.block_number == number]:
                del self._held[each]
                if asked is None:
                    # Behind the others, so that none waits for those that cannot be proven.
                    self._held[each] = None
                elif each.validator_key in asked:
                    told.append(each)
                else:
                    self.refused += 1
                    log.error(
                        "registry: block %d has no exit of validator 0x%s; it is not acted on",
                        number,
                        each.validator_key.hex(),
                    )
        return told


def _exits_of(proof: BlockProof) -> set[bytes]:
    events = [decode(each.topics, each.data) for each in proof.logs]
    return {event.public_key for event in events if isinstance(event, ValidatorExited)}
