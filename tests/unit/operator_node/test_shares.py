"""Signing: what is withheld and why, and that nothing leaves before it is recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.shares import ShareSigner
from operator_node.signer.record import Intent
from operator_node.signer.rules import Guard, Verdict
from operator_node.signer.rules import Reason as Refusal
from operator_node.signer.store import SlashingStore
from operator_node.wire.ids import DomainType
from operator_node.wire.records import Share
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.errors import InvariantBroken, StorageError
from sdk.types import Address, PublicKey, Slot
from tests.unit.operator_node.signer.disk import open_store
from tests.unit.operator_node.signer.guards import OTHER_VALIDATOR, VALIDATOR, block, root, vote

SECRET, OTHER_SECRET = SecretKey(987_654_321_123_456_789), SecretKey(12)


class Clock:
    def __init__(self, slot: int = 10 * 32) -> None:
        self.now = slot

    def slot(self) -> int:
        return self.now

    def epoch(self) -> int:
        return self.now // 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlashingStore]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def signer(store: SlashingStore, clock: Clock) -> ShareSigner:
    """Shares of two validators, armed in epoch 10; it is epoch 12."""
    made = ShareSigner(record=store, clock=clock)
    made.keep_share(VALIDATOR, SECRET)
    made.keep_share(OTHER_VALIDATOR, OTHER_SECRET)
    clock.now = 12 * 32
    return made


def share(secret: SecretKey = SECRET, validator: PublicKey = VALIDATOR) -> Share:
    return Share(
        validator_index=1,
        validator_key=validator,
        share_key=bls.public_key(secret),
        committee=(),
        domain=DomainType(bytes(4)),
        fee_recipient=Address(bytes(20)),
        graffiti=bytes(32),
    )


def item(guard: Guard | None, number: int = 1, of: Share | None = None) -> SignItem:
    return SignItem(of or share(), root(number), guard)


OTHER = share(OTHER_SECRET, OTHER_VALIDATOR)


def why(results: Sequence[Signed | Withheld]) -> list[Reason | None]:
    return [result.reason if isinstance(result, Withheld) else None for result in results]


def sign(signer: ShareSigner, *items: SignItem, slot: int = 12 * 32) -> list[Reason | None]:
    return why(signer.sign(items, slot=Slot(slot)))


def test_signatures_are_the_shares_own(signer: ShareSigner) -> None:
    items = (item(vote(11, 12)), item(None, 2), item(vote(11, 12), 1, OTHER))
    results = signer.sign(items, slot=Slot(12 * 32))
    for wanted, result in zip(items, results, strict=True):
        assert isinstance(result, Signed)
        assert result.item is wanted
        assert bls.verify(wanted.share.share_key, wanted.root, result.signature)


def test_guarded_item_is_signed_once_and_the_same_again(signer: ShareSigner) -> None:
    assert sign(signer, item(vote(11, 12, 1))) == [None]
    assert sign(signer, item(vote(11, 12, 1))) == [None]
    (refused,) = signer.sign((item(vote(11, 12, 2), 2),), slot=Slot(12 * 32))
    assert refused == Withheld(
        item(vote(11, 12, 2), 2), Reason.SLASHING_REFUSED, Refusal.DOUBLE_VOTE
    )


def test_refused_item_leaves_the_others_alone(signer: ShareSigner) -> None:
    items = [item(vote(11, 12, 1)), item(vote(11, 12, 2)), item(None), item(vote(11, 12), 1, OTHER)]
    assert sign(signer, *items) == [None, Reason.SLASHING_REFUSED, None, None]


@pytest.mark.parametrize(
    ("guard", "slot", "refusal"),
    [
        (vote(12, 13), 12 * 32, Refusal.TARGET_AHEAD),
        (vote(12, 12), 12 * 32, Refusal.SOURCE_NOT_BELOW_TARGET),
        (vote(11, 12), 12 * 32 + 2, Refusal.SLOT_AHEAD),
        (block(12 * 32 + 2), 12 * 32 + 2, Refusal.SLOT_AHEAD),
        (block(12 * 32 - 1), 12 * 32, Refusal.SLOT_NOT_OF_DUTY),
    ],
)
def test_what_is_not_of_the_present_is_withheld_and_not_recorded(
    signer: ShareSigner, store: SlashingStore, guard: Guard, slot: int, refusal: Refusal
) -> None:
    (result,) = signer.sign((item(guard),), slot=Slot(slot))
    assert isinstance(result, Withheld)
    assert (result.reason, result.detail) == (Reason.SLASHING_REFUSED, refusal)
    assert not list(store._database.execute("SELECT * FROM entries"))


def test_share_that_is_not_there_is_withheld(signer: ShareSigner) -> None:
    stranger = share(SecretKey(13))
    crossed = share(SECRET, OTHER_VALIDATOR)
    assert sign(signer, item(None, 1, stranger), item(vote(11, 12), 1, crossed)) == [
        Reason.SHARE_MISSING,
        Reason.SHARE_MISSING,
    ]


def test_dropped_share_signs_nothing_and_keeps_its_record(signer: ShareSigner) -> None:
    assert sign(signer, item(vote(11, 12, 1))) == [None]
    share_key = signer.share_keys()[VALIDATOR]
    signer.drop_share(VALIDATOR, share_key)
    signer.drop_share(VALIDATOR, share_key)
    assert sign(signer, item(None)) == [Reason.SHARE_MISSING]
    signer.keep_share(VALIDATOR, SECRET)
    assert sign(signer, item(vote(11, 12, 2)), item(None)) == [Reason.SLASHING_REFUSED, None]


def test_a_share_that_took_anothers_place_is_not_dropped_with_it(signer: ShareSigner) -> None:
    former = signer.share_keys()[VALIDATOR]
    later = signer.keep_share(VALIDATOR, SecretKey(13))
    signer.drop_share(VALIDATOR, former)
    assert signer.share_keys()[VALIDATOR] == later != former


def test_new_share_of_a_validator_replaces_the_old_one(signer: ShareSigner) -> None:
    signer.keep_share(VALIDATOR, SecretKey(13))
    assert signer.share_keys()[VALIDATOR] == bls.public_key(SecretKey(13))
    assert sign(signer, item(None), item(None, 1, share(SecretKey(13)))) == [
        Reason.SHARE_MISSING,
        None,
    ]


def test_nothing_is_signed_for_a_held_validator_and_the_rest_goes_on(signer: ShareSigner) -> None:
    signer.hold(VALIDATOR)
    items = [item(vote(11, 12)), item(None), item(vote(11, 12), 1, OTHER), item(None, 1, OTHER)]
    held = Reason.DOPPELGANGER_HOLD
    assert sign(signer, *items) == [held, held, None, None]
    signer.release(VALIDATOR)
    assert sign(signer, item(vote(11, 12)), item(None)) == [None, None]


def test_fenced_signer_signs_nothing_at_all(signer: ShareSigner) -> None:
    signer.fence("twin seen")
    results = signer.sign((item(vote(11, 12)), item(None)), slot=Slot(12 * 32))
    assert [(each.reason, each.detail) for each in results if isinstance(each, Withheld)] == [
        (Reason.FENCED, "twin seen")
    ] * 2
    signer.unfence()
    assert sign(signer, item(vote(11, 12)), item(None)) == [None, None]


def test_share_is_armed_when_the_record_has_not_heard_of_it(signer: ShareSigner) -> None:
    assert sign(signer, item(vote(9, 10)), item(vote(8, 11)), item(vote(9, 11))) == [
        Reason.SLASHING_REFUSED,
        Reason.SLASHING_REFUSED,
        None,
    ]


def test_known_share_is_not_armed_again_by_a_restart(
    signer: ShareSigner, store: SlashingStore, clock: Clock
) -> None:
    again = ShareSigner(record=store, clock=clock)
    again.keep_share(VALIDATOR, SECRET)
    assert sign(again, item(vote(9, 11))) == [None]


def test_share_that_was_reactivated_is_armed_at_the_present(signer: ShareSigner) -> None:
    signer.arm(VALIDATOR)
    signer.arm(PublicKey(bytes(48)))  # of nobody here
    assert sign(signer, item(vote(11, 12)), item(vote(11, 12), 1, OTHER)) == [
        Reason.SLASHING_REFUSED,
        None,
    ]


def test_share_is_armed_before_genesis(store: SlashingStore) -> None:
    clock = Clock(-100)
    signer = ShareSigner(record=store, clock=clock)
    signer.keep_share(VALIDATOR, SECRET)
    clock.now = 33
    assert sign(signer, item(vote(0, 1)), slot=33) == [None]


def test_asking_whether_something_is_slashable_records_nothing(signer: ShareSigner) -> None:
    assert not signer.is_slashable(share(), vote(11, 12, 1))
    assert not signer.is_slashable(share(), vote(11, 12, 2))
    assert sign(signer, item(vote(11, 12, 1))) == [None]
    assert signer.is_slashable(share(), vote(11, 12, 2))
    assert not signer.is_slashable(share(), vote(11, 12, 1))


def test_record_that_fails_withholds_what_is_guarded(
    signer: ShareSigner, store: SlashingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        raise StorageError("no", code="record_unusable")

    monkeypatch.setattr(store, "check_and_record", fail)
    results = signer.sign((item(vote(11, 12)), item(None)), slot=Slot(12 * 32))
    assert why(results) == [Reason.SIGNER_DOWN, None]


def test_record_that_contradicts_itself_lets_nothing_out(
    signer: ShareSigner, store: SlashingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        raise InvariantBroken("no")

    monkeypatch.setattr(store, "check_and_record", fail)
    with pytest.raises(InvariantBroken):
        signer.sign((item(vote(11, 12)), item(None)), slot=Slot(12 * 32))


def test_fence_stops_what_is_recorded_but_not_yet_signed(
    signer: ShareSigner, store: SlashingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store.check_and_record

    def fenced_meanwhile(intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        verdicts = record(intents)
        signer.fence("twin seen")
        return verdicts

    monkeypatch.setattr(store, "check_and_record", fenced_meanwhile)
    assert sign(signer, item(vote(11, 12)), item(None)) == [Reason.FENCED] * 2


def test_share_that_is_dropped_meanwhile_signs_nothing(
    signer: ShareSigner, store: SlashingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store.check_and_record

    def dropped_meanwhile(intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        signer.drop_share(VALIDATOR, signer.share_keys()[VALIDATOR])
        return record(intents)

    monkeypatch.setattr(store, "check_and_record", dropped_meanwhile)
    assert sign(signer, item(vote(11, 12))) == [Reason.SHARE_MISSING]


def test_several_threads_sign_one_thing_once(signer: ShareSigner) -> None:
    signed: list[int] = []

    def try_to(number: int) -> None:
        if sign(signer, item(vote(11, 12, number), number)) == [None]:
            signed.append(number)

    threads = [threading.Thread(target=try_to, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 1


def test_signer_shows_no_secret(signer: ShareSigner) -> None:
    assert repr(signer) == "ShareSigner(2 shares)"
    assert str(SECRET.reveal()) not in repr(vars(signer))
    assert "<redacted>" in repr(vars(signer))
