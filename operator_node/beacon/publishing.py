"""Sends finished objects to one beacon node, in batches, and finds out which of them it took.

Shell. A node that refuses a batch without saying which items were wrong gets them one by one. What
it already has counts as taken. Items that it may take a moment later, such as a vote for a head
that it does not know yet, are sent once more.

Source: Ethereum Beacon APIs, beacon/pool, beacon/blocks and validator/; docs/protocol.md, "Duties".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple

import msgspec
import trio

from operator_node.beacon.endpoint import JSON, SSZ, Request
from operator_node.beacon.json_form import to_json
from operator_node.beacon.node import LARGE_BYTES, BeaconNode
from operator_node.beacon.routes import VERSION_NAMES, Purpose, Route
from operator_node.beacon.trouble import NodeTrouble, Trouble, meaning_of
from operator_node.duties.types import Submission, SubmissionKind
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_shape,
    signed_block_contents_shape,
)
from operator_node.spec.operations import (
    SIGNED_VALIDATOR_REGISTRATION,
    SIGNED_VOLUNTARY_EXIT,
    SINGLE_ATTESTATION,
    SYNC_COMMITTEE_MESSAGE,
    attestation_shape,
    signed,
    signed_aggregate_and_proof_shape,
    signed_contribution_and_proof_shape,
)
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import Container
from operator_node.spec.versions import DENEB, ELECTRA
from sdk.errors import PeerError, UsageError

BATCH_ITEMS: Final = 128
"""Items in one request: a batch that fails as a whole is sent again one by one."""
UNKNOWN_HEAD_PAUSE_S: Final = 0.3
"""The block that a vote names is then usually there (BN-4)."""
AGAIN_PAUSE_S: Final = 0.3
"""Before a node that did not answer gets a batch again; twice as long each time."""
AGAIN_TIMES: Final = 4
"""4.5 s in all, which a beacon node needs for a restart at most if it is to matter in the slot."""
_WHOLE: Final = frozenset({SubmissionKind.BLOCK, SubmissionKind.EXIT})
"""Kinds whose routes take one object; all others take lists."""
_UNANSWERED: Final = frozenset({Trouble.DOWN, Trouble.LATE, Trouble.BUSY})
"""Troubles that say nothing about the items."""
_PASSING: Final = frozenset({Trouble.UNKNOWN_HEAD, Trouble.NOT_YET})
"""Troubles of single items that may be over a moment later."""

_FIXED_PATHS: Final = {
    SubmissionKind.SYNC_MESSAGE: "/eth/v1/beacon/pool/sync_committees",
    SubmissionKind.CONTRIBUTION: "/eth/v1/validator/contribution_and_proofs",
    SubmissionKind.REGISTRATION: "/eth/v1/validator/register_validator",
    SubmissionKind.EXIT: "/eth/v1/beacon/pool/voluntary_exits",
}
_PURPOSES: Final = {
    SubmissionKind.ATTESTATION: Purpose.SEND_ATTESTATIONS,
    SubmissionKind.AGGREGATE: Purpose.SEND_AGGREGATES,
}
_GOSSIP_CHECKED: Final = (("broadcast_validation", "gossip"),)


class Batch:
    """Objects of one kind and fork that go out in one request."""

    def __init__(self, items: Sequence[Submission], preset: Preset) -> None:
        self.items = tuple(items)
        self._preset = preset
        first = self.items[0]
        self.kind, self.version, self.is_blinded = first.kind, first.version, first.blinded

    @cached_property
    def json(self) -> bytes:
        """The body as JSON, made once for all beacon nodes.

        Raises:
            MalformedSsz: an item is not what its kind says.
        """
        shape = shape_of(self.items[0], self._preset)
        documents = [to_json(shape, item.data) for item in self.items]
        return msgspec.json.encode(documents[0] if self.kind in _WHOLE else documents)

    @property
    def is_large(self) -> bool:
        """Whether making the JSON would hold up everything else."""
        return sum(len(item.data) for item in self.items) >= LARGE_BYTES

    def singles(self) -> list[Batch]:
        """Each item as a batch of its own."""
        return [Batch([item], self._preset) for item in self.items]


def batches_of(items: Sequence[Submission], preset: Preset) -> list[Batch]:
    """The items in batches, in order; neighbours of one kind and fork share one."""

    def key(item: Submission) -> tuple[str, int, bool]:
        return item.kind, item.version, item.blinded

    found = []
    for _, run in groupby(items, key):
        alike = list(run)
        size = 1 if alike[0].kind in _WHOLE else BATCH_ITEMS
        found += [Batch(alike[at : at + size], preset) for at in range(0, len(alike), size)]
    return found


def shape_of(item: Submission, preset: Preset) -> Container:
    """What an item's data is."""
    version = item.version
    match item.kind:
        case SubmissionKind.ATTESTATION:
            is_single = version >= ELECTRA
            return SINGLE_ATTESTATION if is_single else attestation_shape(version, preset)
        case SubmissionKind.SYNC_MESSAGE:
            return SYNC_COMMITTEE_MESSAGE
        case SubmissionKind.AGGREGATE:
            return signed_aggregate_and_proof_shape(version, preset)
        case SubmissionKind.CONTRIBUTION:
            return signed_contribution_and_proof_shape(preset)
        case SubmissionKind.REGISTRATION:
            return SIGNED_VALIDATOR_REGISTRATION
        case SubmissionKind.EXIT:
            return SIGNED_VOLUNTARY_EXIT
        case SubmissionKind.BLOCK if item.blinded:
            return signed(blinded_block_shape(version, preset))
        case SubmissionKind.BLOCK if version >= DENEB:
            return signed_block_contents_shape(version, preset)
        case SubmissionKind.BLOCK:
            return signed(block_shape(version, preset))


