"""Whom to dial, and when: co-operators first, soon after they are lost, ever slower while in vain.

Pure: times are arguments, in seconds of any monotonic clock.

Source: docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from operator_node.p2p.scoring import PeerId

FIRST_WAIT_SECONDS: Final = 0.5
"""A node that restarts is back within a second of listening again."""
LONGEST_WAIT_SECONDS: Final = 15.0
ATTEMPTS_AT_ONCE: Final = 8
"""Dials cost both sides a handshake in Python, about 50 ms."""
_YIELD_SECONDS: Final = 0.4
"""The side with the greater id waits so long at first: usually one connection, not two."""


@dataclass(slots=True)
class _Attempts:
    failures: int = 0
    not_before: float = 0.0
    is_running: bool = False


class Redial:
    """Remembers attempts.

    Args:
        me: the own peer id.
    """

    def __init__(self, me: PeerId) -> None:
        self._me = me
        self._attempts: dict[PeerId, _Attempts] = {}

    def due(
        self, targets: Iterable[PeerId], connected: frozenset[PeerId], *, now: float
    ) -> list[PeerId]:
        """Who is to be dialled now, in the order of `targets`; each counts as begun."""
        wanted = [each for each in dict.fromkeys(targets) if each != self._me]
        self._forget(set(wanted), connected)
        running = sum(each.is_running for each in self._attempts.values())
        due: list[PeerId] = []
        for peer in wanted:
            if peer in connected or running + len(due) >= ATTEMPTS_AT_ONCE:
                continue
            attempts = self._attempts.get(peer)
            if attempts is None:
                wait = _YIELD_SECONDS if self._me > peer else 0.0
                attempts = self._attempts[peer] = _Attempts(not_before=now + wait)
            if not attempts.is_running and attempts.not_before <= now:
                attempts.is_running = True
                due.append(peer)
        return due

    def ended(self, peer: PeerId, *, is_connected: bool, now: float) -> None:
        """Says how an attempt ended."""
        attempts = self._attempts.get(peer)
        if attempts is None:
            return
        attempts.is_running = False
        attempts.failures = 0 if is_connected else attempts.failures + 1
        wait = FIRST_WAIT_SECONDS * 2 ** min(attempts.failures, 10)
        attempts.not_before = now + min(wait, LONGEST_WAIT_SECONDS)

    def waits(self) -> Mapping[PeerId, int]:
        """Failures in a row of every peer that is being tried."""
        return {peer: each.failures for peer, each in self._attempts.items()}

    def _forget(self, wanted: set[PeerId], connected: frozenset[PeerId]) -> None:
        for peer, attempts in list(self._attempts.items()):
            if not attempts.is_running and (peer in connected or peer not in wanted):
                del self._attempts[peer]
