"""What proves a second instance, and what does not."""

from __future__ import annotations

import pytest

from operator_node.doppelganger import Twins
from operator_node.doppelganger import twins as module
from operator_node.testing.world import BOOLE_DOMAIN
from operator_node.wire.ids import RunnerRole, committee_id, committee_message_id
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignatures,
    Received,
    ReceivedPartials,
    SignedMessage,
)
from sdk.types import OperatorId

ME, OTHER = OperatorId(2), OperatorId(3)
SLOT_MS = 12_000
START = 100
ID = committee_message_id(BOOLE_DOMAIN, RunnerRole.COMMITTEE, committee_id((1, 2, 3, 4)))


class Clock:
    def __init__(self) -> None:
        self.ms = START * SLOT_MS + 5_000

    def now_ms(self) -> int:
        return self.ms

    def slot_at(self, at_ms: int) -> int:
        return at_ms // SLOT_MS


class Key:
    """As deterministic as RSA with PKCS #1 v1.5."""

    def sign(self, data: bytes) -> bytes:
        return data.rjust(16, b"-") + bytes(240)


class Scene:
    def __init__(self, into_slot_ms: int = 5_000) -> None:
        self.clock = Clock()
        self.clock.ms = START * SLOT_MS + into_slot_ms
        self.fenced: list[str] = []
        self.twins = Twins(me=ME, key=Key(), clock=self.clock, fence=self.fenced.append)

    def at(self, slot: int) -> None:
        self.clock.ms = slot * SLOT_MS

    def look(self, slot: int, signature: bytes = b"", *signers: OperatorId) -> bool:
        """Whether a message proves a twin."""
        before = self.twins.found
        who = signers or (ME,)
        signatures = tuple(signature or Key().sign(b"elsewhere") for _ in who)
        signed = SignedMessage(signatures, who, Envelope(0, ID, b""))
        self.twins.look(Received(signed, ConsensusMessage(0, slot, 1, ID, bytes(32))), "16Uiu2")
        assert self.twins.found == len(self.fenced)
        return self.twins.found > before


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_own_message_that_this_process_did_not_sign_proves_a_twin(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    assert scene.look(START + 1)
    assert scene.look(START + 1)
    assert scene.fenced[0] == (
        "another process signs as operator 2: COMMITTEE, slot 101, by peer 16Uiu2"
    )
    (told,) = caplog.records
    assert told.levelname == "CRITICAL"
    assert ID.hex() in told.getMessage()


def test_partial_signatures_prove_it_as_well(scene: Scene) -> None:
    signed = SignedMessage((Key().sign(b"elsewhere"),), (ME,), Envelope(1, ID, b""))
    scene.twins.look(ReceivedPartials(signed, PartialSignatures(0, START + 1, ())), "peer")
    assert scene.twins.found == 1


def test_messages_of_slots_up_to_the_start_prove_nothing(scene: Scene) -> None:
    assert not any(scene.look(slot) for slot in range(START - 40, START + 1))


def test_a_slot_that_begins_right_after_the_start_counts_as_older() -> None:
    scene = Scene(into_slot_ms=SLOT_MS - 500)
    assert not scene.look(START + 1)
    assert scene.look(START + 2)


def test_others_and_decided_messages_prove_nothing(scene: Scene) -> None:
    assert not scene.look(START + 1, b"", OTHER)
    assert not scene.look(START + 1, b"", ME, OTHER, OperatorId(4))


def test_an_own_message_is_known_however_late_it_comes_back(scene: Scene) -> None:
    scene.at(START + 1)
    echo = scene.twins.sign(b"vote")
    for slot in range(START + 2, START + 200):
        scene.at(slot)
        scene.twins.sign(b"%d" % slot)
        assert not scene.look(START + 1, echo)


def test_another_instance_with_the_lease_is_no_twin(scene: Scene) -> None:
    scene.twins.rest()
    assert not scene.look(START + 1)
    scene.at(START + 5)
    scene.twins.begin_anew()
    assert not scene.look(START + 5)  # its last words
    assert scene.look(START + 6)


def test_what_is_forgotten_is_not_judged_any_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KNOWN_SIGNATURES", 3)
    scene.at(START + 1)
    echoes = [scene.twins.sign(b"%d" % each) for each in range(4)]
    assert not any(scene.look(START + 1, echo) for echo in echoes)
    assert not scene.look(START + 2)
    assert scene.look(START + 3)


def test_a_clock_that_was_ahead_at_the_start_does_not_blind_the_watch(scene: Scene) -> None:
    scene.at(START - 600)
    assert not scene.look(START - 600)  # began before the clock was set right, as far as is known
    assert scene.look(START - 599)


def test_the_first_proof_is_an_event_to_wait_for(scene: Scene) -> None:
    assert not scene.twins.seen.is_set()
    scene.look(START + 1)
    assert scene.twins.seen.is_set()
