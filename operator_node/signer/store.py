"""The slashing record on disk: `SlashingProtection` over one SQLite file.

A call that records is one exclusive transaction, on the disk before it returns; the same verdicts
as `Protection` in memory, whatever was called before. It never signs and never reads a clock. One
process has the file as long as the node runs; several threads may use one store.

Source: docs/slashing.md.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from operator_node.signer.copying import write_copy
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
from operator_node.signer.standing import Standing, inherited, own_term, read_standing
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
        self._permitted: Callable[[], int | None] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        owner: Owner,
        *,
        counter_path: Path | None = None,
        on_damage: OnDamage = OnDamage.REBOUND,
        is_handover: bool = False,
    ) -> SlashingStore:
        """The record at `path`, made if there is none.

        Args:
            path: the SQLite file; its folder is made, too.
            owner: whose record it must be.
            counter_path: the counter that tells an older copy; beside `path` unless given. Best
                where a backup of `path` does not take it along.
            on_damage: what to do with a record that cannot be read.
            is_handover: also opens a record that was handed over; never to sign with it.

        Raises:
            ConfigError: `record_of_another`.
            StorageError: `record_in_use`, `record_newer`, `record_unusable`, `record_damaged`,
                `record_handed_over`.
        """
        counter_path = counter_path or path.with_name(f"{path.name}.sequence")
        opened = open_file(
            path, owner, counter_path=counter_path, on_damage=on_damage, is_handover=is_handover
        )
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
        """See `SlashingProtection`. Under a lease see `guard_by`, too."""
        with self._transaction():
            self._check_permit()
            verdicts = tuple(map(self._judge_and_record, intents))
            self._check_permit()  # judging may have taken longer than the lease
            return verdicts

    def arm(
        self, share_key: PublicKey, validator_key: PublicKey, /, *, epoch: Epoch, slot: Slot
    ) -> None:
        """See `SlashingProtection`."""
        with self._transaction():
            self._arm(share_key, validator_key, epoch=epoch, slot=slot)

    def arm_all(self, *, epoch: Epoch, slot: Slot) -> int:
        """Raises the bounds of every share, as after a restored backup; how many there are."""
        with self._transaction(may_be_suspect=True):
            count = self._arm_shares(epoch, slot)
            # As a copy it is complete for nobody, itself included, before a term of its own.
            nobody = Standing(self._standing().term, secrets.token_hex(16))
            self._tables.set_meta({"suspect": 0} | inherited(nobody))
        self.needs_arming = False
        return count

    def _arm_shares(self, epoch: Epoch, slot: Slot) -> int:
        shares = sorted(self._index.validators.items())
        for share_key, validator_key in shares:
            self._arm(share_key, validator_key, epoch=epoch, slot=slot)
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
        return self.take_in(items, {})

    def take_in(
        self, items: Iterable[KeyHistory], facts: Mapping[str, object]
    ) -> tuple[Conflict, ...]:
        """As `merge`, and in the same step facts about the record."""
        items = tuple(items)
        keys = {key for item in items for key in (item.key, item.validator_key) if key is not None}
        with self._transaction(may_be_suspect=True):
            validators = self._index.validators
            owners = {validators[key] for key in keys if key in validators}
            conflicts = self._change(keys | owners, lambda records: records.merge(items))
            self._tables.set_meta(facts)
            return conflicts

    def facts(self) -> dict[str, object]:
        """What is noted of the record as a whole, by name."""
        with self._lock, self._storage_errors():
            return self._tables.meta()

    def key_histories(self) -> Iterator[KeyHistory]:
        """See `SlashingProtection`. Takes memory for the whole record: for commands."""
        with self._lock, self._storage_errors():
            index = self._index
            histories = self._tables.histories(index, index.places)
            records = Records(histories, dict(index.validators))
        return records.key_histories()

    def copy_to(self, path: Path) -> None:
        """Writes a consistent copy, while signing goes on; whoever opens it has to arm it.

        Args:
            path: of a file that is not there yet.

        Raises:
            UsageError: `file_exists`.
            StorageError: the disk refused; nothing is left behind.
        """
        # No lock: the pages are copied a few at a time, and the database keeps step with changes.
        write_copy(self._path, self._database, path)

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

    # --- under a lease ----------------------------------------------------------------------

    def guard_by(self, permitted: Callable[[], int | None]) -> None:
        """From now on signatures are taken only under a lease.

        Args:
            permitted: the fencing number under which they may be taken at this moment, None if
                they may not. One that differs from the record's own is refused as well.
        """
        self._permitted = permitted

    def standing(self) -> Standing:
        """What the record is complete up to; waits for a transaction that is under way."""
        with self._lock, self._storage_errors():
            return self._standing()

    def take_term(self, term: int, *, arm_at: tuple[Epoch, Slot] | None) -> None:
        """Stores the fencing number that signatures are taken under from now on.

        Args:
            term: of the lease.
            arm_at: raises the bounds of every share to this epoch and slot in the same step; None
                if nobody can have signed what this record does not know.

        Raises:
            StorageError: `record_ahead`, the record was written to under a higher number.
        """
        with self._transaction():
            known = self._standing().term
            if term == known:
                return  # asked for once more
            if term < known:
                raise StorageError(
                    f"the slashing record {self._path} was used under term {known} of the lease, "
                    f"the lease offers {term}",
                    code="record_ahead",
                    hint="Another instance uses this record, or the lease's file was put back.",
                )
            if arm_at is not None:
                self._arm_shares(*arm_at)
            self._tables.set_meta(own_term(term))

    def _standing(self) -> Standing:
        count = self._count
        meta = self._tables.meta()
        return read_standing(meta, record_id=count.record_id, sequence=count.number)

    def _check_permit(self) -> None:
        if self._permitted is None:
            return
        term, known = self._permitted(), self._standing().term
        if term is None or term != known:
            raise StorageError(
                "this instance has no lease"
                if term is None
                else f"the lease's term is {term}, the slashing record's {known}",
                code="lease_lost",
                hint="Another instance may sign; this one waits for the lease.",
            )

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
