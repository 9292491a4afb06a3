"""Of all that happens to a record within a block, only before and after counts."""

from __future__ import annotations

from dataclasses import replace

from indexer.project.batch import Closed, Versions, turn_block
from indexer.project.records import SHAPES
from sdk.registry import Account, AccountChanged, Change, WhitelistChanged
from sdk.testing import builders
from sdk.types import BlockNumber, OperatorId

OWNER = builders.address(1)
FIRST = Account(OWNER, 1)
SECOND = replace(FIRST, next_nonce=2)
THIRD = replace(FIRST, next_nonce=3)


def turned(*blocks: list[tuple[int, Change]]) -> dict[str, Versions]:
    """Blocks 10, 11 and so on."""
    versions = {shape.table: Versions(shape) for shape in SHAPES}
    for number, changes in enumerate(blocks, 10):
        turn_block(versions, changes, block=BlockNumber(number))
    return versions


def accounts(*blocks: list[tuple[int, Change]]) -> Versions:
    return turned(*blocks)["account_version"]


def test_several_changes_in_a_block_make_one_version_of_the_last_log() -> None:
    found = accounts([(4, AccountChanged(None, FIRST)), (7, AccountChanged(FIRST, SECOND))])
    assert found.added == [[OWNER, 2, None, 10, None, 7]]
    assert found.closed == []


def test_a_version_of_an_earlier_step_is_closed_once() -> None:
    found = accounts([(0, AccountChanged(FIRST, SECOND))], [(3, AccountChanged(SECOND, THIRD))])
    assert found.closed == [Closed((OWNER,), BlockNumber(10))]
    assert found.added == [[OWNER, 2, None, 10, 11, 0], [OWNER, 3, None, 11, None, 3]]


def test_what_comes_and_goes_in_a_block_leaves_nothing() -> None:
    entry = (OperatorId(1), OWNER)
    found = turned(
        [(0, WhitelistChanged(*entry, False, True)), (1, WhitelistChanged(*entry, True, False))]
    )
    assert all(not each.added and not each.closed for each in found.values())


def test_what_changes_back_in_a_block_is_the_same_version() -> None:
    found = accounts([(0, AccountChanged(FIRST, SECOND)), (1, AccountChanged(SECOND, FIRST))])
    assert (found.added, found.closed) == ([], [])


def test_a_record_that_ends_closes_its_version_and_may_begin_again() -> None:
    entry = (OperatorId(1), OWNER)
    found = turned(
        [(0, WhitelistChanged(*entry, True, False))], [(5, WhitelistChanged(*entry, False, True))]
    )["whitelist_version"]
    assert found.closed == [Closed(entry, BlockNumber(10))]
    assert found.added == [[*entry, 11, None, 5]]
