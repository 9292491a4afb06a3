"""Tells a peer of freed room in a stream's window now and then, instead of after every read.

Defect of py-libp2p 0.8.1: its Yamux sends a window update, encrypted and in a packet of its own,
for every read, so that each small message costs two packets. The sender's window shrinks by what is
held back, at most an eighth of the 256 KiB that every stream starts with.

Source: the Yamux specification, "Flow control".
"""

from __future__ import annotations

from typing import Final

from libp2p.abc import INetStream
from libp2p.network.stream.net_stream import NetStream
from libp2p.stream_muxer.yamux.yamux import YamuxStream

HELD_BACK_BYTES: Final = 32 * 1024
"""An eighth of Yamux's first window: the sender never has to wait for an update that is held."""


def batch_window_updates(stream: INetStream) -> None:
    """Makes the stream's updates rare; streams of another muxer stay as they are."""
    muxed = stream.muxed_stream if isinstance(stream, NetStream) else None
    if not isinstance(muxed, YamuxStream):
        return
    send = muxed.send_window_update
    held = 0

    async def send_rarely(increment: int, skip_lock: bool = False) -> None:
        nonlocal held
        held += increment
        if held >= HELD_BACK_BYTES:
            due, held = held, 0
            await send(due, skip_lock)

    muxed.send_window_update = send_rarely  # type: ignore[method-assign]  # of this stream alone
