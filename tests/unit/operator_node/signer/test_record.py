"""Histories per share and per validator: every signature is judged and recorded twice.

Each test runs on the record in memory and on the one on disk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from operator_node.signer import tables
from operator_node.signer.evidence import Contradiction
from operator_node.signer.record import (
    Conflict,
    Intent,
    KeyHistory,
    Protection,
    Records,
    SlashingProtection,
)
from operator_node.signer.rules import NotSafe, Reason, Safe, SameData, Verdict
from operator_node.signer.trail import Trail
from sdk.errors import InvariantBroken, UsageError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer import guards
from tests.unit.operator_node.signer.disk import DiskProtection
from tests.unit.operator_node.signer.guards import (
    OTHER_SHARE,
    OTHER_VALIDATOR,
    SHARE,
    VALIDATOR,
    armed,
    block,
    intent,
    key,
    signed,
    vote,
)


@pytest.fixture(autouse=True, params=["memory", "disk"])
def kept(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Where the records of the test are kept."""
    with ExitStack() as opened:
        if request.param == "disk":
            number = iter(range(100))

            def on_disk(records: Records | None = None) -> DiskProtection:
                made = DiskProtection.holding(tmp_path / str(next(number)), records)
                return opened.enter_context(closing(made))

            for module in (guards, sys.modules[__name__]):
                monkeypatch.setattr(module, "Protection", on_disk)
        yield request.param


def reason(verdict: Verdict) -> Reason | None:
    return verdict.reason if isinstance(verdict, NotSafe) else None


def sign(protection: Protection, *intents: Intent) -> list[Reason | None]:
    """Why each was refused, None for what may be signed."""
    return [reason(verdict) for verdict in protection.check_and_record(intents)]


def test_share_that_was_never_armed_signs_nothing() -> None:
    protection = armed()
    assert sign(protection, intent(vote(10, 11), OTHER_SHARE)) == [Reason.NO_HISTORY]
    assert sign(Protection(), intent(block(5))) == [Reason.NO_HISTORY]


def test_armed_share_signs_from_the_next_epoch_and_slot_on() -> None:
    protection = armed(10, 320)
    assert sign(
        protection,
        intent(vote(9, 10)),
        intent(vote(8, 11)),
        intent(vote(9, 11)),
        intent(block(320)),
        intent(block(321)),
    ) == [
        Reason.TARGET_NOT_ABOVE_BOUND,
        Reason.SOURCE_BELOW_BOUND,
        None,
        Reason.SLOT_NOT_ABOVE_BOUND,
        None,
    ]


def test_share_armed_at_genesis_signs_from_epoch_1_on() -> None:
    protection = armed(0, 0)
    assert sign(protection, intent(vote(0, 0)), intent(vote(0, 1))) == [
        Reason.TARGET_NOT_ABOVE_BOUND,
        None,
    ]


def test_only_share_of_a_validator_and_the_validator_share_one_history() -> None:
    """Kept once and recorded in once; nobody could tell it from two equal ones."""
    protection = armed(10, 320)
    assert sign(protection, intent(vote(10, 11)), intent(block(321))) == [None, None]
    histories = protection.records.histories
    assert histories[SHARE] is histories[VALIDATOR]
    assert histories[SHARE].attestations.entries == (vote(10, 11),)
    protection.arm(OTHER_SHARE, VALIDATOR, epoch=Epoch(11), slot=Slot(352))
    histories = protection.records.histories
    assert histories[OTHER_SHARE] != histories[VALIDATOR]
    assert sign(protection, intent(vote(11, 12), OTHER_SHARE)) == [None]
    assert sign(protection, intent(vote(11, 12, 2))) == [Reason.DOUBLE_VOTE]


def test_arming_again_never_lowers_a_bound() -> None:
    protection = armed(10, 320)
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(4), slot=Slot(130))
    assert protection.records == armed(10, 320).records


