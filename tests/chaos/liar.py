"""A node whose operator is byzantine: liar.py HABITS OPERATORS FLOOD, then the words of `phalanx`.

It is the node as it is shipped, with its key, its sockets and its share of every duty; only what it
says is twisted on the way out, by the habits of the simulation's liars. Honest messages come in and
are kept for forgeries. With a flood, each message is followed by so many of junk.

Source: operator_node.testing.byzantine; docs/chaos.md.
"""

from __future__ import annotations

import random
import sys
from collections import OrderedDict
from typing import Final

from operator_node.engine import engine, sealing
from operator_node.engine.job import Job
from operator_node.engine.outbox import Letter
from operator_node.engine.types import Message, MessageKey
from operator_node.qbft.rounds import leader_of
from operator_node.session import Send
from operator_node.testing.byzantine import twist
from operator_node.testing.faults import Lie
from operator_node.testing.mouth import Mouth, Utterance
from operator_node.wire.codec import encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.messages import Envelope, Received, SignedMessage
from sdk.types import OperatorId

SEED: Final = 20_261_123
JUNK_BYTES: Final = 1_000
"""Of a piece of junk; every second one is a true message with another signature."""
MOST_PENDING: Final = 1_000
"""Messages that were twisted and not published yet."""


class Tongue:
    """Twists what the node says.

    Args:
        habits: of the liar.
        committee: to whom it lies.
        flood: messages of junk with each of its own.
    """

    def __init__(self, habits: frozenset[Lie], committee: Committee, flood: int) -> None:
        self._habits = habits
        self._committee = committee
        self._flood = flood
        self._random = random.Random(SEED)
        self._mouth: Mouth | None = None
        self._key: MessageKey | None = None
        self._pending: OrderedDict[bytes, list[SignedMessage]] = OrderedDict()
        self._seal = sealing.seal

    def seal(self, send: Send, me: OperatorId, key: MessageKey) -> SignedMessage:
        """The true message; what goes out instead is kept until it does. In a worker."""
        self._key = key
        mouth = self._mouth or self._open(me)
        true = self._seal(send, me, key)
        said = twist(mouth, self._habits, Utterance(send.envelope, send.full_data))
        told = [
            each.signed or self._seal(Send(each.envelope, each.full_data), me, key) for each in said
        ]
        self._pending[true.signatures[0]] = told
        while len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
        return true

    def letters(self, topic: str, signed: SignedMessage) -> list[Letter]:
        """What goes out for a true message."""
        told = self._pending.pop(signed.signatures[0], [signed])
        letters = [Letter(topic, encode_signed(each)) for each in told]
        true = bytearray(encode_signed(signed))
        for number in range(self._flood):
            junk = bytearray(self._random.randbytes(JUNK_BYTES))
            if number % 2:
                junk = bytearray(true)
                junk[self._random.randrange(len(junk))] ^= 1 << self._random.randrange(8)
            letters.append(Letter(topic, bytes(junk)))
        return letters

    def hear(self, message: Message) -> None:
        """Keep what others say."""
        if isinstance(message, Received) and self._mouth is not None:
            self._mouth.hear(message)

    def _open(self, me: OperatorId) -> Mouth:
        mouth = Mouth(me=me, committee=self._committee, random=self._random, sign=self._sign)
        leader = leader_of(self._committee, Generation.BOOLE)
        mouth.leads = lambda body: leader(body.height, body.round) == me
        self._mouth = mouth
        return mouth

    def _sign(self, envelope: Envelope) -> bytes:
        if self._key is None:
            raise AssertionError("nothing was sealed yet")
        return self._seal(Send(envelope), OperatorId(0), self._key).signatures[0]


def loosen(tongue: Tongue) -> None:
    """Put it between the engine and its outbox."""
    honest_said, honest_receive = engine.Engine._said, engine.Engine.receive

    def said(self: engine.Engine, job: Job, signed: SignedMessage) -> None:
        put, self._outbox.put = self._outbox.put, _dropped  # type: ignore[method-assign, assignment]
        honest_said(self, job, signed)
        self._outbox.put = put  # type: ignore[method-assign]
        for letter in tongue.letters(job.topic, signed):
            put(letter)

    def receive(self: engine.Engine, message: Message, at_ms: int) -> None:
        tongue.hear(message)
        honest_receive(self, message, at_ms)

    sealing.seal = tongue.seal
    engine.Engine._said = said  # type: ignore[method-assign]
    engine.Engine.receive = receive  # type: ignore[method-assign]


def _dropped(_: Letter) -> None:
    """The true message, which is not said."""


if __name__ == "__main__":
    habits, operators, flood = sys.argv[1:4]
    committee = Committee(tuple(OperatorId(int(each)) for each in operators.split(",")))
    named = frozenset(Lie(each) for each in habits.split(","))
    loosen(Tongue(named, committee, int(flood)))
    from sdk.cli.main import main

    main(sys.argv[4:])
