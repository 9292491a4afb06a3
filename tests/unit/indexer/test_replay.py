"""Steps become batches, and are undone as far as they are remembered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indexer.project import LOG_COLUMNS, Batch, Replay, decoded
from sdk.chain import Block, Extend, Point
from sdk.errors import InvariantBroken
from sdk.events import Event, Log, encode
from sdk.events import types as events
from sdk.registry import NonceClaim, RegistryState, SignatureVerdict, cluster_id
from sdk.testing import builders
from sdk.types import Address, BlockNumber, OperatorId, Wei

CONTRACT = Address(b"\xcc" * 20)
OWNER = builders.address(1)
OPERATORS = [
    events.OperatorAdded(OperatorId(number), builders.address(9), b"key", Wei(10**9))
    for number in range(1, 5)
]
ADDED = builders.validator_added(builders.snapshot())


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def log(event: Event, block: int, index: int) -> Log:
    return Log(CONTRACT, *encode(event), BlockNumber(block), name(block), name(7), 0, index)


def step(block: int, *said: Event | Log, oldest: int = 1) -> Extend:
    """A block of its own, with the blocks from `oldest` on to go back to."""
    logs = tuple(
        each if isinstance(each, Log) else log(each, block, index)
        for index, each in enumerate(said)
    )
    return Extend(
        Block(BlockNumber(block), name(block), name(block - 1), 12 * block),
        logs,
        tuple(Point(BlockNumber(each), name(each)) for each in range(oldest, block + 1)),
        {BlockNumber(each): 12 * each for each in range(block + 1)},
        BlockNumber(block),
    )


def extend(replay: Replay, made: Extend, verdict: str = "valid") -> Batch:
    found = decoded(made.logs)
    verdicts = [SignatureVerdict(verdict)] * len(found)
    return replay.extend(made, found, verdicts, with_digest=True)


def as_dict(batch: Batch, place: int = -1) -> dict[str, Any]:
    return dict(zip(LOG_COLUMNS, batch.logs[place], strict=True))


@pytest.fixture
def replay() -> Replay:
    """With four operators, as of block 1."""
    made = Replay(RegistryState(), None)
    extend(made, step(1, *OPERATORS))
    return made


def test_a_registration_is_a_row_without_its_shares(replay: Replay) -> None:
    row = as_dict(extend(replay, step(2, ADDED)))
    said = json.loads(row["args"])
    assert set(said) == {"owner", "operatorIds", "publicKey", "cluster"}
    assert said["operatorIds"] == ["1", "2", "3", "4"]
    assert said["cluster"]["balance"] == str(ADDED.cluster.balance_wei)
    assert said["cluster"]["active"] is True
    assert row["name"] == "ValidatorAdded"
    assert row["validator_key"] == ADDED.public_key
    assert row["cluster_id"] == cluster_id(OWNER, ADDED.operator_ids)
    assert (row["nonce"], row["refusal"]) == (0, None)
    assert row["deposit_wei"] == ADDED.cluster.balance_wei
    assert ADDED.shares in row["data"]


def test_a_refused_registration_says_why_and_uses_up_its_nonce(replay: Replay) -> None:
    row = as_dict(extend(replay, step(2, ADDED), "invalid"))
    assert (row["nonce"], row["refusal"]) == (0, "nonce_signature_invalid")
    assert replay.state.account(OWNER).next_nonce == 1


def test_owner_of_an_operator_is_found_where_the_event_does_not_say(replay: Replay) -> None:
    row = as_dict(
        extend(replay, step(2, events.OperatorPrivacyStatusUpdated((OperatorId(1),), True)))
    )
    assert (row["owner"], row["operator_ids"]) == (builders.address(9), [1])
    assert row["validator_key"] is None


def test_operators_of_a_cluster_are_found_where_the_event_does_not_say(replay: Replay) -> None:
    extend(replay, step(2, ADDED))
    key = cluster_id(OWNER, ADDED.operator_ids)
    proven = events.ValidatorEffectiveBalanceUpdated(OWNER, key, ADDED.public_key, 40, 9)  # type: ignore[arg-type]
    row = as_dict(extend(replay, step(3, proven)))
    assert (row["operator_ids"], row["validator_key"]) == ([1, 2, 3, 4], ADDED.public_key)


def test_a_log_that_makes_no_sense_is_kept_with_its_reason(replay: Replay) -> None:
    strange = Log(CONTRACT, (b"\x77" * 32,), b"?", BlockNumber(2), name(2), name(7), 0, 0)
    row = as_dict(extend(replay, step(2, strange)))
    assert (row["name"], row["args"], row["undecodable"]) == (None, None, "unknown_event")
    assert (row["topics"], row["data"]) == (b"\x77" * 32, b"?")


def test_ids_beyond_a_bigint_stay_in_the_arguments_only(replay: Replay) -> None:
    huge = OperatorId(2**64 - 1)
    row = as_dict(extend(replay, step(2, events.OperatorPrivacyStatusUpdated((huge,), True))))
    assert row["operator_ids"] == []
    assert json.loads(row["args"])["operatorIds"] == [str(huge)]


def test_contradictions_are_rows(replay: Replay) -> None:
    unknown = events.OperatorRemoved(OperatorId(77))
    [divergence, *_] = extend(replay, step(2, unknown)).divergences
    assert divergence[:5] == (2, 0, 0, "operator", "77")


def test_claims_follow_the_logs_one_by_one(replay: Replay) -> None:
    twice = builders.validator_added(builders.snapshot(validators=2), key=2)
    strange = Log(CONTRACT, (), b"", BlockNumber(2), name(2), name(7), 0, 5)
    found = decoded([log(ADDED, 2, 0), strange, log(OPERATORS[0], 2, 1), log(twice, 2, 2)])
    claims = replay.claims(found)
    assert [each.nonce if isinstance(each, NonceClaim) else each for each in claims] == [
        0,
        None,
        None,
        1,
    ]


def test_going_back_restores_the_state_exactly(replay: Replay) -> None:
    before = replay.state.digest()
    tip = replay.tip
    assert tip is not None
    for block in (2, 3, 4):
        added = builders.validator_added(builders.snapshot(validators=block - 1), key=block)
        extend(replay, step(block, added))
    assert replay.roll_back(tip) == before
    assert replay.tip == tip


def test_beyond_what_it_remembers_it_asks_for_the_tables() -> None:
    loaded = Replay(RegistryState(), Point(BlockNumber(5), name(5)))
    extend(loaded, step(6, *OPERATORS))
    assert loaded.roll_back(Point(BlockNumber(4), name(4))) is None


def test_what_was_loaded_can_be_gone_back_to() -> None:
    tip = Point(BlockNumber(5), name(5))
    loaded = Replay(RegistryState(), tip)
    before = loaded.state.digest()
    extend(loaded, step(6, *OPERATORS))
    assert loaded.roll_back(tip) == before


def test_blocks_without_logs_are_kept_while_they_can_be_gone_back_to(replay: Replay) -> None:
    batch = extend(replay, step(2, oldest=1))
    assert [(each.number, each.log_count) for each in batch.blocks] == [(2, 0)]
    assert batch.before == Point(BlockNumber(1), name(1))


def test_a_block_without_a_time_is_refused(replay: Replay) -> None:
    made = step(2, ADDED)
    untimed = Extend(made.tip, made.logs, made.points, {}, made.target)
    with pytest.raises(InvariantBroken, match="time of block"):
        extend(replay, untimed)
