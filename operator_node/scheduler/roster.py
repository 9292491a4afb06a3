"""States of validators on the beacon chain: who has duties, and whose state is to be asked again.

Pure. Source: consensus-specs, phase0/beacon-chain.md (is_active_validator).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from operator_node.beacon.types import ValidatorState
from operator_node.scheduler.types import Assignment, Member
from operator_node.spec.chain import FAR_FUTURE_EPOCH
from sdk.types import PublicKey

REFRESH_MS: Final = 12 * 60 * 1000
"""Exits and slashings that nobody announced are seen this late (BN-15)."""

EPOCHS_CACHED: Final = 4
"""The running one, the next, and the first of the next sync committee period."""


@dataclass(frozen=True, slots=True)
class _Asked:
    epoch: int
    at_ms: int


def is_active(state: ValidatorState, epoch: int) -> bool:
    """Whether the chain expects duties of the validator in the epoch; of a slashed one it does not
    matter any more.
    """
    return state.activation_epoch <= epoch < state.exit_epoch and "slashed" not in state.status


class Roster:
    """What is known of each validator."""

    def __init__(self) -> None:
        self._states: dict[PublicKey, ValidatorState] = {}
        self._asked: dict[PublicKey, _Asked] = {}
        self._exiting: set[PublicKey] = set()
        self._met: set[PublicKey] = set()
        """Own validators that were asked for since they are own."""
        self._active: dict[int, frozenset[int]] = {}
        """Of few epochs, until a state changes."""

    def wanted(
        self, keys: Iterable[PublicKey], *, epoch: int, now_ms: int
    ) -> tuple[PublicKey, ...]:
        """Those to ask for: new ones at once, those that wait for something once an epoch, the
        others every twelve minutes.
        """
        return tuple(key for key in keys if self._is_wanted(key, epoch, now_ms))

    def wanted_own(
        self, own: Collection[PublicKey], *, epoch: int, now_ms: int
    ) -> tuple[PublicKey, ...]:
        """Likewise of own validators; those that came since the last time are new, known or not."""
        self._met.intersection_update(own)
        return tuple(
            key for key in own if key not in self._met or self._is_wanted(key, epoch, now_ms)
        )

    def forget(self, key: PublicKey) -> None:
        """The validator left or came: nothing is known of it until it is asked for."""
        self._met.discard(key)
        self._asked.pop(key, None)

    def expect_exit(self, key: PublicKey) -> None:
        """Its owner wants the validator to leave: its state is asked for until it does."""
        self._exiting.add(key)
        self._asked.pop(key, None)

    def take(
        self,
        asked: Iterable[PublicKey],
        states: Mapping[PublicKey, ValidatorState],
        *,
        epoch: int,
        now_ms: int,
        own: bool = False,
    ) -> bool:
        """An answer; validators that it leaves out are unknown to the chain.

        Args:
            asked: who was asked for.
            states: what was answered.
            epoch: in which it was asked.
            now_ms: when it was answered.
            own: whether these were asked for as own validators, which may then have duties.

        Returns:
            Whether anything changed for the duties: balances do not count.
        """
        is_changed = False
        for key in asked:
            if own and key not in self._met:
                self._met.add(key)
                is_changed = True
            self._asked[key] = _Asked(epoch, now_ms)
            old, new = self._states.get(key), states.get(key)
            is_changed |= _for_duties(old) != _for_duties(new)
            if new is None:
                self._states.pop(key, None)
                continue
            self._states[key] = new
            if new.exit_epoch != FAR_FUTURE_EPOCH:
                self._exiting.discard(key)
        if is_changed:
            self._active.clear()
        return is_changed

    def keep(self, keys: Iterable[PublicKey]) -> None:
        """Forget all other validators."""
        kept = frozenset(keys)
        for key in [each for each in self._asked if each not in kept]:
            del self._asked[key]
            self._states.pop(key, None)
            self._active.clear()
        self._exiting &= kept

    def state(self, key: PublicKey) -> ValidatorState | None:
        """What the chain said last."""
        return self._states.get(key)

    def active_indices(self, epoch: int) -> frozenset[int]:
        """Of all validators, own or not."""
        if epoch not in self._active:
            if len(self._active) >= EPOCHS_CACHED:
                self._active.clear()
            states = self._states.values()
            self._active[epoch] = frozenset(each.index for each in states if is_active(each, epoch))
        return self._active[epoch]

    def members(self, own: Mapping[PublicKey, Assignment], epoch: int) -> tuple[Member, ...]:
        """Own validators with duties in the epoch, by index: not those of liquidated clusters, nor
        any before it was asked for as own, since others must hear of it first.
        """
        found = [
            Member(key, state.index, assignment.committee)
            for key, assignment in own.items()
            if assignment.active
            and key in self._met
            and (state := self._states.get(key)) is not None
            and is_active(state, epoch)
        ]
        return tuple(sorted(found, key=lambda each: each.index))

    def _is_wanted(self, key: PublicKey, epoch: int, now_ms: int) -> bool:
        asked = self._asked.get(key)
        if asked is None or now_ms - asked.at_ms >= REFRESH_MS:
            return True
        state = self._states.get(key)
        is_waiting = state is None or state.activation_epoch > epoch or key in self._exiting
        return is_waiting and asked.epoch < epoch


def _for_duties(state: ValidatorState | None) -> tuple[object, ...] | None:
    if state is None:
        return None
    return state.index, state.activation_epoch, state.exit_epoch, "slashed" in state.status
