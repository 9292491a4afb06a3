"""Whether an answer of a beacon node or the signer has the form that a duty can go on with.

Pure. Duties put answers into encoders and hashes, which take no number out of range and no bytes of
another length. Here such an answer becomes the one that says there is none. Whether what an answer
says is true, or of the right fork, is judged by value checks and by other operators.

Source: docs/protocol.md, "Consensus values".
"""

from __future__ import annotations

from typing import Final, assert_never

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Answer, BeaconObject, Signed, Unavailable, Withheld
from operator_node.wire.value_codec import MAX_OBJECT_BYTES, ROOT_BYTES
from operator_node.wire.values import BeaconVote
from sdk.types import SIGNATURE_BYTES

_UINT64_END: Final = 2**64
"""Epochs and version numbers travel as unsigned 64-bit integers."""


def usable_answer(answer: Answer) -> Answer:
    """The beacon node's answer, or `Unavailable` in place of one that no duty could encode."""
    match answer:
        case BeaconVote():
            return answer if _is_encodable(answer) else _unusable("attestation data out of range")
        case BeaconObject():
            if answer.version not in range(_UINT64_END):
                return _unusable(f"version {answer.version} is no fork's number")
            if len(answer.data) > MAX_OBJECT_BYTES:
                return _unusable(f"{len(answer.data)} bytes, at most {MAX_OBJECT_BYTES} fit")
            return answer
        case Unavailable():
            return answer
        case _:
            assert_never(answer)


def usable_result(result: Signed | Withheld) -> Signed | Withheld:
    """The signer's answer, or `Withheld` in place of bytes of another length than a signature's."""
    if isinstance(result, Withheld) or len(result.signature) == SIGNATURE_BYTES:
        return result
    text = f"a signature has {SIGNATURE_BYTES} bytes, the signer gave {len(result.signature)}"
    return Withheld(result.item, Reason.SIGNER_DOWN, text)


def _is_encodable(vote: BeaconVote) -> bool:
    roots = (vote.block_root, vote.source.root, vote.target.root)
    epochs = (vote.source.epoch, vote.target.epoch)
    return all(len(root) == ROOT_BYTES for root in roots) and all(
        epoch in range(_UINT64_END) for epoch in epochs
    )


def _unusable(why: str) -> Unavailable:
    return Unavailable(Reason.BN_DOWN, f"unusable answer: {why}")
