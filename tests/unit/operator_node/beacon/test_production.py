"""Blocks, aggregates and contributions are what was asked for, and the best there is."""

from __future__ import annotations

from random import Random
from threading import current_thread
from typing import Any

import httpx
import pytest
import trio

from operator_node.beacon import (
    BeaconPool,
)
from operator_node.beacon.endpoint import Reply
from operator_node.beacon.json_form import to_json
from operator_node.beacon.node import LARGE_BYTES, BeaconNode
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    AttestationDataQuery,
    BeaconObject,
    BlockQuery,
    ContributionQuery,
    Unavailable,
)
from operator_node.spec.block_shapes import blinded_block_shape, block_contents_shape
from operator_node.spec.containers import SyncCommitteeContribution, bit_vector
from operator_node.spec.operations import attestation_shape, contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import encode
from operator_node.wire.values import BeaconVote
from sdk.types import Address
from tests.unit.operator_node.beacon.fake_node import (
    SLOT_S,
    FakeNode,
    hexed,
)
from tests.unit.operator_node.beacon.pools import (
    ELECTRA,
    PROOF,
    REVEAL,
    SLOT,
    VOTE_PATH,
    asked,
    attestation,
    attestation_data,
    root,
    vote,
    voting,
    with_pool,
)
from tests.unit.operator_node.spec.reference import random_value


def block(seed: int, recipient: bytes = bytes(20)) -> tuple[bytes, object]:
    """Block contents for the slot, in both forms."""
    shape = block_contents_shape(ELECTRA, Preset.MINIMAL)
    value = random_value(shape, Random(seed))
    value["block"] |= {"slot": SLOT, "proposer_index": 3}
    value["block"]["body"]["randao_reveal"] = REVEAL
    value["block"]["body"]["execution_payload"]["fee_recipient"] = recipient
    value["blobs"] = ()
    data = encode(shape, value)
    return data, to_json(shape, data)


BLOCK_PATH = f"/eth/v3/validator/blocks/{SLOT}"
BLOCK_QUERY = BlockQuery(SLOT, 3, REVEAL, bytes(32))


def building(seed: int, wei: int = 0, recipient: bytes = bytes(20)) -> FakeNode:
    return FakeNode(
        {
            BLOCK_PATH: {
                "version": "electra",
                "execution_payload_blinded": False,
                "execution_payload_value": str(wei),
                "consensus_block_value": "1",
                "data": block(seed, recipient)[1],
            }
        }
    )


def test_the_most_valuable_block_is_taken() -> None:
    answer = asked(BLOCK_QUERY, building(1, wei=5), building(2, wei=7))
    assert answer == BeaconObject(ELECTRA, block(2)[0])


def test_a_block_that_pays_the_recipient_is_preferred() -> None:
    own = Address(bytes([8]) * 20)
    prepare = "/eth/v1/validator/prepare_beacon_proposer"
    nodes = {"a": building(1, wei=5, recipient=own), "b": building(2, wei=7)}
    for node in nodes.values():
        node.routes[prepare] = {}

    async def use(pool: BeaconPool) -> Answer:
        await pool.prepare_proposers({3: own})
        return await pool.answer(BLOCK_QUERY, deadline_ms=(SLOT * SLOT_S + 4) * 1000)

    assert with_pool(use, *nodes.values()) == BeaconObject(ELECTRA, block(1, own)[0])
    (told,) = nodes["b"].bodies(prepare)
    assert told == [{"validator_index": "3", "fee_recipient": f"0x{own.hex()}"}]


def test_a_block_in_ssz_is_taken_as_it_is() -> None:
    data = block(1)[0]
    headers = {"Content-Type": "application/octet-stream", "Eth-Consensus-Version": "electra"}
    node = FakeNode({BLOCK_PATH: httpx.Response(200, content=data, headers=headers)})
    assert asked(BLOCK_QUERY, node) == BeaconObject(ELECTRA, data)


@pytest.mark.parametrize(
    "query",
    [
        BlockQuery(SLOT, 4, REVEAL, bytes(32)),
        BlockQuery(SLOT, 3, PROOF, bytes(32)),
    ],
)
def test_a_block_of_another_proposal_is_no_answer(query: BlockQuery) -> None:
    assert isinstance(asked(query, building(1)), Unavailable)


def test_only_a_local_block_answers_where_builders_are_not_wanted() -> None:
    query = BlockQuery(SLOT, 3, REVEAL, bytes(32), is_local=True)
    local = building(1, wei=5)
    assert asked(query, local) == BeaconObject(ELECTRA, block(1)[0])
    (request,) = [each for each in local.asked if each.url.path == BLOCK_PATH]
    assert request.url.params["builder_boost_factor"] == "0"
    anybodys = building(1)
    asked(BLOCK_QUERY, anybodys)
    (request,) = [each for each in anybodys.asked if each.url.path == BLOCK_PATH]
    assert "builder_boost_factor" not in request.url.params
    form = blinded_block_shape(ELECTRA, Preset.MINIMAL)
    value = random_value(form, Random(1))
    value |= {"slot": SLOT, "proposer_index": 3}
    value["body"]["randao_reveal"] = REVEAL
    answer = {
        "version": "electra",
        "execution_payload_blinded": True,
        "data": to_json(form, encode(form, value)),
    }
    assert isinstance(asked(query, FakeNode({BLOCK_PATH: answer})), Unavailable)
    assert isinstance(asked(BLOCK_QUERY, FakeNode({BLOCK_PATH: answer})), BeaconObject)


