"""Event streams are read whatever pieces they come in, and end when they fall silent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from operator_node.beacon.answers import MalformedAnswer
from operator_node.beacon.events import MAX_EVENT_BYTES, TOPIC_SETS, Lines, follow, read_event
from operator_node.beacon.feed import QUEUED_EVENTS, Feed
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble
from operator_node.beacon.types import (
    BeaconEvent,
    BlockSeenEvent,
    FinalizedEvent,
    HeadEvent,
    ReorgEvent,
    SlashingEvent,
)
from sdk.types import Epoch, Slot

ROOT, OTHER = bytes([1]) * 32, bytes([2]) * 32
HEAD = {
    "slot": "7",
    "block": f"0x{ROOT.hex()}",
    "state": f"0x{OTHER.hex()}",
    "epoch_transition": False,
    "previous_duty_dependent_root": f"0x{ROOT.hex()}",
    "current_duty_dependent_root": f"0x{OTHER.hex()}",
}
HEAD_EVENT = HeadEvent(Slot(7), ROOT, ROOT, OTHER, epoch_transition=False)
STREAM = (
    b":\n\nevent: head\ndata: one\n\nid: 5\nevent:block\r\ndata: two\r\ndata:three\r\n\r\n"
    b"event: empty\n\ndata: four\n\n"
)
CUT = [("head", b"one"), ("block", b"two\nthree"), ("", b"four")]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_pieces_may_end_anywhere(ends: list[int]) -> None:
    bounds = [0, *sorted(ends), len(STREAM)]
    lines = Lines()
    found = []
    for start, end in pairwise(bounds):
        found += lines.feed(STREAM[start:end])
    assert found == CUT


def test_an_event_without_end_is_refused() -> None:
    lines = Lines()
    with pytest.raises(MalformedAnswer):
        lines.feed(b"data: " + b"x" * (MAX_EVENT_BYTES + 1))


@pytest.mark.parametrize(
    ("topic", "document", "expected"),
    [
        ("head", HEAD, HEAD_EVENT),
        (
            "proposer_slashing",
            {"signed_header_1": {"message": {"slot": "7", "proposer_index": "5"}}},
            SlashingEvent(frozenset({5})),
        ),
        (
            "attester_slashing",
            {
                "attestation_1": {"attesting_indices": ["3", "5", "8"]},
                "attestation_2": {"attesting_indices": ["5", "8", "9"]},
            },
            SlashingEvent(frozenset({5, 8})),  # whoever is in both
        ),
        ("block", {"slot": "7", "block": HEAD["block"]}, BlockSeenEvent(Slot(7), ROOT)),
        ("block_gossip", {"slot": "7", "block": HEAD["block"]}, BlockSeenEvent(Slot(7), ROOT)),
        (
            "finalized_checkpoint",
            {"epoch": "3", "block": HEAD["block"], "state": HEAD["state"]},
            FinalizedEvent(Epoch(3), ROOT),
        ),
        (
            "chain_reorg",
            {
                "slot": "9",
                "depth": "2",
                "old_head_block": f"0x{ROOT.hex()}",
                "new_head_block": f"0x{OTHER.hex()}",
            },
            ReorgEvent(Slot(9), 2, ROOT, OTHER),
        ),
        ("attestation", {"anything": 1}, None),
    ],
)
def test_an_event_says_what_its_topic_promises(
    topic: str, document: object, expected: BeaconEvent | None
) -> None:
    assert read_event(topic, msgspec.json.encode(document)) == expected


@pytest.mark.parametrize("wrong", [{}, HEAD | {"block": "0x11"}, HEAD | {"slot": "-1"}, [], "no"])
def test_an_event_that_says_something_else_is_refused(wrong: object) -> None:
    with pytest.raises(MalformedAnswer):
        read_event("head", msgspec.json.encode(wrong))


class Endless(httpx.AsyncByteStream):
    """Sends one head, then nothing any more."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"event: head\ndata: " + msgspec.json.encode(HEAD) + b"\n\n"
        await trio.sleep_forever()

    async def aclose(self) -> None:
        pass


def followed(known: set[str]) -> tuple[list[BeaconEvent], list[list[str]], str, float]:
    """Events, topics per attempt, the end, and how long it took, at a node with these topics."""
    asked: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        topics = request.url.params.get_list("topics")
        asked.append(topics)
        if set(topics) - known:
            return httpx.Response(400, json={"message": "unknown topic"})
        return httpx.Response(200, stream=Endless())

    async def main() -> tuple[list[BeaconEvent], list[list[str]], str, float]:
        node = BeaconNode("http://node", transport=httpx.MockTransport(answer))
        events: list[BeaconEvent] = []
        began = trio.current_time()
        with pytest.raises(NodeTrouble) as caught:
            await follow(node, events.append, silence_s=36)
        await node.endpoint.aclose()
        return events, asked, caught.value.text, trio.current_time() - began

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_silent_stream_ends() -> None:
    known = set(TOPIC_SETS[0])
    assert known > {"head", "block_gossip", "attester_slashing", "proposer_slashing"}
    events, asked, text, took = followed(known)
    assert events == [HEAD_EVENT]
    assert [set(topics) for topics in asked] == [known]
    assert (text, took) == ("the event stream ended or fell silent", 36)


def test_topics_that_a_node_does_not_know_are_left_out() -> None:
    events, asked, _, _ = followed({"head", "chain_reorg", "finalized_checkpoint", "block"})
    assert events == [HEAD_EVENT]
    assert [len(topics) for topics in asked] == [7, 5, 4]
    assert [len(topics) for topics in followed({"head"})[1]] == [7, 5, 4, 3, 1]


def test_a_node_without_events_is_trouble() -> None:
    events, asked, text, _ = followed(set())
    assert (events, len(asked), text) == ([], 5, "status 400: unknown topic")


# --- the feed ------------------------------------------------------------------------------


def test_what_two_nodes_tell_is_heard_once() -> None:
    async def main() -> list[bool]:
        feed = Feed()
        return [feed.hear(node, HEAD_EVENT) for node in ("a", "b", "a", "b")]

    # The third: the first node has come back to a head that it had left.
    assert trio.run(main) == [True, False, True, False]


def test_a_slow_reader_loses_the_oldest() -> None:
    async def main() -> tuple[int, list[int]]:
        feed = Feed()
        slow = feed.subscribe()
        for slot in range(QUEUED_EVENTS + 5):
            feed.publish(BlockSeenEvent(Slot(slot), ROOT))
        kept = [await slow.receive() for _ in range(QUEUED_EVENTS)]
        return feed.lost, [event.slot for event in kept if isinstance(event, BlockSeenEvent)]

    assert trio.run(main) == (5, list(range(5, QUEUED_EVENTS + 5)))


def test_a_reader_that_has_gone_is_forgotten() -> None:
    async def main() -> int:
        feed = Feed()
        async with feed.subscribe():
            feed.publish(HEAD_EVENT)
        for _ in range(2 * QUEUED_EVENTS):
            feed.publish(HEAD_EVENT)
        return feed.lost

    assert trio.run(main) == 0
