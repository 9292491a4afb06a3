"""The lease and a record in a real signing process: no permit, no signature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from operator_node.clock import boot_ms, wall_ms
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, Withheld
from operator_node.lease import Moment, Permit, Taken
from operator_node.signer.standing import Standing
from operator_node.signing import ProcessShares, SigningProcess
from operator_node.signing.leasing import RemoteLeaseRecord
from sdk.errors import InvariantBroken, StorageError
from tests.unit.operator_node.signer.guards import vote
from tests.unit.operator_node.signing import holding
from tests.unit.operator_node.signing.holding import NOW, NOW_EPOCH, item, raw_key, record

pytestmark = pytest.mark.realtime


@pytest.fixture
def process(tmp_path: Path) -> Iterator[SigningProcess]:
    made = SigningProcess(raw_key())
    yield made
    made.close()


def test_standing_term_and_permit_reach_the_process(
    process: SigningProcess, tmp_path: Path
) -> None:
    process.open_record(msgspec.structs.replace(record(tmp_path), has_lease=True))
    remote = RemoteLeaseRecord(process)
    before = remote.standing()
    assert (before.term, len(before.record_id)) == (0, 32)
    remote.take_term(Taken(5, None))
    remote.take_term(Taken(5, None))
    assert remote.standing() == Standing(5, before.record_id, before.sequence + 1)
    with pytest.raises(StorageError, match="term 5"):
        remote.take_term(Taken(4, 0))
    remote.permit(Permit(5, Moment(boot_ms(), wall_ms()).later(60_000)))
    remote.permit(None)


def test_a_record_without_a_lease_knows_of_none(process: SigningProcess, tmp_path: Path) -> None:
    process.open_record(record(tmp_path))
    with pytest.raises(InvariantBroken, match="not under a lease"):
        RemoteLeaseRecord(process).standing()


def test_the_process_signs_nothing_slashable_without_a_permit(tmp_path: Path) -> None:
    earlier, _ = holding.started(tmp_path, 1)
    earlier.close()
    process = SigningProcess(holding.key_file(tmp_path), patience_s=holding.PATIENCE_S)
    try:
        process.open_record(msgspec.structs.replace(record(tmp_path), has_lease=True))
        shares, remote = ProcessShares(process), RemoteLeaseRecord(process)
        holding.put(shares, 1)
        items = (item(1, vote(NOW_EPOCH - 1, NOW_EPOCH)),)
        assert shares.sign(items, slot=NOW) == (
            Withheld(items[0], Reason.SIGNER_DOWN, "lease_lost"),
        )
        remote.take_term(Taken(1, None))
        remote.permit(Permit(1, Moment(boot_ms(), wall_ms()).later(60_000)))
        (signed,) = shares.sign(items, slot=NOW)
        assert isinstance(signed, Signed)
        remote.permit(Permit(1, Moment(boot_ms(), wall_ms())))
        later = (item(1, vote(NOW_EPOCH - 1, NOW_EPOCH), said=2),)
        (refused,) = shares.sign(later, slot=NOW)
        assert isinstance(refused, Withheld)
        assert refused.detail == "lease_lost"
    finally:
        process.close()
