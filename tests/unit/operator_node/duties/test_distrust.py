"""Who sent bad partial signatures of late: noted, forgotten after an epoch, bounded."""

from __future__ import annotations

from operator_node.duties.distrust import DISTRUST_SLOTS, DISTRUSTED_KEPT, Distrust
from operator_node.duties.types import Recovered, RecoveryRequest
from sdk.types import OperatorId, PublicKey, Slot

SLOT = Slot(1000)


def result(*culprits: int) -> Recovered:
    request = RecoveryRequest(1, PublicKey(bytes(48)), bytes(32), {}, {}, 3)
    return Recovered(request, None, frozenset(map(OperatorId, culprits)))


def test_culprits_are_distrusted_for_an_epoch() -> None:
    distrust = Distrust().noting([result(2), result(), result(3)], SLOT)
    assert distrust.at(SLOT) == {2, 3}
    assert distrust.at(Slot(SLOT + DISTRUST_SLOTS - 1)) == {2, 3}
    assert distrust.at(Slot(SLOT + DISTRUST_SLOTS)) == frozenset()


def test_repeated_culprit_is_distrusted_from_the_last_time_on() -> None:
    later = Slot(SLOT + 20)
    distrust = Distrust().noting([result(2)], SLOT).noting([result(2)], later)
    assert distrust.at(Slot(SLOT + DISTRUST_SLOTS)) == {2}


def test_results_without_culprits_change_nothing() -> None:
    distrust = Distrust().noting([result(2)], SLOT)
    assert distrust.noting([result()], Slot(SLOT + 1)) is distrust


def test_those_of_the_longest_ago_make_room() -> None:
    distrust = Distrust().noting([result(1)], SLOT)
    distrust = distrust.noting([result(*range(2, DISTRUSTED_KEPT + 2))], Slot(SLOT + 1))
    assert len(distrust.since) == DISTRUSTED_KEPT
    assert 1 not in distrust.at(Slot(SLOT + 1))
