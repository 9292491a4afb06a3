"""The contract's audit views on a chain in memory: what its logs add up to at a block."""

from __future__ import annotations

from typing import Any

from operator_node.registry.audit_views import Kind, Subject, operator_subject, word_of
from sdk.events import LogPosition, Undecodable, decode
from sdk.registry import EventContext, RegistryState, SignatureVerdict, apply
from sdk.types import BlockNumber, OperatorId, keccak256
from tests.unit.sdk.chain.pretend_node import Node, Refuse, Rule


def state_at(node: Node, name: str) -> RegistryState:
    """The registry after the block of this hash.

    Raises:
        Refuse: the chain has no such block.
    """
    state = RegistryState()
    for block in node.blocks:
        for each in block["logs"]:
            event = decode([_bytes(topic) for topic in each["topics"]], _bytes(each["data"]))
            assert not isinstance(event, Undecodable)
            number, index = BlockNumber(int(each["blockNumber"], 16)), int(each["logIndex"], 16)
            at = EventContext(LogPosition(number, 0, index), int(block["timestamp"], 16))
            state.commit(apply(state, event, at, SignatureVerdict.VALID).changes)
        if block["hash"] == name:
            return state
    raise Refuse("header not found", -32000)


def views(node: Node) -> Rule:
    """A rule that answers calls of the audit views."""

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] != "eth_call":
            return None
        asked, at = call["params"]
        return "0x" + answer(state_at(node, at["blockHash"]), _bytes(asked["data"])).hex()

    return rule


def answer(state: RegistryState, data: bytes) -> bytes:
    """What the contract answers in this state."""
    selector, arguments = data[:4], [data[at : at + 32] for at in range(4, len(data), 32)]
    listed = arguments[2:]
    match _SELECTORS[selector]:
        case "getRegistryCounters()":
            counts = (len(state.operators), len(state.clusters), state.network.validator_count, 9)
            return b"".join(each.to_bytes(32, "big") for each in counts)
        case "getNetworkWord()":
            return word_of(state, Subject(Kind.NETWORK))
        case "getOperatorWords(uint64,uint64)":
            low, high = (int.from_bytes(each, "big") for each in arguments)
            last = min(high, max(state.operators, default=0))
            ids = [OperatorId(each) for each in range(low, last + 1)]
            return _list([word_of(state, operator_subject(each)) for each in ids])
        case "getClusterWords(bytes32[])":
            return _list([word_of(state, Subject(Kind.CLUSTER, each)) for each in listed])
        case _:
            return _list([word_of(state, Subject(Kind.OWNER, each[12:])) for each in listed])


_SELECTORS = {
    keccak256(each.encode())[:4]: each
    for each in (
        "getRegistryCounters()",
        "getNetworkWord()",
        "getOperatorWords(uint64,uint64)",
        "getClusterWords(bytes32[])",
        "getOwnerWords(address[])",
    )
}


def _list(words: list[bytes]) -> bytes:
    return b"".join([(32).to_bytes(32, "big"), len(words).to_bytes(32, "big"), *words])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
