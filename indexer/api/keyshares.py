"""Keyshares files judged: by themselves, and against the registry at one block.

One at a time in a process, because a file of a hundred validators keeps a core busy for seconds.
Nothing that is sent is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore
from typing import Any, Final

from indexer.api.scalars import hex_text
from indexer.queries import accounts, operators, validators
from indexer.queries.errors import Overloaded
from indexer.queries.reading import View
from sdk.committee import THRESHOLDS
from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import InputError
from sdk.events import operator_public_key_text
from sdk.findings import Finding
from sdk.shares import Expected, read_keyshares, verify_keyshares
from sdk.shares.keyshares_reader import Reading
from sdk.types import Address, OperatorId

MOST_SHARES: Final = 100
"""Validators of one file; a check of one takes some ten milliseconds of one core."""
MOST_OPERATORS: Final = MOST_SHARES * max(THRESHOLDS)
"""Operators that so many validators can have."""
JUDGED_AT_ONCE: Final = 1
"""In one process, so that other answers keep a core."""
_WAIT_S: Final = 5.0
_turns: Final = Semaphore(JUDGED_AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """A turn to judge; whoever waits for it must hold no connection yet.

    Raises:
        Overloaded: others take too long.
    """
    if not _turns.acquire(timeout=_WAIT_S):
        raise Overloaded("other files are being judged")
    try:
        yield
    finally:
        _turns.release()


def read_file(raw: bytes) -> Reading:
    """The file, and what is wrong with its form.

    Raises:
        InputError: `too_many_validators`, or it cannot be read at all.
    """
    reading = read_keyshares(raw, source="the keyshares file")
    count = len(reading.file.shares)
    if count > MOST_SHARES:
        raise InputError(
            f"the file has {count} validators, at most {MOST_SHARES} are judged at once",
            code="too_many_validators",
            hint="Split the file, or judge it offline: phalanx keys verify.",
        )
    return reading


def judge(view: View, reading: Reading, *, owner: Address | None = None) -> list[Finding]:
    """All findings, those about the registry at this block last.

    Args:
        view: the registry.
        reading: a file.
        owner: who registers it; None: whoever the file names, if it is one.
    """
    shares = reading.file.shares
    if owner is None:
        owners = {each.owner for each in shares if each.owner is not None}
        owner = owners.pop() if len(owners) == 1 else None
    expected = Expected(
        owner=owner,
        nonce=None if owner is None else accounts.account(view, owner).next_nonce,
        operators=_registered_keys(view, {each for one in shares for each in one.operator_ids}),
    )
    found = verify_keyshares(reading, expected)
    return found + _already_registered(view, [each.public_key for each in shares], owner)


def _registered_keys(view: View, ids: set[Any]) -> dict[OperatorId, OperatorPublicKey]:
    """Keys of operators that exist and have a readable one."""
    if len(ids) > MOST_OPERATORS:
        raise InputError(f"the file names {len(ids)} operators", code="too_many_operators")
    found = {}
    for operator_id, each in operators.by_ids(view, [i for i in ids if i < 2**63]).items():
        text = operator_public_key_text(each.public_key)
        if text is None or each.removed_at is not None:
            continue
        try:
            found[operator_id] = parse_public_key(text)
        except InputError:
            continue  # then the file cannot have its key, which is a finding
    return found


def _already_registered(view: View, keys: list[Any], owner: Address | None) -> list[Finding]:
    """Keys that somebody has registered already."""
    return [
        Finding(
            "already_registered" if each.owner == owner else "owned_by_another",
            f"validator {hex_text(each.public_key)} is registered already"
            + ("" if each.owner == owner else ", by another account"),
            hint="The registry or the nodes will refuse it.",
            severity="error" if each.refusal is None or each.owner == owner else "warning",
        )
        for each in validators.by_keys(view, keys)
    ]
