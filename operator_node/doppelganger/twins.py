"""The watch for a twin: another process that speaks with this operator's key.

A message that is validly signed by this operator and that this process did not sign, for a slot
that began after the start, proves one. Older messages may be an earlier life's, come late; decided
messages, which carry the signatures of several operators, prove nothing. It costs nothing and is
always on. Who is found is told to the signer, which withholds everything from then on. Under a
lease another instance speaks while this one may not, and what it said then never proves anything.

Source: docs/slashing.md, "Twins".
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

import trio

from operator_node.session import slot_of
from operator_node.wire.ids import RunnerRole, role_of
from operator_node.wire.messages import Received, ReceivedPartials
from sdk.types import OperatorId

CLOCK_STEP_MS: Final = 1_000
"""The clock may be corrected between two lives, or the other life was on another machine: slots
that begin this soon after the start count as older."""
KNOWN_SLOTS: Final = 64
"""Peers let messages through for 34 slots; an echo of an own one is known for longer."""
KNOWN_SIGNATURES: Final = 200_000
"""500 committees that say all they can in a slot sign 20,000; beyond it the oldest slots are not
judged any more."""
_KEPT_BYTES: Final = 16
"""Of a signature: enough to tell any two apart."""

_log = logging.getLogger(__name__)


class Clock(Protocol):
    """The present."""

    def now_ms(self) -> int: ...

    def slot_at(self, at_ms: int, /) -> int: ...


class Key(Protocol):
    """The operator's own RSA key."""

    def sign(self, data: bytes, /) -> bytes: ...


class Twins:
    """Signs own messages, knows them again, and tells those that somebody else signed.

    Attributes:
        found: messages so far that prove a twin.
        seen: set with the first of them.
    """

    def __init__(
        self, *, me: OperatorId, key: Key, clock: Clock, fence: Callable[[str], None]
    ) -> None:
        """Has signed nothing; slots up to now are an earlier life's.

        Args:
            me: the own operator id.
            key: of this operator; whatever else signs messages with it counts as a twin.
            clock: of the chain.
            fence: called with what was seen, for every message that proves a twin.
        """
        self.found = 0
        self.seen = trio.Event()
        self._me = me
        self._key = key
        self._clock = clock
        self._fence = fence
        self._signed: OrderedDict[bytes, int] = OrderedDict()
        """The slot in which each was signed, oldest first."""
        self._is_resting = False
        self._judged_after = 0
        self.begin_anew()

    def rest(self) -> None:
        """Another instance has the lease: whatever it says now is in order."""
        self._is_resting = True

    def begin_anew(self) -> None:
        """This instance speaks now; slots that have begun are an earlier life's, or another's."""
        self._is_resting = False
        self._judged_after = self._clock.slot_at(self._clock.now_ms() + CLOCK_STEP_MS)

    def sign(self, data: bytes) -> bytes:
        """An own message's signature, 256 bytes; the message is no twin's when it comes back."""
        signature = self._key.sign(data)
        now = self._clock.slot_at(self._clock.now_ms())
        self._signed[signature[:_KEPT_BYTES]] = now
        while len(self._signed) > KNOWN_SIGNATURES or self._oldest() < now - KNOWN_SLOTS:
            _, slot = self._signed.popitem(last=False)
            # And one: a message may be signed a moment before its slot.
            self._judged_after = max(self._judged_after, slot + 1)
        return signature

    def look(self, message: Received | ReceivedPartials, peer: object) -> None:
        """Judges a message that passed gossip validation; `peer` delivered it."""
        signed = message.signed
        slot = slot_of(message)
        # A clock that was ahead at the start and is set right now must not blind the watch.
        latest = self._clock.slot_at(self._clock.now_ms() + CLOCK_STEP_MS)
        if self._judged_after > latest + 1:
            self._judged_after = latest
        if self._is_resting or signed.signers != (self._me,) or slot <= self._judged_after:
            return
        if signed.signatures[0][:_KEPT_BYTES] in self._signed:
            return
        self.found += 1
        self.seen.set()
        role = RunnerRole(role_of(signed.message.id)).name
        why = f"another process signs as operator {self._me}: {role}, slot {slot}, by peer {peer}"
        if self.found == 1:
            _log.critical(
                "%s (message id %s). Nothing is signed from now on. Stop one of the two, then "
                "start this node again",
                why,
                signed.message.id.hex(),
            )
        self._fence(why)

    def _oldest(self) -> int:
        return next(iter(self._signed.values()))