def test_arming_keeps_what_was_signed_above_the_new_bound() -> None:
    protection = armed(10)
    sign(protection, intent(vote(10, 11)), intent(vote(11, 12)))
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(11), slot=Slot(352))
    assert protection.check([intent(vote(11, 12)), intent(vote(11, 12, 2))]) == (
        SameData(),
        NotSafe(Reason.DOUBLE_VOTE, vote(11, 12)),
    )


def test_share_armed_again_signs_nothing_from_before_not_even_again() -> None:
    protection = armed(10, 320)
    sign(protection, intent(vote(10, 11)), intent(block(340)))
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(20), slot=Slot(640))
    assert protection.check([intent(vote(10, 11)), intent(vote(18, 21)), intent(block(340))]) == (
        NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(19, 20, None)),
        NotSafe(Reason.SOURCE_BELOW_BOUND, vote(19, 20, None)),
        NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, block(640, None)),
    )


def test_file_never_makes_an_armed_share_sign_what_it_may_have_contradicted() -> None:
    protection = armed(10, 320)
    protection.merge([KeyHistory(SHARE, signed(vote(5, 6), block(300)), VALIDATOR)])
    assert sign(protection, intent(vote(5, 6)), intent(block(300))) == [
        Reason.TARGET_NOT_ABOVE_BOUND,
        Reason.SLOT_NOT_ABOVE_BOUND,
    ]


def test_new_share_of_a_validator_is_bound_by_what_the_old_share_signed() -> None:
    protection = armed(10, 320, SHARE, OTHER_SHARE)
    assert sign(protection, intent(vote(10, 11, 1))) == [None]
    assert sign(protection, intent(vote(10, 11, 2), OTHER_SHARE)) == [Reason.DOUBLE_VOTE]
    assert sign(protection, intent(vote(9, 12), OTHER_SHARE)) == [Reason.SURROUNDING_VOTE]


def test_new_share_may_sign_what_the_old_share_signed_and_remembers_it() -> None:
    protection = armed(10, 320, SHARE, OTHER_SHARE)
    again = intent(vote(10, 11), OTHER_SHARE)
    sign(protection, intent(vote(10, 11)))
    assert protection.check_and_record([again]) == (Safe(),)
    assert protection.check_and_record([again]) == (SameData(),)


