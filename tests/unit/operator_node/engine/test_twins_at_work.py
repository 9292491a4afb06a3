"""A second process with one operator's keys, among four real engines."""

from __future__ import annotations

from collections.abc import Collection

import trio.testing

from operator_node.duties import Reason
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from sdk.types import OperatorId
from tests.unit.operator_node.engine.cluster import Case, Hub, Node, begin, due, part, play
from tests.unit.operator_node.engine.surroundings import IDS, SLOTS

SLOT = SLOTS[Generation.BOOLE]
ME = IDS[1]
ELSEWHERE = OperatorId(99)
EXIT = due(RunnerRole.VOLUNTARY_EXIT, SLOT, [part(BeaconRole.VOLUNTARY_EXIT, SLOT)])


class Elsewhere(Hub):
    """Another machine: what is sent there reaches everybody here, its own operator too."""

    def __init__(self, it: Case) -> None:
        super().__init__(it.nursery, it.clock)
        self.here = it.hub

    def carry(self, sender: OperatorId, topic: str, data: bytes, to: Collection[int]) -> None:
        self.here.carry(ELSEWHERE, topic, data, to)


async def twin_of(it: Case) -> Node:
    it.twins_expected = True
    twin = Node(ME, Elsewhere(it), it.clock)
    twin.hub.nodes[ME] = twin
    await it.nursery.start(twin.run)
    return twin


def test_a_twin_is_noticed_by_the_first_thing_that_it_says() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        twin = await twin_of(it)
        await begin(EXIT, [twin])
        await it.until(EXIT, 100)
        (mine,) = (node for node in nodes if node.me == ME)
        assert mine.twins.found == len(mine.fenced) >= 1
        assert f"operator {ME}: VOLUNTARY_EXIT, slot {SLOT}" in mine.fenced[0]
        assert not any(node.fenced for node in nodes if node is not mine)

    play(case, slot=SLOT)


def test_what_an_earlier_life_said_in_the_slot_of_the_start_proves_nothing() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes([each for each in IDS if each != ME])
        twin = await twin_of(it)
        await it.clock.sleep_until(it.clock.start_ms(SLOT) + 100)
        late = await it.node(ME)  # its slot began before it did
        await begin(EXIT, [twin, *nodes])
        await it.until(EXIT)
        assert late.intake.accepted > 0
        assert late.twins.found == 0

    play(case, slot=SLOT)


def test_an_own_message_that_comes_back_is_known() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(EXIT, nodes)
        await it.until(EXIT)
        (mine,) = (node for node in nodes if node.me == ME)
        assert mine.record().reason is Reason.DONE
        own = [each for each in it.hub.sent if each.sender == ME]
        assert own
        before = mine.intake.accepted
        for each in own:
            it.hub.carry(ELSEWHERE, each.topic, each.data, (ME,))
        await it.clock.sleep_until(it.clock.now_ms() + 100)
        await trio.testing.wait_all_tasks_blocked()
        assert mine.intake.accepted > before
        assert mine.fenced == []

    play(case, slot=SLOT)
