"""State, store and binding of one registry: what a step of the chain does to all three.

For worker threads, one at a time. Nothing here is shared with the event loop while a step is being
made; what changed goes back as a value. After an exception the record is stale and is opened again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from operator_node.registry.assignments import Assignment, assign, begun, keys_of, touched
from operator_node.registry.audit_views import Subject, subjects_of, word_of
from operator_node.registry.binding import Binding
from operator_node.registry.codec import inverted
from operator_node.registry.replay import FeeRecipient, replay
from operator_node.registry.store import EXITS_KEPT_BLOCKS, open_store
from operator_node.registry.values import ExitRequest, Identity
from sdk.chain import Extend, Point
from sdk.registry import (
    AccountChanged,
    Change,
    ClusterChanged,
    OperatorChanged,
    RegistryState,
    ValidatorChanged,
)
from sdk.types import BlockNumber, OperatorId, PublicKey


@dataclass(frozen=True, slots=True)
class Progress:
    """What changed.

    Attributes:
        changes: of the registry, in order.
        own: new assignments, None where one ended; keys that are not named stay.
        me: this operator's id now, None while it is not registered.
        exits: all that are kept, None if they are as before.
        begun: own validators to be let in, as new ones or again; `Record.settle` takes those that
            were.
        new_exits: those of this step.
        oddities: logs of this step that nodes refuse or cannot read.
        time_s: unix seconds of the newest block, 0 if there is none.
        is_reset: everything before is void.
    """

    changes: Sequence[Change]
    own: Mapping[PublicKey, Assignment | None]
    me: OperatorId | None
    time_s: int
    exits: tuple[ExitRequest, ...] | None = None
    new_exits: tuple[ExitRequest, ...] = ()
    fee_recipients: tuple[FeeRecipient, ...] = ()
    divergences: int = 0
    oddities: int = 0
    begun: frozenset[PublicKey] = frozenset()
    is_reset: bool = field(default=False, kw_only=True)


class Record:
    """An open registry.

    Attributes:
        points: as it was opened.
        certain: likewise, blocks whose exits were proven.
        was_damaged: the store had to be set aside.
    """

    def __init__(self, path: Path, identity: Identity, binding: Binding) -> None:
        """Open and load the store.

        Raises:
            ConfigError: the store or the configured id is somebody else's.
            StorageError: the store cannot be opened.
        """
        self._store, stored = open_store(path, identity)
        self._binding = binding
        self._state = stored.state
        self._shares = stored.shares
        self._exits = stored.exits
        self._begun = stored.begun
        self._time_s = stored.time_s
        self._me: OperatorId | None = None
        self.points = stored.points
        self.certain = stored.certain
        self.was_damaged = stored.was_damaged

    def close(self) -> None:
        """Release the store."""
        self._store.close()

    def load(self) -> Progress:
        """Everything that was stored, as changes of an empty registry."""
        state = self._state
        changes: list[Change] = [
            *(OperatorChanged(None, each) for each in state.operators.values()),
            *(ClusterChanged(None, each) for each in state.clusters.values()),
            *(ValidatorChanged(None, each) for each in state.validators.values()),
            *(AccountChanged(None, each) for each in state.accounts.values()),
        ]
        self._binding.load(state)
        self._me = self._binding.resolve(state)
        self._forget_shares()
        own = {
            key: found
            for key in keys_of(state, self._me)
            if (found := assign(state, self._shares, key, me=self._me)) is not None
        }
        return Progress(
            changes, own, self._me, self._time_s, self._exits, begun=self._begun, is_reset=True
        )

    def extend(self, step: Extend, own: Mapping[PublicKey, Assignment]) -> Progress:
        """Apply the step's logs, durably.

        Args:
            step: that follows on the last one.
            own: assignments before.

        Raises:
            ConfigError: `operator_key_mismatch`.
            StorageError: nothing was kept.
        """
        done = replay(self._state, step, self._binding)
        self._shares |= done.batch.shares
        me = self._binding.resolve(self._state)
        changes = [change for _, of_block in done.batch.changes for change in of_block]
        new = begun(self._state, changes, me=me, was=self._me)
        self._store.extend(done.batch, new)
        exits = tuple(done.batch.exits)
        if exits:
            oldest = step.tip.number - EXITS_KEPT_BLOCKS
            kept = [each for each in self._exits if each.block >= oldest]
            self._exits = (*kept, *(each for each in exits if each.block >= oldest))
        self._time_s = step.tip.timestamp_s
        return Progress(
            changes,
            self._assigned(changes, own, me),
            me,
            self._time_s,
            self._exits if exits else None,
            exits,
            done.fee_recipients,
            done.divergences,
            len(done.batch.oddities),
            new,
        )

    def roll_back(self, to: Point, own: Mapping[PublicKey, Assignment]) -> Progress:
        """Take back the blocks above, durably.

        Raises:
            StorageError: nothing was taken back.
        """
        changes = self._store.undo_above(to.number)
        self._state.undo(changes)
        me, undone = self._binding.resolve(self._state), inverted(changes)
        new = begun(self._state, undone, me=me, was=self._me)
        self._time_s = self._store.roll_back(to, changes, new)
        self._exits = tuple(each for each in self._exits if each.block <= to.number)
        assigned = self._assigned(undone, own, me)
        return Progress(undone, assigned, me, self._time_s, self._exits, begun=new)

    def keep_certain(self, blocks: frozenset[BlockNumber]) -> None:
        """The exits of these blocks are proven, also after a restart.

        Raises:
            StorageError: they are proven again.
        """
        self._store.keep_certain(blocks)

    def missing_operators(self) -> list[int]:
        """Ids below the highest one that no event registered: the contract leaves none out."""
        known = self._state.operators
        return [each for each in range(1, max(known, default=0)) if each not in known]

    def subjects(self) -> list[Subject]:
        """All that the contract's audit views can be asked about."""
        return subjects_of(self._state)

    def words(self, subjects: Sequence[Subject]) -> list[bytes]:
        """What they must answer."""
        return [word_of(self._state, each) for each in subjects]

    def settle(self, keys: frozenset[PublicKey]) -> None:
        """These of `Progress.begun` need not be let in again, not even after a restart.

        Raises:
            StorageError: they are named again by the next `load`.
        """
        self._store.settle(keys)

    def restart(self) -> Progress:
        """Forget everything, durably: the chain is another one than was read.

        Raises:
            StorageError: nothing was forgotten.
        """
        self._store.clear()
        self._state = RegistryState()
        self._shares.clear()
        self._exits, self._me, self._time_s = (), None, 0
        return Progress((), {}, None, 0, (), is_reset=True)

    def _assigned(
        self,
        changes: Sequence[Change],
        own: Mapping[PublicKey, Assignment],
        me: OperatorId | None,
    ) -> dict[PublicKey, Assignment | None]:
        """The assignments that these changes touch, all of them if my id changed."""
        if me == self._me:
            keys = touched(self._state, changes, own, me=me)
        else:
            keys = {*own, *keys_of(self._state, me)}
        self._me = me
        found = {key: assign(self._state, self._shares, key, me=me) for key in keys}
        return {key: each for key, each in found.items() if each is not None or key in own}

    def _forget_shares(self) -> None:
        """Drop shares of registrations that are gone for good."""
        kept = {each.shares_digest for each in self._state.validators.values()}
        if self.points:
            undone = self._store.undo_above(self.points[0].number)
            kept |= {
                record.shares_digest
                for change in undone
                if isinstance(change, ValidatorChanged)
                for record in (change.before, change.after)
                if record is not None
            }
        gone = [digest for digest in self._shares if digest not in kept]
        if gone:
            self._store.drop_shares(gone)
        for digest in gone:
            del self._shares[digest]
