"""Calls that somebody else signs: batches for the Safe transaction builder, unsigned JSON.

Pure. Both tell for which snapshot they are valid, because the
cluster may change while signatures are collected. What is read back is judged by its calldata
alone; texts in the file are for people.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.client.abi import SELECTOR_BYTES, encode_call, functions
from sdk.client.addresses import to_checksum
from sdk.client.draft import Draft
from sdk.errors import InputError
from sdk.json_documents import read_hex, read_json
from sdk.types import keccak256

FORMAT: Final = "phalanx-unsigned-call"
FORMAT_VERSION: Final = 1
FILE_MAX_BYTES: Final = 2 * 1024 * 1024
"""Far above a transaction of 128 KiB in hex."""
_BUILDER_VERSION: Final = "1.17.0"
"""Version of the transaction builder whose files these are."""


@dataclass(frozen=True, slots=True)
class UnsignedCall:
    """An exported call as read back.

    Attributes:
        function: ABI name, by the calldata's selector.
        arguments: decoded from the calldata.
    """

    chain_id: int
    to: ChecksumAddress
    sender: ChecksumAddress
    value_wei: int
    data: bytes
    function: str
    arguments: tuple[Any, ...]


def safe_batch(
    draft: Draft,
    *,
    chain_id: int,
    registry: ChecksumAddress,
    safe: ChecksumAddress,
    created_at_ms: int,
) -> bytes:
    """The batch as JSON, with the builder's checksum."""
    batch: dict[str, Any] = {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": created_at_ms,
        "meta": {
            "name": draft.action[:100],
            "description": f"{draft.action}. {validity(draft)}",
            "txBuilderVersion": _BUILDER_VERSION,
            "createdFromSafeAddress": safe,
            "createdFromOwnerAddress": "",
        },
        "transactions": [
            {
                "to": registry,
                "value": str(draft.value_wei),
                "data": draft.call_data.to_0x_hex(),
                "contractMethod": None,
                "contractInputsValues": None,
            }
        ],
    }
    batch["meta"]["checksum"] = batch_checksum(batch)
    return json.dumps(batch, indent=2).encode() + b"\n"


def batch_checksum(batch: dict[str, Any]) -> str:
    """What the transaction builder compares to see whether a file was edited.

    Keccak-256 of the file without checksum and with the name null, in the builder's own order:
    keys of an object first, all at once, then its values.
    """
    meta = {key: value for key, value in batch["meta"].items() if key != "checksum"}
    text = _serialize({**batch, "meta": {**meta, "name": None}})
    return "0x" + keccak256(text.encode()).hex()


def _serialize(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_serialize, value))}]"
    if isinstance(value, dict):
        keys = sorted(value)
        inner = "".join(f"{_serialize(value[key])}," for key in keys)
        return "{" + json.dumps(keys, separators=(",", ":")) + inner + "}"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def unsigned_json(
    draft: Draft, *, chain_id: int, registry: ChecksumAddress, sender: ChecksumAddress
) -> bytes:
    """The call as JSON."""
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "action": draft.action,
        "validity": validity(draft),
        "chainId": chain_id,
        "from": sender,
        "to": registry,
        "value": str(draft.value_wei),
        "data": draft.call_data.to_0x_hex(),
        "function": draft.function,
        "nonces": list(draft.nonces),
        "cluster": _cluster_json(draft),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def read_unsigned(data: bytes, *, source: str) -> UnsignedCall:
    """A call written by `unsigned_json`, judged by its calldata.

    Raises:
        InputError: `unsigned_call_malformed`.
    """
    document: dict[str, Any] = read_json(
        data,
        dict[str, Any],
        source=source,
        limit_bytes=FILE_MAX_BYTES,
        code="unsigned_call_malformed",
    )
    if document.get("format") != FORMAT or document.get("version") != FORMAT_VERSION:
        raise _malformed(source, "it is no unsigned call of this version")
    chain, value = document.get("chainId"), document.get("value")
    if not isinstance(chain, int) or not isinstance(value, str) or not value.isdecimal():
        raise _malformed(source, "chainId or value is no number")
    calldata = read_hex(
        document.get("data", ""), field=f"{source}: data", code="unsigned_call_malformed"
    )
    name, arguments = decode_call(calldata, source=source)
    return UnsignedCall(
        chain_id=chain,
        to=to_checksum(str(document.get("to")), what="to"),
        sender=to_checksum(str(document.get("from")), what="from"),
        value_wei=int(value),
        data=calldata,
        function=name,
        arguments=arguments,
    )


def decode_call(calldata: bytes, *, source: str) -> tuple[str, tuple[Any, ...]]:
    """Function and arguments of calldata that encodes them canonically.

    Raises:
        InputError: `unsigned_call_malformed`.
    """
    selector = calldata[:SELECTOR_BYTES]
    for function in functions().values():
        if function.selector != selector:
            continue
        try:
            arguments = tuple(decode(function.inputs, calldata[SELECTOR_BYTES:]))
        except (DecodingError, OverflowError):
            break
        if encode_call(function.name, arguments) != calldata:
            break
        return function.name, arguments
    raise _malformed(source, "its data is no call of the registry")


def argument_names(function: str) -> tuple[str, ...]:
    """ABI names of a function's arguments."""
    return functions()[function].input_names


def validity(draft: Draft) -> str:
    """Until when the call can be sent, in words."""
    told = []
    cluster = draft.cluster
    if cluster is not None and draft.presents_snapshot:
        each = cluster.snapshot
        told.append(
            f"Valid while the cluster's snapshot is ({each.validator_count}, "
            f"{each.network_fee_index}, {each.index}, {str(each.active).lower()}, "
            f"{each.balance_wei}), as at block {cluster.block.number}"
        )
    if draft.nonces:
        told.append(
            f"Valid while the next registration nonce of {draft.sender} is {draft.nonces[0]}"
        )
    if not told:
        return "Valid until the registry's state changes"
    return f"{'. '.join(told)}. Check again before signing and before sending."


def _cluster_json(draft: Draft) -> dict[str, Any] | None:
    cluster = draft.cluster
    if cluster is None:
        return None
    each = cluster.snapshot
    return {
        "owner": cluster.owner,
        "operatorIds": list(cluster.operator_ids),
        "block": cluster.block.number,
        "blockHash": HexBytes(cluster.block.hash).to_0x_hex(),
        "snapshot": {
            "validatorCount": each.validator_count,
            "networkFeeIndex": str(each.network_fee_index),
            "index": str(each.index),
            "active": each.active,
            "balance": str(each.balance_wei),
        },
    }


def _malformed(source: str, reason: str) -> InputError:
    return InputError(
        f"{source} is not usable: {reason}",
        code="unsigned_call_malformed",
        hint="Export the call again.",
    )
