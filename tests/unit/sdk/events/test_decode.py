from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode

import sdk
from sdk.events import (
    EVENT_ABIS,
    Event,
    Log,
    Malformed,
    Reason,
    Undecodable,
    abi_arguments,
    decode,
    encode,
    operator_public_key_bytes,
    operator_public_key_text,
)
from sdk.events.types import (
    ClusterBalanceUpdated,
    DebtUncovered,
    OperatorAdded,
    OperatorPrivacyStatusUpdated,
    OperatorRemoved,
    ValidatorExited,
)
from sdk.testing import builders
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, Wei, keccak256

ABI = json.loads((Path(sdk.__file__).parent / "abi" / "registry.json").read_text())
OWNER = builders.address(1)
EXITED = ValidatorExited(OWNER, builders.operator_ids(), builders.public_key(1))


def canonical_type(argument: dict[str, Any]) -> str:
    if argument["type"] == "tuple":
        return f"({','.join(canonical_type(part) for part in argument['components'])})"
    return str(argument["type"])


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_events_are_those_of_the_abi_with_names_types_and_indexed_flags() -> None:
    declared = {}
    for entry in ABI:
        if entry["type"] == "event":
            types = ",".join(canonical_type(argument) for argument in entry["inputs"])
            declared[f"{entry['name']}({types})"] = [
                (argument["name"], argument["indexed"]) for argument in entry["inputs"]
            ]
            assert not entry["anonymous"]
    ours = {}
    for abi in EVENT_ABIS:
        indexed = len(abi.topic_types)
        ours[abi.signature] = [
            (name, place < indexed) for name, place in zip(abi.names, abi.order, strict=True)
        ]
    assert ours == declared


def test_first_topic_is_the_hash_of_the_signature() -> None:
    published = "0x48a3ea0796746043948f6341d17ff8200937b99262a0b48c2663b951ed7114e5"
    signature = "ValidatorAdded(address,uint64[],bytes,bytes,(uint32,uint64,uint64,bool,uint256))"
    topics, _ = encode(builders.validator_added(builders.snapshot()))
    assert topics[0] == keccak256(signature.encode())
    assert topics[0].hex() == published[2:]


def test_indexed_arguments_between_others_keep_their_declared_place() -> None:
    event = ClusterBalanceUpdated(
        OWNER, builders.operator_ids(), BlockNumber(77), 96, builders.snapshot()
    )
    topics, data = encode(event)
    assert topics[1:] == (bytes(12) + OWNER, word(77))
    assert decode(topics, data) == event
    assert list(abi_arguments(event)) == [
        "owner",
        "operatorIds",
        "blockNum",
        "effectiveBalance",
        "cluster",
    ]


def test_data_is_laid_out_as_solidity_does() -> None:
    event = OperatorPrivacyStatusUpdated((OperatorId(5), OperatorId(9)), True)
    topics, data = encode(event)
    assert len(topics) == 1
    assert data == word(64) + word(1) + word(2) + word(5) + word(9)


TOPICS, DATA = encode(EXITED)
PRIVACY_TOPICS, PRIVACY_DATA = encode(OperatorPrivacyStatusUpdated((OperatorId(5),), True))
REMOVED_TOPIC = encode(OperatorRemoved(OperatorId(1)))[0][0]


@pytest.mark.parametrize(
    ("topics", "data", "reason"),
    [
        ((), DATA, Reason.NO_TOPICS),
        ((bytes(32),), DATA, Reason.UNKNOWN_EVENT),
        (TOPICS[:1], DATA, Reason.WRONG_TOPIC_COUNT),
        ((*TOPICS, bytes(32)), DATA, Reason.WRONG_TOPIC_COUNT),
        ((TOPICS[0], OWNER), DATA, Reason.BAD_TOPIC),
        ((TOPICS[0], b"\x01" + TOPICS[1][1:]), DATA, Reason.BAD_TOPIC),
        ((REMOVED_TOPIC, word(2**64)), b"", Reason.BAD_TOPIC),
        (TOPICS, b"", Reason.BAD_LENGTH),
        (TOPICS, DATA[:-1], Reason.BAD_LENGTH),
        (TOPICS, DATA[:-32], Reason.BAD_LENGTH),
        (TOPICS, DATA[:64] + word(2**200) + DATA[96:], Reason.BAD_LENGTH),
        (TOPICS, DATA[:64] + word(9) + DATA[96:], Reason.BAD_LENGTH),
        (TOPICS, DATA + bytes(32), Reason.TRAILING_BYTES),
        (TOPICS, word(96) + DATA[32:], Reason.BAD_OFFSET),
        (TOPICS, DATA[:-1] + b"\x01", Reason.BAD_PADDING),
        (PRIVACY_TOPICS, PRIVACY_DATA[:32] + word(2) + PRIVACY_DATA[64:], Reason.VALUE_RANGE),
        (PRIVACY_TOPICS, PRIVACY_DATA[:-32] + word(2**64), Reason.VALUE_RANGE),
    ],
)
def test_a_log_that_the_registry_cannot_emit_has_a_reason(
    topics: tuple[bytes, ...], data: bytes, reason: Reason
) -> None:
    result = decode(topics, data)
    assert isinstance(result, Undecodable)
    assert result.reason is reason
    assert (result.topics, result.data) == (topics, data)
    assert result.detail


@pytest.mark.parametrize(
    "event",
    [
        OperatorRemoved(OperatorId(2**64)),
        OperatorRemoved(OperatorId(-1)),
        OperatorAdded(OperatorId(1), Address(b"short"), b"", Wei(0)),
        OperatorAdded(OperatorId(1), OWNER, b"", Wei(2**256)),
        DebtUncovered(OWNER, ClusterId(b"short"), Wei(0)),
        builders.validator_added(builders.snapshot(validators=2**32)),
    ],
)
def test_a_value_outside_its_type_is_not_encoded(event: Event) -> None:
    with pytest.raises(Malformed) as failure:
        encode(event)
    assert failure.value.reason is Reason.VALUE_RANGE


@pytest.mark.parametrize(
    ("public_key", "text"),
    [
        (word(32) + word(4) + b"TFMw" + bytes(28), "TFMw"),
        (word(32) + word(4) + b"TFMw", "TFMw"),
        (b"TFMw", "TFMw"),
        (b"", None),
        (b"\xff\xfe", None),
        (word(32) + word(1) + b"\xff" + bytes(31), None),
        (word(32) + word(0), None),
        (word(32) + word(99) + b"TFMw", "\0" * 31 + " " + "\0" * 31 + "cTFMw"),
    ],
)
def test_operator_key_is_read_as_abi_text_or_bare_text(public_key: bytes, text: str | None) -> None:
    assert operator_public_key_text(public_key) == text


@pytest.mark.parametrize("text", ["", "TFMw", "a" * 612])
def test_operator_key_bytes_are_the_abi_encoded_text_and_read_back(text: str) -> None:
    on_chain = operator_public_key_bytes(text)
    assert on_chain == abi_encode(["string"], [text])
    assert operator_public_key_text(on_chain) == (text or None)


def test_logs_sort_by_block_then_transaction_then_log() -> None:
    places = [(2, 0, 0), (1, 1, 5), (1, 0, 9), (1, 1, 4)]
    logs = [
        Log(OWNER, (), b"", BlockNumber(block), bytes(32), bytes(32), tx, index)
        for block, tx, index in places
    ]
    positions = [log.position for log in logs]
    ordered = [(p.block_number, p.transaction_index, p.log_index) for p in sorted(positions)]
    assert ordered == sorted(places)
