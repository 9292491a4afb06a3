"""Nobody is let in before the share is armed and the watch is set."""

from __future__ import annotations

from typing import Any, cast

import trio
import trio.testing

from operator_node.beacon import ValidatorState
from operator_node.clock import SlotClock
from operator_node.node.admission import AGAIN_SECONDS, Admission
from operator_node.node.learners import Learners
from sdk.errors import StorageError, UsageError
from sdk.types import Epoch, PublicKey

KEY, OTHER = PublicKey(b"\x01" * 48), PublicKey(b"\x02" * 48)
GENESIS = 1_000


class Signer:
    """Fails as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.armed: list[PublicKey] = []

    def arm(self, key: PublicKey) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.armed.append(key)


class Watch:
    def __init__(self, *, full_for: int = 0) -> None:
        self.seen: list[tuple[PublicKey, bool]] = []
        self.full_for = full_for
        self.written: list[int] = []

    def watch_again(self, key: PublicKey, *, is_active: bool) -> None:
        self.seen.append((key, is_active))

    async def write(self) -> bool:
        self.full_for -= 1
        if self.full_for < 0:
            self.written.append(len(self.seen))
        return self.full_for < 0

    def learn_states(self, *states: object) -> None:
        """The watch is asked about elsewhere."""


class View:
    def learn_states(self, *states: object) -> None:
        """Gossip validation is asked about elsewhere."""


def admit(signer: Signer, watch: Watch | None = None, **states: ValidatorState) -> float:
    """Seconds that it took to let both in."""

    async def main() -> float:
        clock = SlotClock(
            genesis_time=GENESIS, slot_ms=12_000, slots_per_epoch=8, wall=lambda: GENESIS + 1_000.0
        )
        admission = Admission(cast(Any, signer), clock, cast(Any, watch))
        admission.learners = Learners(cast(Any, View()), cast(Any, watch))
        admission.learners.learn_states(
            {KEY if name == "key" else OTHER: each for name, each in states.items()}, Epoch(0)
        )
        began = trio.current_time()
        await admission.admit([KEY, OTHER])
        return trio.current_time() - began

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.05))


def state(activation: int) -> ValidatorState:
    return ValidatorState(7, "active_ongoing", Epoch(activation), Epoch(2**64 - 1), 32)


def test_all_are_armed_and_watched() -> None:
    signer, watch = Signer(), Watch()
    admit(signer, watch)
    assert signer.armed == [KEY, OTHER]
    assert [key for key, _ in watch.seen] == [KEY, OTHER]
    assert watch.written == [2]


def test_a_watch_that_is_not_on_the_disk_is_waited_for() -> None:
    watch = Watch(full_for=2)
    assert admit(Signer(), watch) >= 2 * AGAIN_SECONDS
    assert watch.written == [2]


def test_before_anything_is_known_of_validators_they_count_as_active() -> None:
    watch = Watch()

    async def main() -> None:
        clock = SlotClock(
            genesis_time=GENESIS, slot_ms=12_000, slots_per_epoch=8, wall=lambda: GENESIS + 1_000.0
        )
        await Admission(cast(Any, Signer()), clock, cast(Any, watch)).admit([KEY])

    trio.run(main)
    assert watch.seen == [(KEY, True)]


def test_a_validator_that_is_not_known_counts_as_active() -> None:
    watch = Watch()
    admit(Signer(), watch, other=state(activation=1_000))
    assert watch.seen == [(KEY, True), (OTHER, False)]


def test_a_failing_record_is_waited_for() -> None:
    signer = Signer(StorageError("full"), StorageError("full"))
    assert admit(signer) >= 2 * AGAIN_SECONDS
    assert signer.armed == [KEY, OTHER]


def test_a_share_of_another_validator_stops_nobody_else() -> None:
    signer = Signer(UsageError("share_of_another"))
    admit(signer)
    assert signer.armed == [OTHER]
