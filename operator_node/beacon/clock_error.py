"""How far this machine's clock is off against a beacon node's, from what the node says in passing.

Pure: times of both clocks come in, and each says between which bounds the error lies. A `Date`
header has whole seconds only, so one answer tells little; asked around the moment at which its
second changes, a few answers tell as much as their way takes. What a node sends late can only be
bounded on one side, which is why one extreme answer never counts alone.

The error is positive if this clock is ahead. Milliseconds throughout.

Source: RFC 9110, "Date"; consensus-specs, phase0/p2p-interface.md (clock disparity); TIM-3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

SAMPLES: Final = 32
"""Six minutes at one per slot, in which a clock drifts by less than 10 ms."""
SLACK_MS: Final = 10
"""Servers make the header's text once per second, and then a little late."""
SHARP_MS: Final = 200
"""Bounds that are closer make an estimate, even if that is 0: no error worth an alarm fits in."""
AGREEING_FROM: Final = 3
"""Of so many answers, two have to agree on a bound."""
SIDE_MS: Final = 25
"""Beside the moment at which the node's second changes; more than the header's own lateness."""
EAGER_SAMPLES: Final = 16
"""Questions one second apart, until the first estimate."""
DISPARITY_MS: Final = 500
"""Beacon nodes take blocks this much before their slot begins."""
_SECOND_MS: Final = 1000
_STEP_MS: Final = 618
"""Moments of a second, one after the other, that fill it evenly."""
_FAR_MS: Final = 10**12


def date_ms(headers: Mapping[str, str]) -> int | None:
    """Unix milliseconds of an answer's `Date`, None if it has none that can be read."""
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp()) * _SECOND_MS
    except (KeyError, ValueError, OverflowError):
        return None


class ClockError:
    """This clock's error against one beacon node's."""

    def __init__(self) -> None:
        """Unknown."""
        self._bounds: deque[tuple[int, int]] = deque(maxlen=SAMPLES)
        self._asked = 0

    def note_answer(self, *, sent_ms: int, received_ms: int, date_ms: int) -> None:
        """The node answered between two moments of this clock, and dated its answer."""
        low, high = sent_ms - date_ms - _SECOND_MS, received_ms - date_ms
        self._bounds.append((low - SLACK_MS, high + SLACK_MS))
        self._forget_what_contradicts()

    def note_head(self, *, into_slot_ms: int) -> None:
        """The node told of a slot's head so long after the slot began by this clock."""
        if into_slot_ms < 0:  # nothing else is news
            self._bounds.append((-_FAR_MS, into_slot_ms + DISPARITY_MS))
            self._forget_what_contradicts()

    def forget(self) -> None:
        """The node may have another clock now."""
        self._bounds.clear()

    @property
    def estimate_ms(self) -> int | None:
        """The least error that explains what was seen, None while that says nothing."""
        if not self._bounds:
            return None
        low, high = self._range()
        least = min(max(low, 0), high)
        return least if least or self._is_sharp else None

    @property
    def is_wanted(self) -> bool:
        """Whether another answer soon would tell much."""
        return 0 < len(self._bounds) < EAGER_SAMPLES and not self._is_sharp

    @property
    def _is_sharp(self) -> bool:
        low, high = self._range()
        return high - low <= SHARP_MS

    def wait_ms(self, now_ms: int, least_ms: int, way_ms: int) -> int:
        """From now until the moment at which an answer would tell most.

        Args:
            now_ms: by this clock.
            least_ms: that is waited in any case; below a second is added to it.
            way_ms: a question and its answer take.
        """
        if not self._bounds:
            return least_ms
        self._asked += 1
        if self._asked % 2 and self._is_sharp:
            # Around one moment nobody sees that the clock was set by less than a second.
            wanted = self._asked * _STEP_MS
        else:
            low, high = self._range(0)
            if low > high:
                low, high = self._range()
            # The node's second changes when this clock's time, less the error, is a whole second.
            wanted = (low + high - way_ms) // 2
            side_ms = SIDE_MS + way_ms // 2
            if high - low <= 2 * side_ms:  # two answers from each side, so that they agree
                wanted += side_ms if self._asked // 2 % 2 else -side_ms
        return least_ms + (wanted - now_ms - least_ms) % _SECOND_MS

    def _range(self, place: int | None = None) -> tuple[int, int]:
        """Bounds of the error that two answers agree on, if there are so many.

        Args:
            place: 0 for those of the most extreme answers alone.
        """
        lows = sorted((low for low, _ in self._bounds), reverse=True)
        highs = sorted(high for _, high in self._bounds)
        if place is None:
            place = 1 if len(lows) >= AGREEING_FROM else 0
        return lows[place], highs[place]

    def _forget_what_contradicts(self) -> None:
        """A clock was set: older answers are of the time before."""
        while len(self._bounds) > 1:
            low, high = self._range()
            if low <= high:
                return
            self._bounds.popleft()


def agreed_ms(estimates: Sequence[int]) -> int | None:
    """The middle one of several nodes' estimates, the smaller of two; None without any.

    One node whose own clock is off does not speak for the others.
    """
    if not estimates:
        return None
    ordered = sorted(estimates)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return min(middle, key=abs)
