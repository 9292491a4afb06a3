"""Fences: each cause by itself, whatever other threads do meanwhile."""

from __future__ import annotations

from threading import Event, Thread

from operator_node.node.fences import Cause, Fences


class Signer:
    """Remembers what it was told last; the first end of a fence takes until it is let go."""

    def __init__(self) -> None:
        self.why = ""
        self.is_ending, self.may_end = Event(), Event()

    def fence(self, why: str) -> None:
        self.why = why

    def unfence(self) -> None:
        self.is_ending.set()
        assert self.may_end.wait(timeout=60)
        self.why = ""


def test_one_cause_that_ends_does_not_lift_another() -> None:
    signer = Signer()
    fences = Fences(signer)
    fences.set(Cause.TWIN, "a twin")
    fences.set(Cause.LEASE, "no lease")
    assert signer.why == "a twin; no lease"
    fences.set(Cause.LEASE, "")
    assert signer.why == "a twin"


def test_an_end_does_not_lift_what_another_thread_raises_meanwhile() -> None:
    signer = Signer()
    fences = Fences(signer)
    fences.set(Cause.LEASE, "no lease")
    ending = Thread(target=fences.set, args=(Cause.LEASE, ""))
    ending.start()
    assert signer.is_ending.wait(timeout=60)
    raising = Thread(target=fences.set, args=(Cause.SLASHED, "slashed"))
    raising.start()
    signer.may_end.set()
    ending.join()
    raising.join()
    assert signer.why == "slashed"