async def deliver(node: BeaconNode, batch: Batch, *, is_wanted: Callable[[], bool]) -> list[str]:
    """As `publish`, repeated while the node does not answer: it may be back within the slot.

    Args:
        node: sent to.
        batch: what is sent.
        is_wanted: whether some item was taken by no node yet.
    """
    said = await _publish(node, batch)
    pause_s = AGAIN_PAUSE_S
    for _ in range(AGAIN_TIMES):
        if not all(each and each.trouble in _UNANSWERED for each in said):
            break
        await trio.sleep(pause_s)
        pause_s *= 2
        if not is_wanted():
            break
        said = await _publish(node, batch)
    return [_text(each) for each in said]


async def publish(node: BeaconNode, batch: Batch) -> list[str]:
    """What the node said against each item of the batch; empty where it has it now."""
    return [_text(each) for each in await _publish(node, batch)]


async def _publish(node: BeaconNode, batch: Batch) -> list[_Complaint | None]:
    said = await _try(node, batch)
    again = [place for place, each in enumerate(said) if each and each.trouble in _PASSING]
    if again:
        await trio.sleep(UNKNOWN_HEAD_PAUSE_S)
        singles = batch.singles()
        for place in again:
            (said[place],) = await _try(node, singles[place])
    return said


def _text(complaint: _Complaint | None) -> str:
    return "" if complaint is None else complaint.text


class _Complaint(NamedTuple):
    """What a node said against one item."""

    trouble: Trouble
    text: str


async def _try(node: BeaconNode, batch: Batch) -> list[_Complaint | None]:
    count = len(batch.items)
    try:
        await _send(node, batch)
    except NodeTrouble as problem:
        if problem.trouble in _UNANSWERED:
            return [_Complaint(problem.trouble, problem.text)] * count
        if problem.failures:
            return [_complaint(problem.failures.get(place, "")) for place in range(count)]
        if count == 1:
            return [_complaint(problem.text)]
    except PeerError as problem:  # malformed, or of a fork that is not known
        if count == 1:
            return [_Complaint(Trouble.REFUSED, f"not sent: {problem.message}")]
    else:
        return [None] * count
    return [each for single in batch.singles() for each in await _try(node, single)]


def _complaint(text: str) -> _Complaint | None:
    meaning = meaning_of(text)
    return None if not text or meaning is Trouble.ALREADY_KNOWN else _Complaint(meaning, text)


async def _send(node: BeaconNode, batch: Batch) -> None:
    if batch.kind in _FIXED_PATHS:
        await node.ask(Request(path=_FIXED_PATHS[batch.kind], body=await _json(batch)))
        return

    async def ask(route: Route) -> None:
        if batch.kind is SubmissionKind.BLOCK:
            await _send_block(node, batch, route)
            return
        version = VERSION_NAMES[batch.version] if route.is_versioned else ""
        await node.ask(Request(path=route.path, body=await _json(batch), version=version))

    await node.routes.first_served(_purpose(batch), batch.version, ask)


async def _send_block(node: BeaconNode, batch: Batch, route: Route) -> None:
    version = VERSION_NAMES[batch.version] if route.is_versioned else ""
    params = _GOSSIP_CHECKED if route.is_versioned else ()
    if route.is_versioned and node.routes.takes_ssz:
        body = batch.items[0].data
        request = Request(path=route.path, params=params, body=body, body_type=SSZ, version=version)
        try:
            await node.ask(request)
        except NodeTrouble as problem:
            if problem.trouble is not Trouble.NO_SSZ:
                raise
            node.routes.takes_ssz = False
        else:
            return
    body = await _json(batch)
    await node.ask(
        Request(path=route.path, params=params, body=body, body_type=JSON, version=version)
    )


def _purpose(batch: Batch) -> Purpose:
    if batch.kind is SubmissionKind.BLOCK:
        return Purpose.SEND_BLINDED_BLOCK if batch.is_blinded else Purpose.SEND_BLOCK
    if batch.kind not in _PURPOSES:
        raise UsageError(f"no route takes a submission of kind {batch.kind}")
    return _PURPOSES[batch.kind]


async def _json(batch: Batch) -> bytes:
    if batch.is_large:
        return await trio.to_thread.run_sync(lambda: batch.json)
    return batch.json
