"""The watch: alerts at every new block, handed to whoever wants them.

Shell around `alerts`. Signatures of registrations are checked for the owners that are watched, for
all where everything is.

Source: docs/liquidator.md, "Watching".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import trio

from sdk.committee import nonce_message
from sdk.crypto import bls
from sdk.keeper.alerts import Alarms, Alert
from sdk.keeper.conditions import Filters
from sdk.keeper.following import Judge, Turn
from sdk.registry import NonceClaim, SignatureVerdict

BATCH: Final = 64
"""Signatures checked at once: larger batches save little more, and one bad one splits less."""
Say: TypeAlias = Callable[[Sequence[Alert]], None]


class Watch:
    """What to do at a new block."""

    def __init__(self, alarms: Alarms, say: Say, *, is_once: bool = False) -> None:
        """Nothing was said yet.

        Args:
            alarms: which conditions are news.
            say: takes alerts, at once.
            is_once: one look is enough.
        """
        self._alarms = alarms
        self._say = say
        self._is_once = is_once

    async def act(self, turn: Turn) -> bool:
        """Say what is new at this block."""
        book = turn.book

        def review() -> list[Alert]:
            return self._alarms.review(book.state, at=turn.block, time_s=book.time_s)

        alerts = await trio.to_thread.run_sync(review)
        if alerts:
            self._say(alerts)
        return self._is_once


def judge_for(filters: Filters) -> Judge:
    """Checks the signatures of registrations by the owners watched; others count as good.

    With clusters or operators named, or nothing at all, anybody's registration may be watched.
    """
    is_narrow = bool(filters.owners) and not (filters.clusters or filters.operators)

    def judge(claims: Sequence[NonceClaim | None]) -> list[SignatureVerdict]:
        asked = [
            each
            for each in claims
            if each is not None and (not is_narrow or each.owner in filters.owners)
        ]
        held: list[bool] = []
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            held += bls.verify_batch(
                [
                    bls.Claim(it.public_key, nonce_message(it.owner, it.nonce), it.signature)
                    for it in batch
                ]
            )
        verdicts = dict(zip(map(id, asked), held, strict=True))
        return [_verdict(verdicts.get(id(each))) for each in claims]

    return judge


def _verdict(holds: bool | None) -> SignatureVerdict:
    if holds is None:
        return SignatureVerdict.UNCHECKED
    return SignatureVerdict.VALID if holds else SignatureVerdict.INVALID
