"""Interchange cases of EIP-3076: the minimal rule, the complete rule, and the record as it is used.

A file's steps are run four times. The minimal and the complete rule must give their columns. The
record, in memory and on disk, signs what the minimal column signs and repeats of it, whatever way
it is moved to another machine between two steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from operator_node.signer import (
    AttestationGuard,
    BlockGuard,
    Form,
    Guard,
    History,
    Intent,
    KeyHistory,
    Protection,
    Safe,
    SameData,
    SlashingProtection,
    Verdict,
    judge_complete,
    judge_minimal,
    may_sign,
    read_interchange,
    write_interchange,
)
from operator_node.signer.record_file import Owner
from operator_node.signer.store import SlashingStore
from sdk.errors import InputError
from sdk.types import Epoch, PublicKey, Slot
from tests.vectors.case import Case, attempt, expect


def run(folder: Path) -> Iterator[Case]:
    """One case per file."""
    for path in sorted(folder.glob("*.json")):
        yield attempt(path.stem, partial(_file, path))


def _file(path: Path) -> None:
    case = json.loads(path.read_bytes())
    root = bytes.fromhex(case["genesis_validators_root"].removeprefix("0x"))
    _rule(case, root, judge_minimal, "should_succeed")
    _rule(case, root, judge_complete, "should_succeed_complete")
    _record(case, root, Protection())
    with TemporaryDirectory() as folder:
        owner = Owner("vectors", root)
        with SlashingStore.open(Path(folder) / "safety.sqlite", owner) as store:
            _record(case, root, store)


def _rule(
    case: dict[str, Any], root: bytes, judge: Callable[[History, Guard], Verdict], column: str
) -> None:
    histories: dict[PublicKey, History] = {}
    for number, step in enumerate(case["steps"]):
        for found in _import(step, root):
            known = histories.get(found.key, History())
            histories[found.key] = known.merged(found.history)
        for key, guard, wanted in _messages(step):
            allowed = may_sign(judge(histories.get(key, History()), guard))
            expect(allowed, wanted[column], f"{column} of step {number}: {guard}")
            if allowed:
                histories[key] = histories[key].recording(guard)


def _record(case: dict[str, Any], root: bytes, protection: SlashingProtection) -> None:
    for number, step in enumerate(case["steps"]):
        conflicts = protection.merge(_import(step, root))
        if not step["contains_slashable_data"]:
            expect(conflicts, (), f"slashable data in step {number}")
        moved = [_moved(protection, root, form) for form in Form]
        for key, guard, wanted in _messages(step):
            intent = Intent(key, key, guard)
            verdict = protection.check_and_record([intent])[0]
            what = f"verdict of the record in step {number}: {guard}: {verdict}"
            expect(isinstance(verdict, Safe), wanted["should_succeed"], what)
            if isinstance(verdict, SameData):
                expect(True, wanted["should_succeed_complete"], what)
            for other in moved:
                if may_sign(other.check_and_record([intent])[0]):
                    expect(may_sign(verdict), True, f"after moving the record, {what}")


def _moved(protection: SlashingProtection, root: bytes, form: Form) -> Protection:
    """The record after export and import."""
    data = write_interchange(protection.key_histories(), genesis_validators_root=root, form=form)
    moved = Protection()
    moved.merge(read_interchange(data, genesis_validators_root=root))
    return moved


def _import(step: dict[str, Any], root: bytes) -> list[KeyHistory]:
    """The step's file; every key stands for a share and for its validator."""
    data = json.dumps(step["interchange"]).encode()
    try:
        found = read_interchange(data, genesis_validators_root=root)
    except InputError as problem:
        expect(step["should_succeed"], False, f"import: {problem}")
        return []
    expect(step["should_succeed"], True, "import succeeds")
    return [replace(item, validator_key=item.key) for item in found]


def _messages(step: dict[str, Any]) -> Iterator[tuple[PublicKey, Guard, dict[str, Any]]]:
    """What the step tries to sign, in order."""
    for entry in step["blocks"]:
        yield _key(entry), BlockGuard(Slot(int(entry["slot"])), _root(entry)), entry
    for entry in step["attestations"]:
        source, target = Epoch(int(entry["source_epoch"])), Epoch(int(entry["target_epoch"]))
        yield _key(entry), AttestationGuard(source, target, _root(entry)), entry


def _key(entry: dict[str, Any]) -> PublicKey:
    return PublicKey(bytes.fromhex(entry["pubkey"].removeprefix("0x")))


def _root(entry: dict[str, Any]) -> bytes | None:
    text = entry.get("signing_root")
    return None if text is None else bytes.fromhex(text.removeprefix("0x"))
