"""Budgets of a heartbeat: what is beyond is cut, and costs once."""

from __future__ import annotations

from libp2p.pubsub.pb import rpc_pb2

from operator_node.p2p.scoring import Fault, PeerId
from operator_node.p2p.upstream.control import (
    CONTROL_BYTES,
    LONGEST_BACKOFF_SECONDS,
    PER_HEARTBEAT,
    ControlLimits,
    Kind,
)
from tests.p2p.nodes import OTHER_TOPIC, TOPIC, TOPICS
from tests.unit.operator_node.p2p.upstream.hosts import peer

A, B = peer(2), peer(3)


class Scene:
    """Limits, and who was blamed for what."""

    def __init__(self) -> None:
        self.blamed: list[Fault] = []
        self.limits = ControlLimits(self._blame, TOPICS)

    def _blame(self, _peer: PeerId, fault: Fault) -> None:
        self.blamed.append(fault)

    def trimmed(self, control: rpc_pb2.ControlMessage) -> rpc_pb2.ControlMessage:
        self.limits.trim(A, control)
        return control


def grafts(count: int, topic: str = TOPIC) -> rpc_pb2.ControlMessage:
    return rpc_pb2.ControlMessage(graft=[rpc_pb2.ControlGraft(topicID=topic)] * count)


def ids(count: int) -> list[bytes]:
    return [b"%012d" % number for number in range(count)]


def test_what_is_within_every_budget_is_left_alone() -> None:
    scene, control = Scene(), grafts(3)
    control.graft.add(topicID=OTHER_TOPIC)
    control.prune.add(topicID=TOPIC, backoff=60)
    control.ihave.add(topicID=TOPIC, messageIDs=ids(100))
    control.iwant.add(messageIDs=ids(100))
    before = control.SerializeToString()
    assert scene.trimmed(control).SerializeToString() == before
    assert scene.blamed == []


def test_topics_that_no_network_has_are_left_out_without_blame() -> None:
    scene, control = Scene(), grafts(5, "made up")
    control.graft.add(topicID=TOPIC)
    control.prune.add(topicID="made up")
    control.ihave.add(topicID="made up", messageIDs=ids(1))
    control = scene.trimmed(control)
    assert [each.topicID for each in control.graft] == [TOPIC]
    assert not control.prune
    assert not control.ihave
    assert scene.blamed == []


def test_more_grafts_than_there_are_topics_are_cut_and_cost_once_per_heartbeat() -> None:
    scene = Scene()
    assert len(scene.trimmed(grafts(300)).graft) == PER_HEARTBEAT[Kind.GRAFT]
    assert not scene.trimmed(grafts(300)).graft
    assert scene.blamed == [Fault.CONTROL_FLOOD]
    assert scene.limits.cut[Kind.GRAFT] == 44 + 300
    scene.limits.turn()
    assert len(scene.trimmed(grafts(200)).graft) == 200
    assert scene.blamed == [Fault.CONTROL_FLOOD]


def test_offered_and_wanted_ids_are_counted_over_all_entries() -> None:
    scene, control = Scene(), rpc_pb2.ControlMessage()
    for _ in range(3):
        control.ihave.add(topicID=TOPIC, messageIDs=ids(2000))
        control.iwant.add(messageIDs=ids(2000))
    control = scene.trimmed(control)
    assert [len(each.messageIDs) for each in control.ihave] == [2000, 2000, 1000]
    assert [len(each.messageIDs) for each in control.iwant] == [2000, 2000, 1000]
    assert scene.blamed == [Fault.CONTROL_FLOOD] * 2


def test_a_packet_of_control_without_end_is_dropped_whole() -> None:
    scene, control = Scene(), grafts(1)
    control.iwant.add(messageIDs=[bytes(CONTROL_BYTES)])
    assert scene.trimmed(control) == rpc_pb2.ControlMessage()
    assert scene.blamed == [Fault.CONTROL_FLOOD]


def test_nobody_is_dialled_on_a_peers_advice_and_no_backoff_is_for_ever() -> None:
    scene, control = Scene(), rpc_pb2.ControlMessage()
    prune = control.prune.add(topicID=TOPIC, backoff=2**40)
    prune.peers.add(peerID=b"somebody")
    control.idontwant.add(messageIDs=ids(3))
    found = scene.trimmed(control)
    assert not found.prune[0].peers
    assert found.prune[0].backoff == LONGEST_BACKOFF_SECONDS
    assert not found.idontwant


def test_an_answer_of_any_size_is_given_once_and_then_as_much_as_the_budget() -> None:
    limits = Scene().limits
    budget = PER_HEARTBEAT[Kind.ANSWER_BYTES]
    assert limits.admits(A, Kind.ANSWER_BYTES, 5 * budget)
    assert not limits.admits(A, Kind.ANSWER_BYTES, 1)
    assert limits.admits(B, Kind.ANSWER_BYTES, budget // 2)
    assert limits.admits(B, Kind.ANSWER_BYTES, budget // 2)
    assert not limits.admits(B, Kind.ANSWER_BYTES, 1)


def test_asking_too_early_costs_once_per_heartbeat() -> None:
    scene = Scene()
    for _ in range(100):
        scene.limits.blame_early_graft(A)
    scene.limits.turn()
    scene.limits.blame_early_graft(A)
    assert scene.blamed == [Fault.EARLY_GRAFT] * 2
