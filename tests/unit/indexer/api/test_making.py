"""Models made at once are those that Pydantic makes."""

from __future__ import annotations

import pytest

from indexer.api.making import made
from indexer.api.schemas import SnapshotOut, snapshot_out
from sdk.errors import InvariantBroken
from sdk.testing import builders

STRUCT = builders.snapshot()


def test_a_model_is_the_one_that_pydantic_makes() -> None:
    values = snapshot_out(STRUCT).model_dump()
    ours, theirs = made(SnapshotOut, **values), SnapshotOut(**values)
    assert ours == theirs
    assert ours.model_fields_set == theirs.model_fields_set
    assert ours.model_dump_json() == theirs.model_dump_json()
    assert ours.model_copy(update={"index": "1"}) == theirs.model_copy(update={"index": "1"})


def test_a_value_too_few_or_too_many_is_a_fault_of_ours() -> None:
    values = snapshot_out(STRUCT).model_dump()
    with pytest.raises(InvariantBroken, match="more"):
        made(SnapshotOut, **values, more=1)
    del values["index"]
    with pytest.raises(InvariantBroken, match="index"):
        made(SnapshotOut, **values)
