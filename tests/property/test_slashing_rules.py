"""The slashing rules against the beacon chain's own words, and moving a record about."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from operator_node.signer import (
    AttestationGuard,
    BlockGuard,
    Form,
    Guard,
    History,
    Intent,
    KeyHistory,
    Protection,
    Records,
    Safe,
    SameData,
    find_contradictions,
    judge,
    judge_complete,
    judge_minimal,
    may_sign,
    read_interchange,
    write_interchange,
)
from operator_node.signer.trail import KEPT_ENTRIES, Trail
from sdk.types import Epoch, PublicKey, Slot

GENESIS = bytes(32)
SHARES = tuple(PublicKey(bytes([number]) * 48) for number in (1, 2))
VALIDATORS = tuple(PublicKey(bytes([number]) * 48) for number in (101, 102))

roots = st.sampled_from([None, bytes(32), b"\x01" * 32])
epochs = st.integers(0, 9)
votes = st.builds(AttestationGuard, epochs.map(Epoch), epochs.map(Epoch), roots)
blocks = st.builds(BlockGuard, epochs.map(Slot), roots)
guards = st.one_of(votes, blocks)
many = st.lists(guards, max_size=12)
armings = st.tuples(votes, blocks)
intents = st.builds(Intent, st.sampled_from(SHARES), st.just(VALIDATORS[0]), guards)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any entries, perhaps armed, as an import may leave it."""
    history = signed(draw(many))
    if draw(st.booleans()):
        history = history.raised(*draw(armings))
    return history


@st.composite
def records(draw: st.DrawFn) -> Records:
    """Two shares of one validator, and whatever was merged under any of the keys."""
    made = Records()
    for share in SHARES:
        epoch, slot = draw(epochs), draw(epochs)
        made = made.arm(share, VALIDATORS[0], epoch=Epoch(epoch), slot=Slot(slot))
    made, _ = made.check_and_record(draw(st.lists(intents, max_size=8)))
    items = st.one_of(
        st.builds(
            KeyHistory,
            st.sampled_from(SHARES),
            histories(),
            st.sampled_from((None, *VALIDATORS)),
        ),
        st.builds(KeyHistory, st.sampled_from(VALIDATORS), histories()),
    )
    made, _ = made.merge(draw(st.lists(items, max_size=2)))
    return made


def signed(entries: list[Guard]) -> History:
    history = History()
    for guard in entries:
        history = history.recording(guard)
    return history


def is_slashable(one: Guard, other: Guard) -> bool:
    """The beacon chain's rule in its own words, both ways round; same data is none."""
    if one == other and one.signing_root is not None:
        return False
    match one, other:
        case AttestationGuard(), AttestationGuard():
            return (
                one.target_epoch == other.target_epoch
                or (one.source_epoch < other.source_epoch and other.target_epoch < one.target_epoch)
                or (other.source_epoch < one.source_epoch and one.target_epoch < other.target_epoch)
            )
        case BlockGuard(), BlockGuard():
            return one.slot == other.slot
        case _:
            return False


@given(histories(), many)
def test_what_is_signed_is_never_slashable(start: History, wanted: list[Guard]) -> None:
    for rule in (judge, judge_minimal, judge_complete):
        history = start
        out: list[Guard] = []
        known: list[Guard] = [*start.attestations.entries, *start.blocks.entries]
        for guard in wanted:
            if may_sign(rule(history, guard)):
                out.append(guard)
                history = history.recording(guard)
        for guard in out:
            assert not any(is_slashable(guard, entry) for entry in known)
        assert not any(is_slashable(one, other) for one, other in combinations(out, 2))


@given(many, guards)
def test_complete_rule_refuses_only_what_is_slashable_or_before_all_that_is_known(
    entries: list[Guard], guard: Guard
) -> None:
    verdict = judge_complete(signed(entries), guard)
    alike = [entry for entry in entries if type(entry) is type(guard)]
    is_repeat = guard in alike and guard.signing_root is not None
    if isinstance(guard, AttestationGuard):
        known = [entry for entry in alike if isinstance(entry, AttestationGuard)]
        is_before = (
            not known
            or guard.target_epoch <= min(entry.target_epoch for entry in known)
            or guard.source_epoch < min(entry.source_epoch for entry in known)
        )
        is_invalid = guard.source_epoch > guard.target_epoch
    else:
        known_blocks = [entry for entry in alike if isinstance(entry, BlockGuard)]
        is_before = not known_blocks or guard.slot <= min(entry.slot for entry in known_blocks)
        is_invalid = False
    is_forbidden = (
        is_invalid
        or any(is_slashable(guard, entry) for entry in alike)
        or (is_before and not is_repeat)
    )
    assert may_sign(verdict) is not is_forbidden
    assert isinstance(verdict, SameData) is (is_repeat and not is_forbidden)


@given(histories(), guards)
def test_verdict_that_counts_is_the_minimal_one_or_a_repeat(history: History, guard: Guard) -> None:
    minimal, complete = judge_minimal(history, guard), judge_complete(history, guard)
    verdict = judge(history, guard)
    assert isinstance(verdict, Safe) is isinstance(minimal, Safe)
    if isinstance(verdict, SameData):
        assert isinstance(complete, SameData)
    assert may_sign(complete) or not may_sign(verdict)


