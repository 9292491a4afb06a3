"""Packets are counted before they are decoded."""

from __future__ import annotations

import pytest
from libp2p.pubsub.pb import rpc_pb2

from operator_node.p2p.upstream.control import CONTROL_BYTES
from operator_node.p2p.upstream.packets import PARTS, packet_of
from sdk.errors import PeerError
from tests.unit.operator_node.p2p.upstream.hosts import anonymous


def test_a_packet_is_what_was_sent_without_its_sender() -> None:
    packet = rpc_pb2.RPC(publish=[anonymous(b"one"), anonymous(bytes(300))], senderRecord=b"x")
    packet.control.graft.add(topicID="topic")
    packet.subscriptions.add(subscribe=True, topicid="topic")
    found = packet_of(packet.SerializeToString())
    packet.ClearField("senderRecord")
    assert found == packet


def test_as_many_messages_as_a_burst_has_are_taken() -> None:
    packet = rpc_pb2.RPC(publish=[anonymous(b"x")] * PARTS)
    assert len(packet_of(packet.SerializeToString()).publish) == PARTS


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x12\x00" * (PARTS + 1), "packet_overfull"),
        (b"\x1a\x80\x80\x80\x01" + bytes(2 * CONTROL_BYTES), "packet_overfull"),
        (b"\xff\xff\xff junk", "packet_malformed"),
        (b"\x12", "packet_malformed"),
        (b"\x12\x05abc", "packet_malformed"),
        (b"\x08\x01", "packet_malformed"),
        (b"\x80" * 30, "packet_malformed"),
    ],
)
def test_what_is_too_much_or_none_is_refused(frame: bytes, code: str) -> None:
    with pytest.raises(PeerError) as caught:
        packet_of(frame)
    assert caught.value.code == code
