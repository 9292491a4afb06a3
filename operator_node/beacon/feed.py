"""One stream of events out of those of all beacon nodes, for any number of readers.

Shell. A reader that does not keep up loses its oldest events; losses are counted.

Source: this node's own rule (BN-3).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import trio

from operator_node.beacon.types import BeaconEvent

QUEUED_EVENTS: Final = 64
"""A slot brings about three; whoever is ten slots behind gains nothing from older ones."""
_REMEMBERED: Final = 256


class Feed:
    """The merged events.

    Attributes:
        lost: events that slow readers did not get.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._readers: list[
            tuple[
                trio.MemorySendChannel[BeaconEvent],
                trio.MemoryReceiveChannel[BeaconEvent],
            ]
        ] = []
        self._told_by: OrderedDict[BeaconEvent, set[str]] = OrderedDict()

    def subscribe(self) -> trio.MemoryReceiveChannel[BeaconEvent]:
        """Events from now on; closing the channel ends it."""
        send, receive = trio.open_memory_channel[BeaconEvent](QUEUED_EVENTS)
        self._readers.append((send, receive.clone()))
        return receive

    def hear(self, node: str, event: BeaconEvent) -> bool:
        """Passes on what a node told, unless another one told it before; whether it did.

        The same node may come back to a head that it had left, and that is news.
        """
        tellers = self._told_by.setdefault(event, set())
        is_news = not tellers or node in tellers
        if is_news:
            tellers.clear()
        tellers.add(node)
        if len(self._told_by) > _REMEMBERED:
            self._told_by.popitem(last=False)
        if is_news:
            self.publish(event)
        return is_news

    def publish(self, event: BeaconEvent) -> None:
        """Gives an event to every reader."""
        self._readers = [each for each in self._readers if _is_read(*each)]
        for send, own in self._readers:
            try:
                send.send_nowait(event)
            except trio.WouldBlock:
                own.receive_nowait()
                send.send_nowait(event)
                self.lost += 1


def _is_read(
    send: trio.MemorySendChannel[BeaconEvent], own: trio.MemoryReceiveChannel[BeaconEvent]
) -> bool:
    """Whether somebody besides us still holds the other end; closes ours if not."""
    if send.statistics().open_receive_channels > 1:
        return True
    send.close()
    own.close()
    return False
