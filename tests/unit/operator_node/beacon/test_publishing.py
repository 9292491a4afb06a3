"""Objects reach every node in its own form, and what a node says is kept apart item by item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
import trio
from trio.testing import MockClock

from operator_node.beacon.json_form import from_json, to_json
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.publishing import BATCH_ITEMS, Batch, batches_of, publish, shape_of
from operator_node.duties.types import Submission, SubmissionKind
from operator_node.spec import Preset
from operator_node.spec.ssz import Container
from tests.unit.operator_node.beacon.fake_node import FakeNetwork, FakeNode
from tests.unit.operator_node.spec.reference import random_bytes

CAPELLA, ELECTRA = 4, 6
K = SubmissionKind
V1, V2 = "/eth/v1/beacon/pool/attestations", "/eth/v2/beacon/pool/attestations"
B1, B2 = "/eth/v1/beacon/blocks", "/eth/v2/beacon/blocks"


def item(kind: K, version: int, seed: int = 0, *, blinded: bool = False) -> Submission:
    """A random object of the kind."""
    bare = Submission(kind, version, b"", bytes(32), seed, blinded)
    return Submission(
        kind, version, random_bytes(shape(bare), seed), bytes(32), seed, blinded=blinded
    )


def shape(of: Submission) -> Container:
    return shape_of(of, Preset.MINIMAL)


def sent(node: FakeNode, *items: Submission) -> list[list[str]]:
    """What the node said against each item, batch by batch."""

    async def main() -> list[list[str]]:
        each = BeaconNode("http://a:5052", transport=FakeNetwork(node))
        errors = [await publish(each, batch) for batch in batches_of(items, Preset.MINIMAL)]
        await each.endpoint.aclose()
        return errors

    return trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("version", [CAPELLA, 5, ELECTRA, 7])
@pytest.mark.parametrize("kind", [kind for kind in K if kind is not K.BLOCK])
def test_every_kind_is_sent_as_what_it_is(kind: K, version: int) -> None:
    paths = {
        K.ATTESTATION: V2,
        K.SYNC_MESSAGE: "/eth/v1/beacon/pool/sync_committees",
        K.AGGREGATE: "/eth/v2/validator/aggregate_and_proofs",
        K.CONTRIBUTION: "/eth/v1/validator/contribution_and_proofs",
        K.REGISTRATION: "/eth/v1/validator/register_validator",
        K.EXIT: "/eth/v1/beacon/pool/voluntary_exits",
    }
    node = FakeNode({paths[kind]: {}})
    one = item(kind, version)
    assert sent(node, one) == [[""]]
    (body,) = node.bodies(paths[kind])
    document = body if kind is K.EXIT else body[0]
    assert from_json(shape(one), document) == one.data


@pytest.mark.parametrize("blinded", [False, True])
@pytest.mark.parametrize("version", [CAPELLA, ELECTRA])
def test_a_block_goes_as_ssz_where_that_is_taken(version: int, *, blinded: bool) -> None:
    path = "/eth/v2/beacon/blinded_blocks" if blinded else B2
    node = FakeNode({path: {}})
    block = item(K.BLOCK, version, blinded=blinded)
    assert sent(node, block) == [[""]]
    (request,) = node.asked
    assert request.content == block.data
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["eth-consensus-version"] == {4: "capella", 6: "electra"}[version]
    assert request.url.params["broadcast_validation"] == "gossip"


def test_a_node_that_takes_no_ssz_gets_json_from_then_on() -> None:
    def take(request: httpx.Request) -> tuple[int, Any]:
        is_json = request.headers["content-type"] == "application/json"
        return (200, {}) if is_json else (415, {"message": "Unsupported Media Type"})

    node = FakeNode({B2: take})
    blocks = [item(K.BLOCK, CAPELLA, seed) for seed in (1, 2)]
    assert sent(node, *blocks) == [[""], [""]]
    kinds = [request.headers["content-type"] for request in node.asked]
    assert kinds == ["application/octet-stream", "application/json", "application/json"]
    assert node.asked[1].content == msgspec.json.encode(to_json(shape(blocks[0]), blocks[0].data))


def test_an_old_node_gets_objects_by_the_older_route() -> None:
    node = FakeNode({V1: {}, B1: {}})
    assert sent(node, item(K.ATTESTATION, CAPELLA), item(K.BLOCK, CAPELLA)) == [[""], [""]]
    assert [path for path in node.paths() if path in (V1, B1)] == [V1, B1]
    assert "eth-consensus-version" not in node.asked[-1].headers


def test_batches_hold_one_kind_and_fork_each() -> None:
    items = [
        *[item(K.ATTESTATION, ELECTRA, seed) for seed in range(BATCH_ITEMS + 1)],
        item(K.ATTESTATION, CAPELLA),
        item(K.EXIT, CAPELLA, 1),
        item(K.EXIT, CAPELLA, 2),
        item(K.SYNC_MESSAGE, CAPELLA, 1),
        item(K.SYNC_MESSAGE, CAPELLA, 2),
    ]
    batches = batches_of(items, Preset.MINIMAL)
    assert [len(batch.items) for batch in batches] == [BATCH_ITEMS, 1, 1, 1, 1, 2]
    assert [each for batch in batches for each in batch.items] == items


THREE = [item(K.ATTESTATION, ELECTRA, seed) for seed in (1, 2, 3)]


def judged(*verdicts: str) -> Callable[[httpx.Request], tuple[int, Any]]:
    """A node that fails a batch as a whole with the texts of its items, as Lodestar does."""
    texts = {f"0x{one.data[-96:].hex()}": text for one, text in zip(THREE, verdicts, strict=True)}

    def answer(request: httpx.Request) -> tuple[int, Any]:
        documents = msgspec.json.decode(request.content)
        found = [texts[each["signature"]] for each in documents]
        errors = [text for text in found if text]
        return (500, {"message": "\n".join(errors)}) if errors else (200, {})

    return answer


def test_failures_are_attributed_by_their_place() -> None:
    failures = [
        {"index": "1", "message": "bad signature"},
        {"index": 2, "message": "already known"},
    ]
    node = FakeNode({V2: (400, {"message": "some failed", "failures": failures})})
    assert sent(node, *THREE) == [["", "bad signature", ""]]
    assert len(node.asked) == 1


def test_a_batch_that_fails_as_a_whole_is_sent_one_by_one() -> None:
    node = FakeNode({V2: judged("", "INVALID", "ATTESTATION_ERROR_ATTESTATION_ALREADY_KNOWN")})
    assert sent(node, *THREE) == [["", "status 500: INVALID", ""]]
    assert len(node.asked) == 4


@pytest.mark.parametrize(("is_down", "text"), [(True, "ConnectError"), (False, "status 503")])
def test_a_node_that_is_down_or_syncing_is_not_asked_item_by_item(is_down: bool, text: str) -> None:
    node = FakeNode({V2: (503, {"message": "syncing"})}, is_down=is_down)
    (errors,) = sent(node, *THREE)
    assert [text in error for error in errors] == [True] * 3
    assert len(node.asked) == 1


def test_a_vote_for_an_unknown_head_is_sent_once_more() -> None:
    answers = iter([(400, {"message": "UnknownHeadBlock"}), (200, {})])
    node = FakeNode({V2: lambda _: next(answers)})
    assert sent(node, THREE[0]) == [[""]]
    always = FakeNode({V2: (400, {"message": "UnknownHeadBlock"})})
    assert sent(always, THREE[0]) == [["status 400: UnknownHeadBlock"]]
    assert len(always.asked) == 2


def test_an_object_that_is_none_is_not_sent_and_stops_no_other() -> None:
    node = FakeNode({V2: {}})
    wrong = Submission(K.ATTESTATION, ELECTRA, b"no", bytes(32), 1)
    (errors,) = sent(node, THREE[0], wrong)
    assert errors[0] == ""
    assert errors[1].startswith("not sent: SingleAttestation has 2 bytes")


def test_json_is_made_once() -> None:
    batch = Batch(THREE, Preset.MINIMAL)
    assert batch.json is batch.json
