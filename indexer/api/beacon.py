"""One beacon node that an API process may ask: whether a validator signs.

Shell: blocking, for worker threads, without a database connection in hand. It only asks. What the
node does not answer in time is said to be unknown, never guessed. It need not be of the registry's
chain: on a local network the two are apart. Its address is never shown, it may hold a key.

Source: ethereum/beacon-APIs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import BoundedSemaphore, Lock
from typing import Final

import httpx

from indexer.api.node import NotChecked
from sdk.client.attendance import Attendance, attendance
from sdk.client.beacon import BeaconChain, BeaconNode
from sdk.errors import BeaconError
from sdk.types import PublicKey

ANSWER_S: Final = 3.0
"""Of each of the four questions; a node in the same place takes milliseconds."""
KEPT_S: Final = 6.0
"""Half a slot: a page that is loaded again and again asks once."""
MOST_KEPT: Final = 1024
"""Answers of some hundred bytes."""
ASKED_AT_ONCE: Final = 4
"""Of one process; who comes then is told that nothing is known."""


class Beacon:
    """A beacon node, and what it said a moment ago.

    Args:
        url: http or https.
        now: seconds of a clock that never goes back.
        transport: what carries requests, for tests.

    Raises:
        ConfigError: the address is none.
    """

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], float],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._node = BeaconNode(url, attempts=1, timeout_s=ANSWER_S, transport=transport)
        self._chain: BeaconChain | None = None
        self._now = now
        self._turns = BoundedSemaphore(ASKED_AT_ONCE)
        self._kept: OrderedDict[PublicKey, tuple[float, Attendance | None]] = OrderedDict()
        self._keeping = Lock()

    def close(self) -> None:
        """End its connections."""
        self._node.close()

    def attendance(self, key: PublicKey) -> Attendance | None:
        """What the node has seen of a validator; None if the beacon chain does not have it.

        Raises:
            NotChecked: the node does not say.
        """
        with self._keeping:
            said_at, found = self._kept.get(key, (None, None))
        if said_at is not None and self._now() - said_at < KEPT_S:
            return found
        found = self._ask(key)
        with self._keeping:
            self._kept[key] = (self._now(), found)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    def _ask(self, key: PublicKey) -> Attendance | None:
        if not self._turns.acquire(blocking=False):
            raise NotChecked("the beacon node is busy with other questions")
        try:
            if self._chain is None:
                self._chain = self._node.chain()
            return attendance(self._node, [key], chain=self._chain).get(key)
        except BeaconError as failure:
            raise NotChecked(f"the beacon node does not tell ({failure.code})") from failure
        finally:
            self._turns.release()
