"""Exported calls: their form, their checksum, and what is refused when read back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sdk.client.abi import decode_answer, encode_call, functions
from sdk.client.addresses import to_checksum, to_operator_ids
from sdk.client.draft import Draft
from sdk.client.export import batch_checksum, read_unsigned, safe_batch, unsigned_json
from sdk.client.funds import Funding
from sdk.errors import ChainError, InputError, UsageError

REGISTRY = to_checksum("0x" + "11" * 20)
SENDER = to_checksum("0x" + "22" * 20)
DRAFT = Draft(
    function="setFeeRecipientAddress", arguments=(SENDER,), action="set the fee recipient"
)


def exported(**changes: Any) -> bytes:
    text = unsigned_json(DRAFT, chain_id=5, registry=REGISTRY, sender=SENDER)
    return json.dumps(json.loads(text) | changes).encode()


def test_unsigned_call_reads_back() -> None:
    found = read_unsigned(exported(), source="call.json")
    assert (found.chain_id, found.to, found.sender, found.value_wei) == (5, REGISTRY, SENDER, 0)
    assert found.function == DRAFT.function
    assert found.data == DRAFT.call_data
    assert [to_checksum(each) for each in found.arguments] == [SENDER]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"version": 2},
        {"chainId": "5"},
        {"value": "-1"},
        {"value": 1},
        {"data": "0x"},
        {"data": "0xdeadbeef"},
        {"data": DRAFT.call_data.to_0x_hex() + "00"},
        {"data": DRAFT.call_data.to_0x_hex()[:-2]},
        {"data": None},
        {"to": "0x11"},
        {"from": None},
    ],
)
def test_damaged_call_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read_unsigned(exported(**changes), source="call.json")


def test_checksum_of_a_batch_notices_every_change_but_the_name() -> None:
    made = json.loads(
        safe_batch(DRAFT, chain_id=5, registry=REGISTRY, safe=SENDER, created_at_ms=1)
    )
    assert made["meta"]["checksum"] == batch_checksum(made)
    renamed = copy.deepcopy(made)
    renamed["meta"]["name"] = "another"
    assert batch_checksum(renamed) == made["meta"]["checksum"]
    for path, value in ((("chainId",), "6"), (("meta", "description"), "x")):
        edited = copy.deepcopy(made)
        target = edited
        for name in path[:-1]:
            target = target[name]
        target[path[-1]] = value
        assert batch_checksum(edited) != made["meta"]["checksum"]
    edited = copy.deepcopy(made)
    edited["transactions"][0]["to"] = SENDER
    assert batch_checksum(edited) != made["meta"]["checksum"]


def test_calls_are_encoded_by_the_abi() -> None:
    assert functions()["getOwnerNonce"].signature == "getOwnerNonce(address)"
    assert functions()["deposit"].inputs[2] == "(uint32,uint64,uint64,bool,uint256)"
    assert decode_answer("getOwnerNonce", bytes(31) + b"\x07") == (7,)
    with pytest.raises(ChainError, match="returned nothing") as caught:
        decode_answer("getOwnerNonce", b"")
    assert caught.value.code == "no_registry"
    with pytest.raises(UsageError) as range_error:
        encode_call("getOperatorFee", (2**64,))
    assert range_error.value.code == "argument_range"


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ((1, 2, 3), "operator_count"),
        ((0, 1, 2, 3), "operator_id_range"),
        ((1, 2, 3, 2**64), "operator_id_range"),
        ((1, 2, 2, 3), "operator_ids_not_unique"),
        ((4, 3, 2, 1), "operator_ids_not_sorted"),
    ],
)
def test_operator_ids_of_a_cluster(ids: tuple[int, ...], code: str) -> None:
    with pytest.raises(InputError) as caught:
        to_operator_ids(ids)
    assert caught.value.code == code


def test_funding_is_said_one_way() -> None:
    assert Funding.of(amount_wei=5, runway_days=None) == Funding(5, None)
    assert Funding.of(amount_wei=None, runway_days=2) == Funding(None, 14_400)
    assert Funding.of(amount_wei=None, runway_days=None, default_wei=0) == Funding(0, None)
    for amount, days in ((None, None), (1, 1), (-1, None), (None, -1)):
        with pytest.raises(UsageError) as caught:
            Funding.of(amount_wei=amount, runway_days=days)
        assert caught.value.code == "funding"


def test_negative_ether_is_refused() -> None:
    with pytest.raises(UsageError):
        Draft(function="coverDebt", arguments=(), action="give", value_wei=-1)
