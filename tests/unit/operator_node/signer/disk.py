"""Slashing records on disk, for tests."""

from __future__ import annotations

from pathlib import Path

from operator_node.signer.record import Records
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.store import SlashingStore
from tests.unit.operator_node.signer.guards import GENESIS

OWNER = Owner(network="local", genesis_validators_root=GENESIS)


def open_store(
    folder: Path, *, owner: Owner = OWNER, on_damage: OnDamage = OnDamage.STOP
) -> SlashingStore:
    return SlashingStore.open(folder / "safety.sqlite", owner, on_damage=on_damage)


def records_of(store: SlashingStore) -> Records:
    """Everything that a store holds, as the value that one in memory has."""
    index = store._tables.load()
    assert store._is_out_of_step or index == store._index
    return Records(store._tables.histories(index, index.places), index.validators)


class DiskProtection(SlashingStore):
    """A record on disk that shows its contents, and begins with some."""

    @classmethod
    def holding(cls, folder: Path, records: Records | None = None) -> DiskProtection:
        made = cls.open(folder / "safety.sqlite", OWNER)
        assert isinstance(made, DiskProtection)
        if records is not None:
            with made._transaction():
                made._tables.replace(made._index, {}, records.histories)
                for key, validator in records.validators.items():
                    made._tables.name_validator(made._index, key, validator)
        return made

    @property
    def records(self) -> Records:
        return records_of(self)
