"""The slashing record on disk gives the verdicts of the one in memory, whatever came before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_node.signer import (
    AttestationGuard,
    BlockGuard,
    History,
    Intent,
    KeyHistory,
    Protection,
    tables,
    trail,
)
from operator_node.signer.record_file import Owner
from operator_node.signer.store import SlashingStore
from sdk.errors import UsageError
from sdk.types import Epoch, PublicKey, Slot

SHARES = tuple(PublicKey(bytes([number]) * 48) for number in (1, 2, 3))
VALIDATORS = tuple(PublicKey(bytes([number]) * 48) for number in (101, 102))
OWNER = Owner("local", bytes(32))


@dataclass(frozen=True)
class Arming:
    share: PublicKey
    validator: PublicKey
    epoch: int


@dataclass(frozen=True)
class Lowering:
    share: PublicKey
    epoch: int


FEW = 4
"""Entries kept, so that pruning happens within a few steps."""

roots = st.sampled_from([None, bytes(32), b"\x01" * 32])
epochs = st.integers(0, 9) | st.sampled_from([2**63, 2**64 - 1])
votes = st.builds(AttestationGuard, epochs.map(Epoch), epochs.map(Epoch), roots)
blocks = st.builds(BlockGuard, epochs.map(Slot), roots)
guards = votes | blocks
shares, validators = st.sampled_from(SHARES), st.sampled_from(VALIDATORS)
signings = st.lists(st.builds(Intent, shares, validators, guards), min_size=1, max_size=4)
armings = st.builds(Arming, shares, validators, st.integers(0, 9))
lowerings = st.builds(Lowering, shares, st.integers(0, 9))
merges = st.lists(
    st.builds(
        lambda key, entries, whose: KeyHistory(key, signed(entries), whose),
        shares | validators,
        st.lists(guards, max_size=6),
        st.none() | validators,
    ),
    max_size=2,
)


def signed(entries: list[AttestationGuard | BlockGuard]) -> History:
    history = History()
    for guard in entries:
        history = history.recording(guard)
    return history


def take(protection: Protection | SlashingStore, step: object) -> object:
    """What a step comes to."""
    try:
        match step:
            case Arming(share, validator, epoch):
                return protection.arm(share, validator, epoch=Epoch(epoch), slot=Slot(epoch))
            case Lowering(share, epoch):
                return protection.lower_armed_source(share, source_epoch=Epoch(epoch))
            case [Intent(), *_]:
                assert isinstance(step, list)
                return protection.check(step), protection.check_and_record(step)
            case _:
                assert isinstance(step, list)
                return protection.merge(step)
    except UsageError as problem:
        return problem.code


@pytest.mark.slow
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(signings | armings | lowerings | merges, max_size=14), st.booleans())
def test_record_on_disk_is_the_record_in_memory(
    monkeypatch: pytest.MonkeyPatch, steps: list[object], reopened: bool
) -> None:
    monkeypatch.setattr(trail, "KEPT_ENTRIES", FEW)
    monkeypatch.setattr(tables, "KEPT_ENTRIES", FEW)
    monkeypatch.setattr(tables, "_SLACK", 1)
    memory = Protection()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "safety.sqlite"
        disk = SlashingStore.open(path, OWNER)
        try:
            for step in steps:
                assert take(disk, step) == take(memory, step)
                if reopened:
                    disk.close()
                    disk = SlashingStore.open(path, OWNER)
            assert list(disk.key_histories()) == list(memory.key_histories())
            assert disk._index == disk._tables.load()
        finally:
            disk.close()
