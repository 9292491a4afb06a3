"""Replay of recorded logs through the decoder: arguments, then the same bytes back.

For tests of the decoder and of the contract's logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdk.events import ClusterSnapshot, Undecodable, abi_arguments, decode, encode
from sdk.types import parse_hex

Document = Mapping[str, Any]
_SNAPSHOT_NAMES = {
    "validatorCount": "validator_count",
    "networkFeeIndex": "network_fee_index",
    "index": "index",
    "active": "active",
    "balance": "balance_wei",
}


def replay_events(document: Document) -> list[str]:
    """Mismatches in words, empty when every recorded log decodes to its recorded arguments and
    encodes to the same topics and data.

    `document` holds `logs`, each with `event`, `topics`, `data` and `args`: numbers as decimal
    text, bytes and addresses as hex text, a cluster as an object.
    """
    mismatches = []
    for place, log in enumerate(document["logs"]):
        label = f"log {place} ({log['event']})"
        topics = tuple(parse_hex(topic, what="topic") for topic in log["topics"])
        data = parse_hex(log["data"], what="data")
        event = decode(topics, data)
        if isinstance(event, Undecodable):
            mismatches.append(f"{label}: {event.reason}, {event.detail}")
            continue
        if type(event).__name__ != log["event"]:
            mismatches.append(f"{label}: decoded as {type(event).__name__}")
        ours = {name: _plain(value) for name, value in abi_arguments(event).items()}
        recorded = {name: _folded(value) for name, value in log["args"].items()}
        if ours != recorded:
            mismatches.append(f"{label}: recorded {recorded}, ours {ours}")
        if encode(event) != (topics, data):
            mismatches.append(f"{label}: encodes to other bytes")
    return mismatches


def _plain(value: object) -> object:
    """A decoded value in the form of the recording, hex in lower case."""
    match value:
        case ClusterSnapshot():
            return {name: _plain(getattr(value, ours)) for name, ours in _SNAPSHOT_NAMES.items()}
        case bool():
            return value
        case bytes():
            return "0x" + value.hex()
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _folded(value: object) -> object:
    """A recorded value with its hex in lower case, because addresses may be in mixed case."""
    match value:
        case str():
            return value.lower()
        case list():
            return [_folded(item) for item in value]
        case dict():
            return {name: _folded(item) for name, item in value.items()}
        case _:
            return value
