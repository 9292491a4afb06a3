"""Tells everybody who judges by the beacon chain's validators what the scheduler has learned.

Source: docs/protocol.md, "Gossip validation"; docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from operator_node.beacon import ValidatorState
from operator_node.doppelganger import Doppelganger
from operator_node.registry import NetworkView
from sdk.types import Epoch, PublicKey, Slot


class Learners:
    """Gossip validation, the watch for doppelgangers, and the states themselves for the API.

    Attributes:
        states: of all validators asked about so far.
    """

    def __init__(self, view: NetworkView, doppelganger: Doppelganger | None) -> None:
        """Knows nothing.

        Args:
            view: of gossip validation.
            doppelganger: None if there is no watch.
        """
        self.states: dict[PublicKey, ValidatorState] = {}
        self._view = view
        self._doppelganger = doppelganger

    def learn_states(self, states: Mapping[PublicKey, ValidatorState], epoch: Epoch) -> None:
        """These validators' states, as of an epoch."""
        if self._doppelganger is not None:
            # First: a duty may begin as soon as a validator's index is known.
            self._doppelganger.learn_states(states, epoch)
        self.states.update(states)
        self._view.learn_states(states, epoch)

    def learn_proposers(self, epoch: Epoch, proposals: Collection[tuple[Slot, int]]) -> None:
        """All proposals of known validators in an epoch."""
        self._view.learn_proposers(epoch, proposals)

    def learn_sync_members(
        self, first_epoch: Epoch, last_epoch: Epoch, indices: Collection[int]
    ) -> None:
        """Known validators in the sync committee of these epochs."""
        self._view.learn_sync_members(first_epoch, last_epoch, indices)
