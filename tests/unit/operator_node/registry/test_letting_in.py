"""kill -9 between a step's commit and the arming: the next start arms before anybody signs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from operator_node.signer.record import Intent
from operator_node.signer.rules import may_sign
from sdk.shares.layout import unpack
from sdk.types import OperatorId
from tests.unit.operator_node.registry.letting_in import (
    NEW_EPOCH,
    OLD_EPOCH,
    chain,
    come_back,
    open_record,
    run,
)
from tests.unit.operator_node.registry.world import key_share, validator_key
from tests.unit.operator_node.signer.guards import vote

MODULE = "tests.unit.operator_node.registry.letting_in"
ME = OperatorId(2)


def intent(number: int, target: int) -> Intent:
    share = key_share(number, 0)
    parts = unpack(share.shares_data, operators=len(share.operator_ids))
    mine = parts.share_public_keys[share.operator_ids.index(ME)]
    return Intent(mine, validator_key(number), vote(target - 1, target))


@pytest.mark.slow
def test_a_node_killed_before_the_arming_arms_when_it_starts_again(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", MODULE, tmp_path], check=False, timeout=240)
    assert ended.returncode == -signal.SIGKILL
    with open_record(tmp_path) as record:
        for number in (1, 2):
            # The bounds are those of the first life, which the cluster's return must raise.
            assert may_sign(record.check([intent(number, OLD_EPOCH + 1)])[0])
        node = chain()
        come_back(node)
        run(node, record, tmp_path, epoch=NEW_EPOCH, is_killed=False)
        for number in (1, 2):
            assert not may_sign(record.check([intent(number, NEW_EPOCH)])[0])
            assert may_sign(record.check([intent(number, NEW_EPOCH + 1)])[0])