@given(histories(), guards, guards)
def test_recording_permits_nothing_but_the_repeat(
    history: History, recorded: Guard, wanted: Guard
) -> None:
    later = history.recording(recorded)
    assert not isinstance(judge(later, recorded), Safe)
    verdict = judge(later, wanted)
    trail = history.attestations if isinstance(wanted, AttestationGuard) else history.blocks
    if isinstance(verdict, Safe) and trail.highest is not None:
        assert isinstance(judge(history, wanted), Safe)
    if isinstance(verdict, SameData) and wanted != recorded:
        assert isinstance(judge(history, wanted), SameData)


@given(st.lists(st.integers(KEPT_ENTRIES - 5, KEPT_ENTRIES + 30), max_size=12), st.data())
def test_pruning_never_permits_what_the_whole_history_forbids(
    targets: list[int], data: st.DataObject
) -> None:
    """A trail that is full already, against a twin that forgets nothing."""
    history, everything = FULL, list(FULL.attestations.entries)
    for target in targets:
        source = data.draw(st.integers(max(target - 8, 0), target))
        guard = AttestationGuard(Epoch(source), Epoch(target), data.draw(roots))
        verdict = judge(history, guard)
        contradicts = any(is_slashable(guard, entry) for entry in everything)
        assert not (may_sign(verdict) and contradicts)
        assert not (isinstance(judge_complete(history, guard), Safe) and contradicts)
        if may_sign(verdict):
            history = history.recording(guard)
            everything.append(guard)
    assert len(history.attestations.entries) <= KEPT_ENTRIES


FULL = History(
    Trail.of(
        AttestationGuard(Epoch(number), Epoch(number + 1), bytes(32))
        for number in range(KEPT_ENTRIES)
    )
)


@given(many)
def test_evidence_is_found_exactly_where_there_is_some(entries: list[Guard]) -> None:
    distinct = set(entries)
    pairs = combinations(distinct, 2)
    invalid = [
        guard
        for guard in distinct
        if isinstance(guard, AttestationGuard) and guard.source_epoch > guard.target_epoch
    ]
    found = list(find_contradictions(signed(entries)))
    assert bool(found) is (bool(invalid) or any(is_slashable(one, other) for one, other in pairs))
    for item in found:
        assert item.one in distinct
        if item.other is None:
            assert item.one in invalid
        else:
            assert item.other in distinct
            assert is_slashable(item.one, item.other)


@given(histories(), histories(), histories())
def test_merging_is_a_join(one: History, two: History, three: History) -> None:
    assert one.merged(two) == two.merged(one)
    assert one.merged(two).merged(three) == one.merged(two.merged(three))
    assert one.merged(one) == one
    assert one.merged(two).merged(two) == one.merged(two)


@given(histories(), histories(), guards)
def test_merging_permits_only_what_both_knew_to_permit(
    one: History, two: History, guard: Guard
) -> None:
    merged = judge(one.merged(two), guard)
    for side in (one, two):
        trail = side.attestations if isinstance(guard, AttestationGuard) else side.blocks
        if isinstance(merged, Safe) and trail.highest is not None:
            assert isinstance(judge(side, guard), Safe)
    if isinstance(merged, SameData):
        assert SameData() in (judge(one, guard), judge(two, guard))


@given(records(), st.sampled_from(Form), st.booleans(), st.lists(intents, max_size=8))
def test_moved_record_never_permits_more(
    kept: Records, form: Form, with_validator_keys: bool, wanted: list[Intent]
) -> None:
    data = write_interchange(
        kept.key_histories(),
        genesis_validators_root=GENESIS,
        form=form,
        with_validator_keys=with_validator_keys,
    )
    moved, _ = Records().merge(read_interchange(data, genesis_validators_root=GENESIS))
    for share in SHARES:  # as the node does with every share that it adds
        moved = moved.arm(share, VALIDATORS[0], epoch=Epoch(0), slot=Slot(0))
    for intent in wanted:
        if may_sign(moved.check(intent)):
            assert may_sign(kept.check(intent))


@given(records())
def test_record_takes_its_own_export_without_becoming_more_lenient_or_finding_proof(
    kept: Records,
) -> None:
    before = {
        (item.key, conflict)
        for item in kept.key_histories()
        for conflict in find_contradictions(item.history)
        if conflict.is_proven
    }
    data = write_interchange(kept.key_histories(), genesis_validators_root=GENESIS)
    merged, conflicts = kept.merge(read_interchange(data, genesis_validators_root=GENESIS))
    proven = {
        (conflict.key, conflict.contradiction)
        for conflict in conflicts
        if conflict.contradiction.is_proven
    }
    assert proven <= before
    for key, history in kept.histories.items():
        assert merged.histories[key] == merged.histories[key].merged(history)


@given(records(), st.lists(intents, max_size=10))
def test_protection_keeps_every_validator_safe_across_its_shares(
    start: Records, wanted: list[Intent]
) -> None:
    protection = Protection(start)
    out = [
        intent.guard
        for intent, verdict in zip(wanted, protection.check_and_record(wanted), strict=True)
        if may_sign(verdict)
    ]
    assert not any(is_slashable(one, other) for one, other in combinations(out, 2))
    one_by_one = Protection(start)
    single = [one_by_one.check_and_record([intent])[0] for intent in wanted]
    assert tuple(single) == Protection(start).check_and_record(wanted)
    assert one_by_one.records == protection.records
