"""Own proposals are looked up on the chain, and their records say whom they paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from operator_node.api import Metrics
from operator_node.beacon.chain_block import ChainBlock
from operator_node.duties import Reason
from operator_node.engine import DutyRecord
from operator_node.node.journal import Journal
from operator_node.node.payments import LOOK_AFTER_SLOTS, WAITING_MOST, Payments
from operator_node.wire.ids import RunnerRole
from sdk.errors import BeaconError
from sdk.types import Address, OperatorId, Slot, checksum_address
from tests.unit.operator_node.duties.test_payment import FEES, signed
from tests.unit.operator_node.mock_time import Wall

OWNER = Address(b"\x53" * 20)
THIEF = Address(b"\x66" * 20)
SLOT = Slot(100)
BLOCK = ChainBlock(SLOT, 7, OWNER, None)
RECORD = DutyRecord(
    id="PROPOSER-e3-s100-v7",
    role=RunnerRole.PROPOSER,
    slot=SLOT,
    committee=tuple(map(OperatorId, (1, 2, 3, 4))),
    validators=(7,),
    started_ms=0,
    leader=OperatorId(3),
    reason=Reason.DONE,
    submitted=(7,),
    detail={"block": "full", "recipients": [checksum_address(OWNER)]},
)


class Chain:
    """Answers in this order, the last one for good."""

    def __init__(self, answers: Sequence[ChainBlock | BaseException | None]) -> None:
        self.answers = list(answers)
        self.asked_s: list[float] = []

    async def block(self, slot: Slot) -> ChainBlock | None:
        assert slot == SLOT
        self.asked_s.append(trio.current_time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def looked_up(
    journal: Journal, *answers: ChainBlock | BaseException | None, records: int = 1
) -> tuple[Payments, Chain]:
    chain = Chain(answers)
    found: list[Payments] = []

    async def main() -> None:
        payments = Payments(
            blocks=chain,
            clock=Wall(slot=SLOT).slot_clock(),
            note=journal.note,
            on_mispaid=journal._metrics.mispaid,
        )
        found.append(payments)
        journal.on_proposal = payments.take
        for _ in range(records):
            journal.add(RECORD)
        async with trio.open_nursery() as nursery:
            await nursery.start(payments.run)
            await trio.sleep(12 * (LOOK_AFTER_SLOTS[-1] + 1))
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return found[0], chain


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "duties.sqlite", kept_slots=1000, most_bytes=10**9, metrics=Metrics())


def detail(journal: Journal) -> dict[str, object]:
    record = journal.named(RECORD.id)
    assert record is not None
    assert record.leader == 3
    return {name: fact for name, fact in record.detail.items() if name not in RECORD.detail}


def test_a_payment_is_recorded_two_slots_later(journal: Journal) -> None:
    payments, chain = looked_up(journal, BLOCK)
    assert chain.asked_s == [24.0]
    assert detail(journal) == {
        "on_chain": True,
        "paid_by": "payload",
        "paid_to": checksum_address(OWNER),
    }
    assert payments.mispaid == 0


def test_a_builders_payment_is_recorded_with_its_value(journal: Journal) -> None:
    looked_up(journal, ChainBlock(SLOT, 7, THIEF, signed(**FEES)))
    assert detail(journal) == {
        "on_chain": True,
        "paid_by": "builder",
        "paid_to": checksum_address(OWNER),
        "paid_wei": str(10**17),
    }


def test_a_block_that_paid_somebody_else_is_counted_and_told_with_its_leader(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    payments, _ = looked_up(journal, ChainBlock(SLOT, 7, THIEF, None))
    assert detail(journal)["paid_by"] == "nobody"
    assert detail(journal)["paid_to"] == checksum_address(THIEF)
    assert payments.mispaid == 1
    assert b"node_fee_recipient_mismatch_total 1.0" in journal._metrics.text()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{RECORD.id}, led by operator 3, paid {checksum_address(THIEF)}")


def test_a_beacon_node_that_is_away_is_asked_again(journal: Journal) -> None:
    gone = BeaconError("no beacon node answered: down", code="beacon_unreachable")
    _, chain = looked_up(journal, gone, None, BLOCK)
    assert chain.asked_s == [24.0, 48.0, 96.0]
    assert detail(journal)["on_chain"] is True


@pytest.mark.parametrize("other", [None, ChainBlock(SLOT, 8, OWNER, None)])
def test_a_block_that_is_not_on_the_chain_is_recorded_as_such(
    journal: Journal, other: ChainBlock | None
) -> None:
    payments, chain = looked_up(journal, other)
    assert len(chain.asked_s) == len(LOOK_AFTER_SLOTS)
    assert detail(journal) == {
        "on_chain": False,
        "payment": "the chain has no block of this proposer in the slot",
    }
    assert payments.mispaid == 0


def test_a_fault_of_ours_ends_one_look_up_and_not_the_task(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        chain = Chain([ZeroDivisionError(), BLOCK])
        payments = Payments(
            blocks=chain,
            clock=Wall(slot=SLOT).slot_clock(),
            note=journal.note,
            on_mispaid=journal._metrics.mispaid,
        )
        payments.take(RECORD)
        payments.take(RECORD)
        async with trio.open_nursery() as nursery:
            await nursery.start(payments.run)
            await trio.sleep(30)
            nursery.cancel_scope.cancel()
        assert len(chain.asked_s) == 2

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert "looking up whom PROPOSER-e3-s100-v7 paid failed" in caplog.text
    assert detail(journal)["on_chain"] is True


def test_what_waits_is_bounded(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    payments = Payments(
        blocks=Chain([None]),
        clock=Wall().slot_clock(),
        note=journal.note,
        on_mispaid=journal._metrics.mispaid,
    )
    for _ in range(WAITING_MOST):
        payments.take(RECORD)
    assert not caplog.records
    payments.take(RECORD)
    assert "is not looked up: 64 others wait" in caplog.text


def test_a_record_that_is_told_again_keeps_what_was_found(journal: Journal) -> None:
    looked_up(journal, BLOCK)
    journal.add(RECORD)
    assert detail(journal)["on_chain"] is True


def test_only_proposals_that_were_done_are_looked_up(journal: Journal) -> None:
    taken: list[DutyRecord] = []
    journal.on_proposal = taken.append
    journal.add(replace(RECORD, id="PROPOSER-e3-s101-v7", reason=Reason.BN_DOWN, submitted=()))
    journal.add(replace(RECORD, id="VALIDATOR_REGISTRATION-e3-s100-v7", role=RunnerRole.AGGREGATOR))
    journal.add(RECORD)
    journal.add(RECORD)
    assert taken == [RECORD]
