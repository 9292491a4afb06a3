"""What a beacon node tells of validators that sign, are silent, or are not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sdk.client.attendance import Attendance, attendance
from sdk.client.beacon import BeaconNode
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey

SIGNING, SILENT, UNKNOWN = (PublicKey(48 * bytes([byte])) for byte in (1, 2, 3))
INDICES = {SIGNING: 41, SILENT: 42}


def answer_of(
    request: httpx.Request,
    *,
    head_slot: int,
    syncing: bool = False,
    liveness: Callable[[int], Any] | None = None,
) -> httpx.Response:
    """What a beacon node answers that has two of the three validators."""
    data: Any = None
    match request.url.path.strip("/").split("/"):
        case ["eth", "v1", "node", "syncing"]:
            data = {"head_slot": str(head_slot), "is_syncing": syncing}
        case ["eth", "v1", "beacon", "genesis"]:
            data = {"genesis_time": "0"}
        case ["eth", "v1", "config", "spec"]:
            data = {
                "SECONDS_PER_SLOT": "12",
                "SLOTS_PER_EPOCH": "32",
                "SHARD_COMMITTEE_PERIOD": "256",
                "DEPOSIT_CHAIN_ID": "1",
            }
        case [*_, "validators", key] if (named := PublicKey(bytes.fromhex(key[2:]))) in INDICES:
            data = validator(named)
        case [*_, "liveness", epoch] if liveness is not None:
            wanted = set(json.loads(request.content))
            rows = liveness(int(epoch))
            if rows is None:
                return httpx.Response(500)
            data = [row for row in rows if row["index"] in wanted]
    return httpx.Response(404) if data is None else httpx.Response(200, json={"data": data})


def node(**more: Any) -> BeaconNode:
    transport = httpx.MockTransport(lambda request: answer_of(request, **more))
    return BeaconNode("http://beacon.example", attempts=1, transport=transport)


def validator(key: PublicKey) -> dict[str, Any]:
    record = {
        "pubkey": "0x" + key.hex(),
        "withdrawal_credentials": "0x" + 32 * "00",
        "activation_epoch": "0",
        "exit_epoch": "18446744073709551615",
    }
    return {"index": str(INDICES[key]), "status": "active_ongoing", "validator": record}


def seen(epoch: int) -> list[dict[str, Any]]:
    """The first signed in every epoch but the third."""
    return [
        {"index": "41", "is_live": epoch != 3},
        {"index": "42", "is_live": False},
    ]


def test_both_epochs_are_told_of_each_that_the_chain_has() -> None:
    found = attendance(node(head_slot=3 * 32 + 5, liveness=seen), [SIGNING, SILENT, UNKNOWN])
    assert found == {
        SIGNING: Attendance(41, "active_ongoing", ((Epoch(2), True), (Epoch(3), False))),
        SILENT: Attendance(42, "active_ongoing", ((Epoch(2), False), (Epoch(3), False))),
    }


def test_genesis_epoch_has_none_before_it() -> None:
    found = attendance(node(head_slot=5, liveness=seen), [SIGNING, SILENT])
    assert found[SIGNING].signed == ((0, True),)


def test_node_that_does_not_follow_who_signs_still_tells_the_status() -> None:
    found = attendance(node(head_slot=100), [SIGNING])
    assert found == {SIGNING: Attendance(41, "active_ongoing", ())}


def test_epoch_that_is_too_old_for_the_node_is_left_out() -> None:
    asked = node(head_slot=100, liveness=lambda epoch: None if epoch == 2 else seen(epoch))
    assert attendance(asked, [SIGNING])[SIGNING].signed == ((3, False),)


def test_node_behind_the_chain_is_refused() -> None:
    with pytest.raises(BeaconError) as caught:
        attendance(node(head_slot=100, syncing=True, liveness=seen), [SIGNING])
    assert caught.value.code == "beacon_not_synced"
