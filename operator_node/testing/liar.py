"""A byzantine operator: an honest node whose every message is twisted on its way out."""

from __future__ import annotations

from random import Random
from typing import Final

from msgspec.structs import replace

from operator_node.qbft.rounds import leader_of
from operator_node.testing.byzantine import twist
from operator_node.testing.desk import Job
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.faults import Lie, PlannedDuty
from operator_node.testing.mouth import Mouth, Utterance
from operator_node.testing.network import Packet
from operator_node.testing.node import Message, OperatorNode, Surroundings
from operator_node.testing.telling import tell_envelope
from operator_node.testing.world import Cluster
from operator_node.wire.codec import decode_signed, encode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.messages import Envelope, Received
from sdk.types import OperatorId

_STRIPPED: Final = 0.5
"""How often a replaying liar strips what it gets."""


class LiarNode(OperatorNode):
    """An operator with some of the habits in `byzantine`."""

    def __init__(
        self,
        me: OperatorId,
        surroundings: Surroundings,
        beacon: FakeBeacon,
        choices: Random,
        *,
        lies: frozenset[Lie],
        clock_error_ms: int = 0,
    ) -> None:
        """See `OperatorNode`; `lies` are its habits."""
        super().__init__(me, surroundings, beacon, choices, clock_error_ms=clock_error_ms)
        self._lies = lies
        self._choices = choices
        self._mouths: dict[bytes, Mouth] = {}

    def begin(self, planned: PlannedDuty, cluster: Cluster, deadline_ms: int) -> None:
        """Listen from the first duty on."""
        self._listen(cluster)
        super().begin(planned, cluster, deadline_ms)

    def hear(self, message: Message) -> None:
        """Keep what others say, for forgeries."""
        if isinstance(message, Received):
            for mouth in self._mouths.values():
                mouth.hear(message)

    def speak(self, job: Job, envelope: Envelope, full_data: bytes) -> None:
        """Say something else instead."""
        mouth = self._listen(job.cluster)
        leader = leader_of(job.cluster.committee, job.generation)
        mouth.leads = lambda body: leader(body.height, body.round) == self.me
        for said in twist(mouth, self._lies, Utterance(envelope, full_data)):
            if said.delay_ms:
                self.process.after(said.delay_ms, self._say, job, said)
            else:
                self._say(job, said)

    def _on_packet(self, packet: Packet, had_before: bool) -> None:
        if Lie.REPLAYS in self._lies and not had_before:
            self._pass_on_stripped(packet)
        super()._on_packet(packet, had_before)

    def _pass_on_stripped(self, packet: Packet) -> None:
        """Race the true message with a copy that lacks the data that no signature covers."""
        signed = decode_signed(packet.data, Generation.BOOLE)
        if signed.full_data and self._choices.random() < _STRIPPED:
            data = encode_signed(replace(signed, full_data=b""))
            self.network.publish(Packet(data, packet.topic, self.me, packet.envelope))

    def _take(self, message: Message) -> None:
        if isinstance(message, Received) and message.signed.signers == (self.me,):
            self.hear(message)
        super()._take(message)

    def _say(self, job: Job, said: Utterance) -> None:
        if self.is_noted:
            whom = "" if said.receivers is None else f" to {sorted(said.receivers)}"
            forged = " with forged signatures" if said.signed is not None else ""
            self.note(f"{tell_envelope(said.envelope)}{forged}{whom}")
        signed = said.signed or self.signed(said.envelope, said.full_data)
        self.publish(job, signed, said.receivers)

    def _listen(self, cluster: Cluster) -> Mouth:
        mouth = self._mouths.get(cluster.id)
        if mouth is None:
            mouth = self._mouths[cluster.id] = Mouth(
                me=self.me,
                committee=cluster.committee,
                random=self._choices,
                sign=lambda envelope: self.signed(envelope).signatures[0],
            )
        return mouth
