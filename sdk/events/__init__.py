"""The registry's logs: one value per event, decoded strictly, encoded byte for byte."""

from __future__ import annotations

from sdk.events.abi import Malformed, Reason
from sdk.events.decode import (
    EVENT_ABIS,
    EventAbi,
    Undecodable,
    abi_arguments,
    decode,
    encode,
    operator_public_key_bytes,
    operator_public_key_text,
)
from sdk.events.log import Log, LogPosition
from sdk.events.snapshot import EMPTY_SNAPSHOT, ClusterSnapshot
from sdk.events.types import Event

__all__ = [
    "EMPTY_SNAPSHOT",
    "EVENT_ABIS",
    "ClusterSnapshot",
    "Event",
    "EventAbi",
    "Log",
    "LogPosition",
    "Malformed",
    "Reason",
    "Undecodable",
    "abi_arguments",
    "decode",
    "encode",
    "operator_public_key_bytes",
    "operator_public_key_text",
]
