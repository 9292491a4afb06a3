"""What an API process remembers of a beacon node, and what it says if there is no answer."""

from __future__ import annotations

import httpx
import pytest

from indexer.api.beacon import KEPT_S, Beacon
from indexer.api.node import NotChecked
from sdk.errors import ConfigError
from sdk.types import PublicKey
from tests.unit.sdk.client.test_attendance import SIGNING, UNKNOWN, answer_of, seen


class Told:
    """A beacon node that counts its questions, and may go away; a clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.asked = 0
        self.is_away = False
        transport = httpx.MockTransport(self._handle)
        self.beacon = Beacon(
            "http://secret@beacon.example", now=lambda: self.now_s, transport=transport
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.is_away:
            raise httpx.ConnectError("http://secret@beacon.example refused", request=request)
        return answer_of(request, head_slot=100, liveness=seen)


def test_answer_is_kept_for_a_moment_also_that_there_is_no_such_validator() -> None:
    told = Told()
    first = told.beacon.attendance(SIGNING)
    assert first is not None
    assert first.signed == ((2, True), (3, False))
    assert told.beacon.attendance(UNKNOWN) is None
    asked = told.asked
    told.now_s += KEPT_S - 1
    assert told.beacon.attendance(SIGNING) == first
    assert told.beacon.attendance(UNKNOWN) is None
    assert told.asked == asked
    told.now_s += 1
    told.beacon.attendance(SIGNING)
    assert told.asked > asked


def test_node_that_is_away_is_asked_once_and_not_named() -> None:
    told = Told()
    told.is_away = True
    with pytest.raises(NotChecked) as caught:
        told.beacon.attendance(SIGNING)
    assert told.asked == 1
    assert caught.value.reason == "the beacon node does not tell (beacon_unreachable)"
    told.is_away = False
    assert told.beacon.attendance(SIGNING) is not None


def test_answers_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.api.beacon.MOST_KEPT", 2)
    told = Told()
    for byte in (1, 2, 3):
        told.beacon.attendance(PublicKey(48 * bytes([byte])))
    asked = told.asked
    told.beacon.attendance(PublicKey(48 * b"\x03"))
    assert told.asked == asked
    told.beacon.attendance(SIGNING)
    assert told.asked > asked


def test_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        Beacon("beacon.example", now=lambda: 0.0)