def aggregate(found: BeaconVote, bits: int) -> dict[str, Any]:
    data = attestation_data(found)
    return {
        "aggregation_bits": hexed((1 << 8 | bits).to_bytes(2, "little")),
        "data": data,
        "signature": hexed(PROOF),
        "committee_bits": "0x01",
    }


AGGREGATE_PATH = "/eth/v2/validator/aggregate_attestation"
AGGREGATE_QUERY = AggregateQuery(SLOT, 0, 3, PROOF)


def test_the_fullest_aggregate_is_taken() -> None:
    nodes = {
        name: FakeNode(
            {
                VOTE_PATH: voting(vote()),
                AGGREGATE_PATH: {"version": "electra", "data": aggregate(vote(), bits)},
            }
        )
        for name, bits in (("a", 0b11), ("b", 0b1110))
    }
    answer = asked(AGGREGATE_QUERY, *nodes.values())
    assert isinstance(answer, BeaconObject)
    shape = attestation_shape(ELECTRA, Preset.MINIMAL)
    assert to_json(shape, answer.data) == aggregate(vote(), 0b1110)


def test_what_the_committee_voted_for_is_aggregated() -> None:
    decided = vote(7)
    chosen: list[str] = []

    def answer(request: httpx.Request) -> Any:
        chosen.append(request.url.params["attestation_data_root"])
        is_decided = len(chosen) == 1
        found = aggregate(decided, 0b111) if is_decided else None
        return {"version": "electra", "data": found} if found else (404, {"message": "none"})

    node = FakeNode(
        {
            VOTE_PATH: voting(vote(1)),
            AGGREGATE_PATH: answer,
            "/eth/v2/beacon/pool/attestations": {},
        }
    )

    async def use(pool: BeaconPool) -> Answer:
        deadline_ms = (SLOT * SLOT_S + 4) * 1000
        await pool.answer(AttestationDataQuery(SLOT), deadline_ms=deadline_ms)
        await pool.submit((attestation(decided),))
        return await pool.answer(AGGREGATE_QUERY, deadline_ms=deadline_ms)

    found = with_pool(use, node)
    assert isinstance(found, BeaconObject)
    assert len(set(chosen)) == 2


def test_an_aggregate_over_another_vote_is_no_answer() -> None:
    body = {"version": "electra", "data": aggregate(vote(9), 1)}
    node = FakeNode({VOTE_PATH: voting(vote()), AGGREGATE_PATH: body})
    assert isinstance(asked(AGGREGATE_QUERY, node), Unavailable)


def test_a_contribution_is_for_the_head_that_was_voted_for() -> None:
    contribution = SyncCommitteeContribution(
        SLOT, root(4), 2, bit_vector(8, (1, 5)), PROOF
    ).encode()
    document = to_json(contribution_shape(Preset.MINIMAL), contribution)
    node = FakeNode(
        {
            "/eth/v1/beacon/blocks/head/root": {"data": {"root": hexed(root(4))}},
            "/eth/v1/validator/sync_committee_contribution": {"data": document},
        }
    )
    answer = asked(ContributionQuery(SLOT, 2, PROOF), node)
    assert answer == BeaconObject(ELECTRA, contribution)
    assert isinstance(asked(ContributionQuery(SLOT, 1, PROOF), node), Unavailable)


def test_a_blinded_block_is_taken() -> None:
    shape = blinded_block_shape(ELECTRA, Preset.MINIMAL)
    value = random_value(shape, Random(1)) | {"slot": SLOT, "proposer_index": 3}
    value["body"]["randao_reveal"] = REVEAL
    data = encode(shape, value)
    body = {
        "version": "electra",
        "execution_payload_blinded": True,
        "data": to_json(shape, data),
    }
    answer = asked(BLOCK_QUERY, FakeNode({BLOCK_PATH: body}))
    assert answer == BeaconObject(ELECTRA, data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "capella"},
        {"version": "unheard of"},
        {"execution_payload_blinded": True},
        {"data": {}},
        {"data": None},
    ],
)
def test_an_answer_that_is_no_block_of_the_fork_is_none(wrong: dict[str, Any]) -> None:
    node = building(1)
    node.routes[BLOCK_PATH] |= wrong
    assert isinstance(asked(BLOCK_QUERY, node), Unavailable)


def test_ssz_that_is_no_block_is_no_answer() -> None:
    headers = {"Content-Type": "application/octet-stream", "Eth-Consensus-Version": "electra"}
    node = FakeNode({BLOCK_PATH: httpx.Response(200, content=b"no block", headers=headers)})
    assert isinstance(asked(BLOCK_QUERY, node), Unavailable)


@pytest.mark.parametrize("size", [LARGE_BYTES - 1, LARGE_BYTES])
def test_a_large_answer_is_read_in_a_thread(size: int) -> None:
    async def main() -> bool:
        node = BeaconNode("http://a")
        name = await node.make(lambda _: current_thread().name, Reply(bytes(size), {}))
        await node.endpoint.aclose()
        return name == current_thread().name

    assert trio.run(main) is (size < LARGE_BYTES)
