"""When a node says nothing, and what it leaves for its next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.doppelganger import LastUse, StartWatch
from operator_node.duties import Reason
from operator_node.node.silence import Silence
from operator_node.shares import ShareSigner
from operator_node.signer.record import Protection
from tests.unit.operator_node.mock_time import SLOTS_PER_EPOCH, Wall, run

START = 20


class Scene:
    """A node that starts in the middle of a slot."""

    def __init__(self, folder: Path, *, slots: int) -> None:
        self.clock = Wall(slot=START + 0.5).slot_clock()
        (folder / "record").touch()
        self.signer = ShareSigner(record=Records(), clock=self.clock)
        self.hears = True
        self.last_use = LastUse(folder / "note", record=folder / "record")
        self.silence = Silence(
            signer=self.signer,
            watch=StartWatch(slots, now=START, longest_slots=SLOTS_PER_EPOCH),
            last_use=self.last_use,
            clock=self.clock,
            hears=lambda: self.hears,
        )

    async def until(self, slot: int) -> None:
        await self.clock.sleep_until(self.clock.start_ms(slot))

    def reason(self, slot: int) -> Reason | None:
        found = self.silence.of(slot)
        return None if found is None else found[0]

    def is_noted(self) -> bool:
        return self.last_use.is_recent(self.clock.now_ms())


class Records(Protection):
    def knows(self, share_key: object, /) -> bool:
        return False


def test_duties_of_two_slots_are_silenced(tmp_path: Path) -> None:
    scene = Scene(tmp_path, slots=2)

    async def main() -> None:
        for slot in (START + 1, START + 3):
            await scene.until(slot)
            assert scene.reason(slot) is Reason.START_WATCH
            await scene.silence.keep_note()
            assert scene.silence.is_listening()
            assert not scene.is_noted()
        await scene.until(START + 4)
        assert scene.reason(START + 4) is None
        await scene.silence.keep_note()
        assert scene.is_noted()

    run(main)


def test_slots_in_which_nobody_could_be_heard_do_not_count(tmp_path: Path) -> None:
    scene = Scene(tmp_path, slots=1)
    scene.hears = False

    async def main() -> None:
        await scene.until(START + 1)
        assert scene.reason(START + 1) is Reason.START_WATCH
        await scene.until(START + 2)
        scene.hears = True
        assert scene.reason(START + 2) is Reason.START_WATCH
        await scene.until(START + 3)
        assert scene.reason(START + 3) is None

    run(main)


def test_without_a_watch_duties_begin_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path, slots=0)

    async def main() -> None:
        assert scene.reason(START) is None
        assert not scene.silence.is_listening()

    run(main)


@pytest.mark.parametrize("slots", [0, 2])
def test_a_twin_silences_everything_and_makes_the_next_start_listen(
    tmp_path: Path, slots: int
) -> None:
    scene = Scene(tmp_path, slots=slots)

    async def main() -> None:
        await scene.until(START + SLOTS_PER_EPOCH + 1)
        await scene.silence.keep_note()
        assert scene.is_noted()
        scene.signer.fence("seen")
        assert scene.silence.of(START + 30) == (Reason.FENCED, "seen")
        await scene.silence.keep_note()
        assert not scene.is_noted()

    run(main)
