"""Seen messages: each is claimed once, by content, in bounded memory."""

from __future__ import annotations

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.seen import SeenMessages
from operator_node.wire.gossip import gossip_id

TOPIC = "ssv.v2.1"


def test_a_message_is_claimed_once() -> None:
    seen = SeenMessages()
    assert seen.claim(TOPIC, b"a")
    assert not seen.claim(TOPIC, b"a")
    assert seen.claim(TOPIC, b"b")


def test_a_copy_on_another_topic_does_not_suppress_the_message() -> None:
    seen = SeenMessages()
    assert seen.claim("ssv.v2.2", b"a")
    assert seen.claim(TOPIC, b"a")


def test_peers_are_answered_by_the_networks_ids() -> None:
    seen = SeenMessages()
    seen.claim(TOPIC, b"a")
    assert seen.has(gossip_id(b"a"))
    assert not seen.has(gossip_id(b"b"))
    assert seen.add(b"id")
    assert not seen.add(b"id")


def test_a_message_is_known_for_two_generations() -> None:
    seen = SeenMessages()
    seen.claim(TOPIC, b"a")
    seen.turn()
    assert not seen.claim(TOPIC, b"a")
    seen.turn()
    assert not seen.has(gossip_id(b"a"))
    assert seen.claim(TOPIC, b"a")


def test_memory_is_bounded_by_turning_early() -> None:
    seen = SeenMessages(generation=10)
    for number in range(100):
        assert seen.claim(TOPIC, b"%d" % number)
    assert len(seen) == 20
    assert not seen.claim(TOPIC, b"99")


def test_who_brought_a_message_first_is_known_as_long_as_the_message() -> None:
    seen = SeenMessages()
    seen.claim("topic", b"data", bearer=PeerId("a"))
    seen.claim("topic", b"data", bearer=PeerId("b"))
    seen.claim("topic", b"own")
    seen.turn()
    assert seen.bearer("topic", b"data") == "a"
    assert seen.bearer("topic", b"own") is None
    seen.turn()
    assert seen.bearer("topic", b"data") is None
