"""The slashing record on disk: `SlashingProtection` over one SQLite file.

A call that records is one exclusive transaction, on the disk before it returns; the same verdicts
as `Protection` in memory, whatever was called before. It never signs and never reads a clock. One
process has the file as long as the node runs; several threads may use one store.

Source: docs/slashing.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from operator_node.signer.record import Conflict, Intent, KeyHistory, Records, armed_bounds
from operator_node.signer.record_file import (
    OnDamage,
    OpenedFile,
    Owner,
    open_file,
    unusable,
)
from operator_node.signer.rules import NotSafe, Safe, Verdict, judge_minimal
from operator_node.signer.sequence import Sequence as Count
from operator_node.signer.tables import Tables
from sdk.errors import InvariantBroken, StorageError
from sdk.types import Epoch, OperatorId, PublicKey, Slot

T = TypeVar("T")


class SlashingStore:
    """A durable slashing record, in exclusive use of this process.

    Attributes:
        is_new: there was no record before.
        needs_arming: it is an older copy, put back. Nothing is recorded before `arm_all`.
        set_aside: where a damaged record was put, else None.
    """

    def __init__(self, path: Path, opened: OpenedFile) -> None:
        """See `open`."""
        self.is_new = opened.is_new
        self.needs_arming = opened.is_suspect
        self.set_aside = opened.set_aside
        self._path = path
        self._database = opened.database
        self._counter = opened.counter
        self._count = opened.sequence
        self._tables = Tables(opened.database)
        self._lock = Lock()
        self._index = self._tables.load()
        self._is_out_of_step = False

    @classmethod
    def open(
        cls,
        path: Path,
        owner: Owner,
        *,
        counter_path: Path | None = None,
        on_damage: OnDamage = OnDamage.REBOUND,
    ) -> SlashingStore:
        """The record at `path`, made if there is none.

        Args:
            path: the SQLite file; its folder is made, too.
            owner: whose record it must be.
            counter_path: the counter that tells an older copy; beside `path` unless given. Best
                where a backup of `path` does not take it along.
            on_damage: what to do with a record that cannot be read.

        Raises:
            ConfigError: `record_of_another`.
            StorageError: `record_in_use`, `record_newer`, `record_unusable`, `record_damaged`.
        """
        counter_path = counter_path or path.with_name(f"{path.name}.sequence")
        opened = open_file(path, owner, counter_path=counter_path, on_damage=on_damage)
        try:
            return cls(path, opened)
        except BaseException:
            opened.counter.close()
            opened.database.close()
            raise

    def close(self) -> None:
        """Gives the file free."""
        with self._lock:
            self._counter.write(self._count, durable=True)
            self._counter.close()
            self._database.close()

    def __enter__(self) -> SlashingStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def knows(self, share_key: PublicKey) -> bool:
        """Whether the share has a history; without one it signs nothing until it is armed."""
        with self._lock, self._storage_errors():
            if self._is_out_of_step:  # a transaction failed: what was in memory did not happen
                self._index = self._tables.load()
                self._is_out_of_step = False
            return share_key in self._index.validators

    def check(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """See `SlashingProtection`; each item alone. Mostly answered from memory, without wait."""
        verdicts = []
        for intent in intents:
            verdict = self._by_bounds(intent)
            if not isinstance(verdict, Safe):
                with self._lock, self._storage_errors():
                    verdict = self._by_entries(intent)
            verdicts.append(verdict)
        return tuple(verdicts)

    def check_and_record(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """See `SlashingProtection`."""
        with self._transaction():
            return tuple(map(self._judge_and_record, intents))

    def arm(
        self, share_key: PublicKey, validator_key: PublicKey, /, *, epoch: Epoch, slot: Slot
    ) -> None:
        """See `SlashingProtection`."""
        with self._transaction():
            self._arm(share_key, validator_key, epoch=epoch, slot=slot)

    def arm_all(self, *, epoch: Epoch, slot: Slot) -> int:
        """Raises the bounds of every share, as after a restored backup; how many there are."""
        with self._transaction(may_be_suspect=True):
            shares = sorted(self._index.validators.items())
            for share_key, validator_key in shares:
                self._arm(share_key, validator_key, epoch=epoch, slot=slot)
            self._tables.set_meta({"suspect": 0})
        self.needs_arming = False
        return len(shares)

    def lower_armed_source(self, share_key: PublicKey, /, *, source_epoch: Epoch) -> None:
        """See `SlashingProtection`."""
        with self._transaction():
            validators = self._index.validators
            owner = validators.get(share_key, share_key)
            shares = {key for key, whose in validators.items() if whose == owner}

            def lower(records: Records) -> tuple[Records, None]:
                return records.lower_armed_source(share_key, source_epoch=source_epoch), None

            self._change(shares | {share_key, owner}, lower)

    def merge(self, items: Iterable[KeyHistory], /) -> tuple[Conflict, ...]:
        """See `SlashingProtection`."""
        items = tuple(items)
        keys = {key for item in items for key in (item.key, item.validator_key) if key is not None}
        with self._transaction(may_be_suspect=True):
            validators = self._index.validators
            owners = {validators[key] for key in keys if key in validators}
            return self._change(keys | owners, lambda records: records.merge(items))

    def key_histories(self) -> Iterator[KeyHistory]:
        """See `SlashingProtection`. Takes memory for the whole record: for commands."""
        with self._lock, self._storage_errors():
            index = self._index
            histories = self._tables.histories(index, index.places)
            records = Records(histories, dict(index.validators))
        return records.key_histories()

    def bind_operator(self, operator_id: OperatorId) -> None:
        """Makes it this operator's record for good.

        Raises:
            StorageError: `record_of_another`, it is bound to another operator.
        """
        with self._transaction(may_be_suspect=True):
            bound = self._tables.meta().get("operator_id", operator_id)
            if bound != operator_id:
                raise StorageError(
                    f"the slashing record {self._path} is of operator {bound}, this node is "
                    f"operator {operator_id}",
                    code="record_of_another",
                    hint="Check db.Path and the operator key in the settings.",
                )
            self._tables.set_meta({"operator_id": operator_id})

    def _judge_and_record(self, intent: Intent) -> Verdict:
        verdict = self._by_bounds(intent)
        if not isinstance(verdict, Safe):
            verdict = self._by_entries(intent)
        if not isinstance(verdict, Safe):
            return verdict
        keys = {intent.share_key, intent.validator_key}
        if self._index.is_shared_beyond(keys):
            # A later share was armed to the same bounds as the validator; from here they differ.
            self._tables.replace(self._index, {}, self._tables.histories(self._index, keys))
        for place in {self._index.places[key] for key in keys}:
            # Not safe by itself is a repeat here: another share of the validator signed it, too.
            if isinstance(judge_minimal(self._index.bounds[place], intent.guard), NotSafe):
                continue
            raised = self._tables.append(self._index, place, intent.guard)
            if isinstance(judge_minimal(raised, intent.guard), Safe):
                raise InvariantBroken(f"{intent.guard} was recorded and still counts as new")
        return verdict

    def _by_bounds(self, intent: Intent) -> Verdict:
        """Final if it is `Safe`: the minimal rule asks for no more than the bounds."""
        histories = self._index.bounds_of((intent.share_key, intent.validator_key))
        return Records(histories, self._index.validators).check(intent)

    def _by_entries(self, intent: Intent) -> Verdict:
        keys = (intent.share_key, intent.validator_key)
        histories = self._tables.histories(self._index, keys)
        return Records(histories, self._index.validators).check(intent)

    def _arm(
        self, share_key: PublicKey, validator_key: PublicKey, *, epoch: Epoch, slot: Slot
    ) -> None:
        def arm(records: Records) -> tuple[Records, None]:
            return records.arm(share_key, validator_key, epoch=epoch, slot=slot), None

        index, keys = self._index, {share_key, validator_key}
        is_joined = index.validators.get(share_key) == validator_key
        if not is_joined or index.is_shared_beyond(keys):
            return self._change(keys, arm)
        # All that the share signed is the validator's already, so that bounds rise and no more.
        for place in {index.places[key] for key in keys}:
            self._tables.raise_bounds(index, place, *armed_bounds(epoch=epoch, slot=slot))

    def _change(
        self, keys: Iterable[PublicKey], change: Callable[[Records], tuple[Records, T]]
    ) -> T:
        """Lets the pure record decide on these keys' histories, and writes what came of it."""
        before = self._tables.histories(self._index, keys)
        records, answer = change(Records(before, self._index.validators))
        self._tables.replace(self._index, before, records.histories)
        for key, validator in records.validators.items():
            if self._index.validators.get(key) != validator:
                self._tables.name_validator(self._index, key, validator)
        return answer

    @contextmanager
    def _transaction(self, *, may_be_suspect: bool = False) -> Iterator[None]:
        """All or nothing, and on the disk. What is in memory follows what is on disk."""
        with self._lock, self._storage_errors():
            if self.needs_arming and not may_be_suspect:
                raise StorageError(
                    f"the slashing record {self._path} is an older copy, and its shares are not "
                    "armed anew",
                    code="record_restored",
                    hint="Arm all shares; the node does so when it starts.",
                )
            if self._is_out_of_step:
                self._index = self._tables.load()
                self._is_out_of_step = False
            self._database.execute("BEGIN EXCLUSIVE")
            self._is_out_of_step = True
            try:
                written = self._database.total_changes
                yield
                if self._database.total_changes > written:
                    count = Count(self._count.record_id, self._count.number + 1)
                    self._tables.set_meta({"sequence": count.number})
                    self._database.execute("COMMIT")
                    self._count = count
                else:
                    self._database.execute("ROLLBACK")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._is_out_of_step = False
            self._counter.write(self._count)

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise unusable(self._path, problem) from problem
