"""Who is who as others see it now: the network, own validators, and how far the chain was read.

Changed in one piece between two awaits, so that nobody ever sees half a step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from operator_node.registry.assignments import Assignment
from operator_node.registry.notices import RegistryChange, compare
from operator_node.registry.record import Progress
from operator_node.registry.values import ExitRequest
from operator_node.registry.view import NetworkView
from sdk.chain.follower import Point
from sdk.types import OperatorId, PublicKey


class Roster:
    """What is visible.

    Attributes:
        view: of the whole network.
        assigned: all own validators.
        own: those of which the signer has the share.
        alarms: why it has not, of the others.
        exits: exit events of the whole network.
        me: this operator's id, None while it is not registered.
        tip: newest block applied.
        time_s: its time, unix seconds; 0 if there is none.
    """

    def __init__(self, view: NetworkView) -> None:
        """Nothing is known."""
        self.view = view
        self.assigned: dict[PublicKey, Assignment] = {}
        self.own: dict[PublicKey, Assignment] = {}
        self.alarms: dict[PublicKey, str] = {}
        self.exits: tuple[ExitRequest, ...] = ()
        self.me: OperatorId | None = None
        self.tip: Point | None = None
        self.time_s = 0

    def without_share(self, progress: Progress) -> dict[PublicKey, Assignment]:
        """Assignments of a step whose share the signer has not been given yet."""
        return {
            key: each
            for key, each in progress.own.items()
            if each is not None and not self._has_share(each)
        }

    def take(
        self,
        progress: Progress,
        tip: Point | None,
        *,
        new: Collection[PublicKey],
        alarms: Mapping[PublicKey, str],
    ) -> list[RegistryChange]:
        """Make a step visible; what it changed for own validators.

        Args:
            progress: the step.
            tip: its newest block.
            new: of `without_share`, by now handed over.
            alarms: why not, of those that could not be.
        """
        before = dict(self.own)
        if progress.is_reset:
            self.view.clear()
            self.assigned.clear()
        self.view.apply(progress.changes)
        if progress.exits is not None:
            self.exits = progress.exits
            self.view.set_exits(progress.exits)
        touched = {*progress.own, *(before if progress.is_reset else ())}
        for key in touched:
            assignment = progress.own.get(key)
            if assignment is None:
                self.assigned.pop(key, None)
            else:
                self.assigned[key] = assignment
            if assignment is None or key in new:
                self.alarms.pop(key, None)
            if key in alarms:
                self.alarms[key] = alarms[key]
            if assignment is None or key in self.alarms:
                self.own.pop(key, None)
            else:
                self.own[key] = assignment
        self.me, self.tip, self.time_s = progress.me, tip, progress.time_s
        return [
            notice
            for key in sorted(touched)
            for notice in compare(before.get(key), self.own.get(key))
        ]

    def _has_share(self, assignment: Assignment) -> bool:
        held = self.assigned.get(assignment.validator_key)
        return held is not None and (held.share_key, held.encrypted_share) == (
            assignment.share_key,
            assignment.encrypted_share,
        )