def test_shares_of_different_validators_do_not_bind_each_other() -> None:
    protection = armed(10)
    protection.arm(OTHER_SHARE, OTHER_VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    assert sign(
        protection,
        intent(vote(10, 11, 1)),
        intent(vote(10, 11, 2), OTHER_SHARE, OTHER_VALIDATOR),
    ) == [None, None]


def test_share_never_signs_for_a_validator_it_was_not_armed_for() -> None:
    protection = armed(10)
    protection.arm(OTHER_SHARE, OTHER_VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    crossed = intent(vote(10, 11), SHARE, OTHER_VALIDATOR)
    assert sign(protection, crossed) == [Reason.OTHER_VALIDATOR]


def test_refused_item_leaves_the_rest_of_its_batch_alone() -> None:
    protection = armed(10, 320)
    assert sign(protection, intent(vote(9, 10)), intent(vote(10, 11)), intent(block(400))) == [
        Reason.TARGET_NOT_ABOVE_BOUND,
        None,
        None,
    ]


def test_item_sees_those_before_it_in_the_batch() -> None:
    protection = armed(10, 320)
    assert protection.check_and_record(
        [intent(vote(10, 11, 1)), intent(vote(10, 11, 2)), intent(vote(10, 11, 1))]
    ) == (Safe(), NotSafe(Reason.DOUBLE_VOTE, vote(10, 11, 1)), SameData())


def test_check_records_nothing() -> None:
    protection = armed(10)
    before = protection.records
    items = [intent(vote(10, 11, 1)), intent(vote(10, 11, 2))]
    assert protection.check(items) == (Safe(), Safe())
    assert protection.records == before


def test_repeat_changes_nothing() -> None:
    protection = armed(10)
    sign(protection, intent(vote(10, 11)))
    before = protection.records
    assert protection.check_and_record([intent(vote(10, 11))]) == (SameData(),)
    assert protection.records == before


def test_record_that_does_not_take_an_entry_signs_and_keeps_nothing(
    kept: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    protection = armed(10, 320)
    before = protection.records
    if kept == "memory":
        monkeypatch.setattr(Trail, "recording", lambda trail, entry: trail)
    else:
        monkeypatch.setattr(tables, "_above", lambda trail, entry, pruned: trail)
    with pytest.raises(InvariantBroken, match="still counts as new"):
        protection.check_and_record([intent(vote(10, 11))])
    assert protection.records == before


def test_armed_source_is_lowered_for_share_and_validator() -> None:
    protection = armed(10)
    assert sign(protection, intent(vote(5, 11))) == [Reason.SOURCE_BELOW_BOUND]
    protection.lower_armed_source(SHARE, source_epoch=Epoch(5))
    assert sign(protection, intent(vote(4, 11)), intent(vote(5, 10)), intent(vote(5, 11))) == [
        Reason.SOURCE_BELOW_BOUND,
        Reason.TARGET_NOT_ABOVE_BOUND,
        None,
    ]


def test_lowering_one_share_keeps_what_other_shares_were_armed_with() -> None:
    protection = armed(10)
    protection.arm(OTHER_SHARE, VALIDATOR, epoch=Epoch(20), slot=Slot(640))
    protection.lower_armed_source(SHARE, source_epoch=Epoch(3))
    assert sign(protection, intent(vote(5, 21))) == [Reason.SOURCE_BELOW_BOUND]
    protection.lower_armed_source(OTHER_SHARE, source_epoch=Epoch(4))
    assert sign(protection, intent(vote(3, 21)), intent(vote(5, 21))) == [
        Reason.SOURCE_BELOW_BOUND,
        None,
    ]


def test_share_armed_for_one_validator_is_never_armed_for_another() -> None:
    """Share keys are public: a copy in another registration must not silence the owner."""
    protection = armed(10)
    before = protection.records
    with pytest.raises(UsageError, match="is armed for validator") as caught:
        protection.arm(SHARE, OTHER_VALIDATOR, epoch=Epoch(10), slot=Slot(330))
    assert caught.value.code == "share_of_another"
    assert protection.records == before
    assert sign(protection, intent(vote(9, 11))) == [None]


def test_file_that_names_another_owner_does_not_keep_a_share_from_being_armed() -> None:
    protection = Protection()
    protection.merge([KeyHistory(SHARE, signed(vote(5, 6)), OTHER_VALIDATOR)])
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    assert sign(protection, intent(vote(9, 11))) == [None]


def test_lowering_an_armed_source_never_undoes_what_was_signed() -> None:
    protection = armed(10)
    sign(protection, intent(vote(9, 11)))
    protection.lower_armed_source(SHARE, source_epoch=Epoch(3))
    assert sign(protection, intent(vote(8, 12))) == [Reason.SURROUNDING_VOTE]


def test_lowering_never_raises_a_bound() -> None:
    protection = armed(10)
    before = protection.records
    protection.lower_armed_source(SHARE, source_epoch=Epoch(50))
    assert protection.records == before


def test_bound_of_a_share_that_was_never_armed_cannot_be_lowered() -> None:
    protection = Protection()
    protection.merge([KeyHistory(OTHER_SHARE, signed(vote(5, 6)), VALIDATOR)])
    for share in (SHARE, OTHER_SHARE):
        with pytest.raises(UsageError) as caught:
            protection.lower_armed_source(share, source_epoch=Epoch(0))
        assert caught.value.code == "not_armed"


def test_merge_counts_a_shares_history_for_its_validator() -> None:
    protection = armed(10, 320, OTHER_SHARE)
    protection.merge([KeyHistory(SHARE, signed(vote(20, 30)), VALIDATOR)])
    assert sign(protection, intent(vote(20, 30, 2), OTHER_SHARE)) == [Reason.DOUBLE_VOTE]
    assert sign(protection, intent(vote(20, 31), OTHER_SHARE)) == [None]


def test_merge_under_the_validators_own_key_binds_its_shares() -> None:
    protection = armed(10, 320)
    protection.merge([KeyHistory(VALIDATOR, signed(vote(20, 30), block(900)))])
    assert sign(protection, intent(vote(19, 31)), intent(block(900, 2)), intent(block(901))) == [
        Reason.SURROUNDING_VOTE,
        Reason.DOUBLE_BLOCK,
        None,
    ]


def test_arming_counts_what_was_merged_before_the_validator_was_known() -> None:
    protection = Protection()
    protection.merge([KeyHistory(SHARE, signed(vote(20, 30)))])
    assert sign(protection, intent(vote(20, 31))) == [Reason.NO_HISTORY]
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    protection.arm(OTHER_SHARE, VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    assert sign(protection, intent(vote(19, 31), OTHER_SHARE)) == [Reason.SURROUNDING_VOTE]


def test_validator_named_later_gets_all_that_its_share_had_signed() -> None:
    protection = armed(10, 320, OTHER_SHARE)
    protection.merge([KeyHistory(SHARE, signed(vote(20, 30)))])
    protection.merge([KeyHistory(SHARE, signed(block(900)), VALIDATOR)])
    assert sign(
        protection, intent(vote(19, 31), OTHER_SHARE), intent(block(900, 2), OTHER_SHARE)
    ) == [Reason.SURROUNDING_VOTE, Reason.DOUBLE_BLOCK]


def test_foreign_word_on_whose_share_it_is_binds_both_but_changes_nothing() -> None:
    protection = armed(10)
    protection.arm(OTHER_SHARE, OTHER_VALIDATOR, epoch=Epoch(10), slot=Slot(320))
    protection.merge([KeyHistory(SHARE, signed(vote(20, 30)), OTHER_VALIDATOR)])
    assert protection.records.validators[SHARE] == VALIDATOR
    assert sign(
        protection,
        intent(vote(19, 31)),
        intent(vote(19, 31), OTHER_SHARE, OTHER_VALIDATOR),
    ) == [Reason.SURROUNDING_VOTE, Reason.SURROUNDING_VOTE]


def test_merge_tells_slashable_data_that_was_not_known() -> None:
    protection = armed(1, 32)
    sign(protection, intent(vote(1, 3, 1)))
    foreign = KeyHistory(SHARE, signed(vote(1, 3, 2)), VALIDATOR)
    contradiction = Contradiction(Reason.DOUBLE_VOTE, vote(1, 3, 2), vote(1, 3, 1))
    assert protection.merge([foreign]) == (
        Conflict(SHARE, contradiction),
        Conflict(VALIDATOR, contradiction),
    )
    assert protection.merge([foreign]) == ()
    assert reason(protection.check([intent(vote(1, 3, 1))])[0]) is Reason.DOUBLE_VOTE


def test_merge_tells_slashable_data_inside_one_history() -> None:
    history = signed(vote(1, 9), vote(2, 8), vote(7, 4), block(5, 1), block(5, 2))
    _, conflicts = Records().merge([KeyHistory(SHARE, history)])
    assert {conflict.contradiction.reason for conflict in conflicts} == {
        Reason.SURROUNDED_VOTE,
        Reason.SOURCE_ABOVE_TARGET,
        Reason.DOUBLE_BLOCK,
    }


def test_export_names_validators_only_where_they_know_more_than_their_shares() -> None:
    protection = armed(10, 320, SHARE, OTHER_SHARE)
    sign(protection, intent(vote(10, 11)), intent(vote(10, 12), OTHER_SHARE))
    listed = [(item.key, item.validator_key) for item in protection.key_histories()]
    assert listed == [(SHARE, VALIDATOR), (OTHER_SHARE, VALIDATOR)]
    protection.merge([KeyHistory(VALIDATOR, signed(vote(20, 30))), KeyHistory(key(500), signed())])
    listed = [(item.key, item.validator_key) for item in protection.key_histories()]
    assert listed[2:] == [(VALIDATOR, None), (key(500), None)]


def test_protection_in_memory_is_a_slashing_protection() -> None:
    protection: SlashingProtection = Protection(armed(10).records)
    assert protection.check([intent(vote(10, 11))]) == (Safe(),)
