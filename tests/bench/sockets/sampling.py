"""Where processor time goes: what the main thread does whenever a slice of it has been used.

The system sends a signal per slice of processor time of all threads. Python takes it on the main
thread, so that a worker's slice is charged to the main thread's waiting for it: `THREADS`.

Source: setitimer(2), ITIMER_PROF.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from types import FrameType
from typing import Final

SLICE_S: Final = 0.004
THREADS: Final = "BLS and disk, in worker threads"
SOCKETS: Final = "sockets: system calls"
TRIO: Final = "trio: switching between tasks"
PLACES: Final = (
    ("sdk/crypto/operator_keys", "RSA"),
    ("noise/", "libp2p: Noise (encryption)"),
    ("libp2p/security", "libp2p: Noise (encryption)"),
    ("libp2p/stream_muxer", "libp2p: Yamux (streams in a connection)"),
    ("libp2p/pubsub", "libp2p: gossip"),
    ("operator_node/p2p/upstream", "gossip and framing, our part"),
    ("libp2p/", "libp2p: connections and the rest"),
    ("operator_node/p2p", "direct streams, gate, address book"),
    ("operator_node/validation", "decode and validate"),
    ("operator_node/wire", "decode and validate"),
    ("operator_node/qbft", "sessions: consensus and duties"),
    ("operator_node/session", "sessions: consensus and duties"),
    ("operator_node/duties", "sessions: consensus and duties"),
    ("operator_node/spec", "sessions: consensus and duties"),
    ("operator_node/", "engine"),
    ("tests/bench", "the benchmark itself"),
    ("trio/_socket", SOCKETS),
    ("trio/_highlevel_socket", SOCKETS),
)
"""Part of a file's path, and its name. The innermost frame that has one decides; other code of trio
counts for whoever called it, until the scheduler is reached."""
_SCHEDULER: Final = "unrolled_run"
_WAITING: Final = "get_events"
"""Functions of trio: one steps through all tasks, the other waits for what comes next."""


class Sampler:
    """Adds up processor time by place until it is stopped.

    Attributes:
        spent_s: seconds, by place.
    """

    def __init__(self) -> None:
        self.spent_s: defaultdict[str, float] = defaultdict(float)
        self._places: dict[str, str] = {}
        self._last_s = 0.0

    def start(self) -> None:
        """From now on."""
        self._last_s = time.process_time()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SLICE_S, SLICE_S)

    def stop(self) -> None:
        """No longer."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        # Signals that come while a worker has the interpreter are one when it gives it back.
        now_s = time.process_time()
        self.spent_s[self._where(frame)] += now_s - self._last_s
        self._last_s = now_s

    def _where(self, frame: FrameType | None) -> str:
        while frame is not None:
            if frame.f_code.co_name == _WAITING:
                return THREADS
            if place := self._place(frame.f_code.co_filename):
                return place
            if frame.f_code.co_name == _SCHEDULER:
                break
            frame = frame.f_back
        return TRIO

    def _place(self, path: str) -> str:
        place = self._places.get(path)
        if place is None:
            place = next((name for part, name in PLACES if part in path), "")
            self._places[path] = place
        return place
