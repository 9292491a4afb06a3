"""Own messages: signed for the others, and as they come back to this node.

A signature takes half a millisecond, and the key is usually in another process, so it is made
beside the event loop: a few messages at a time, those of proposals first, each duty's in their
order.

Source: docs/protocol.md, "Signatures".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import trio

from operator_node.engine.job import Job
from operator_node.engine.types import Message, MessageKey, Work
from operator_node.session import Send
from operator_node.wire.codec import decode_consensus, decode_partials, encode_envelope
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import EnvelopeKind, Received, ReceivedPartials, SignedMessage
from sdk.errors import InvariantBroken
from sdk.types import OperatorId

SEALED_AT_ONCE: Final = 8
"""A proposal's message waits for so many others at most, about 5 ms."""
UNSEALED_MOST: Final = 20_000
"""500 committees that say all they can in a slot; a node that is so far behind is of no use."""


class Sealer:
    """Signs messages in their order, in a task of its own."""

    def __init__(
        self,
        me: OperatorId,
        key: MessageKey,
        work: Work,
        *,
        said: Callable[[Job, SignedMessage], None],
        failed: Callable[[Job, Exception], None],
    ) -> None:
        """Idle.

        Args:
            me: the own operator id.
            key: asked in a worker.
            work: where it is waited for.
            said: called with each signed message.
            failed: called for each message that could not be signed.
        """
        self._me = me
        self._key = key
        self._work = work
        self._said = said
        self._failed = failed
        self._urgent: deque[tuple[Job, Send]] = deque()
        self._usual: deque[tuple[Job, Send]] = deque()
        self._news = trio.Event()

    def put(self, job: Job, send: Send) -> None:
        """Takes a message to be signed after those before it.

        Raises:
            InvariantBroken: far too many wait.
        """
        waiting = self._urgent if job.role is RunnerRole.PROPOSER else self._usual
        if len(waiting) >= UNSEALED_MOST:
            raise InvariantBroken(f"{len(waiting)} messages wait for a signature")
        waiting.append((job, send))
        self._news.set()

    async def run(self) -> None:
        """For good."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            while batch := self._take():
                await self._seal(batch)

    def _take(self) -> list[tuple[Job, Send]]:
        batch: list[tuple[Job, Send]] = []
        for waiting in (self._urgent, self._usual):
            while waiting and len(batch) < SEALED_AT_ONCE:
                batch.append(waiting.popleft())
        return batch

    async def _seal(self, batch: Sequence[tuple[Job, Send]]) -> None:
        step = partial(_seal_all, [send for _, send in batch], self._me, self._key)
        results = await self._work(step, urgent=True)
        for (job, _), result in zip(batch, results, strict=True):
            if isinstance(result, SignedMessage):
                self._said(job, result)
            else:
                self._failed(job, result)


def _seal_all(
    sends: Sequence[Send], me: OperatorId, key: MessageKey
) -> list[SignedMessage | Exception]:
    """What each came to; the boundary of one message, so that others go out."""
    results: list[SignedMessage | Exception] = []
    for send in sends:
        try:
            results.append(seal(send, me, key))
        except Exception as problem:
            results.append(problem)
    return results


def seal(send: Send, me: OperatorId, key: MessageKey) -> SignedMessage:
    """The message under the own operator signature."""
    signature = key.sign(encode_envelope(send.envelope))
    return SignedMessage((signature,), (me,), send.envelope, send.full_data)


def as_received(signed: SignedMessage, generation: Generation) -> Message:
    """An own message as it comes back; `generation` is that of its slot."""
    data = signed.message.data
    if signed.message.kind == EnvelopeKind.CONSENSUS:
        return Received(signed, decode_consensus(data))
    return ReceivedPartials(signed, decode_partials(data, generation))
