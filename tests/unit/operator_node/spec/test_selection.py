"""The lottery of selection proofs, and who shares a subnet."""

from __future__ import annotations

from hashlib import sha256

import pytest

from operator_node.spec import Preset, is_aggregator, is_sync_aggregator, subnet_of

PROOFS = [bytes([number]) * 96 for number in range(256)]


def drawn(proof: bytes) -> int:
    """The number that a proof draws."""
    return int.from_bytes(sha256(proof).digest()[:8], "little")


@pytest.mark.parametrize("length", [0, 1, 16, 31])
def test_everyone_aggregates_for_a_small_committee(length: int) -> None:
    assert all(is_aggregator(proof, length) for proof in PROOFS)


@pytest.mark.parametrize(("length", "one_in"), [(32, 2), (47, 2), (48, 3), (512, 32)])
def test_sixteen_of_a_committee_aggregate(length: int, one_in: int) -> None:
    chosen = [proof for proof in PROOFS if is_aggregator(proof, length)]
    assert chosen == [proof for proof in PROOFS if drawn(proof) % one_in == 0]
    assert 0 < len(chosen) < len(PROOFS)


def test_one_in_eight_aggregates_for_the_sync_committee() -> None:
    chosen = [proof for proof in PROOFS if is_sync_aggregator(proof)]
    assert chosen == [proof for proof in PROOFS if drawn(proof) % 8 == 0]
    assert chosen


def test_everyone_aggregates_for_a_minimal_sync_committee() -> None:
    assert all(is_sync_aggregator(proof, Preset.MINIMAL) for proof in PROOFS)


def test_positions_share_a_subnet_in_quarters() -> None:
    assert [subnet_of(position) for position in (0, 127, 128, 383, 384, 511)] == [0, 0, 1, 2, 3, 3]
    assert [subnet_of(place, Preset.MINIMAL) for place in (0, 7, 8, 31)] == [0, 0, 1, 3]
