"""What node and signing process say: both ways, within bounds, and without secrets in texts."""

from __future__ import annotations

import msgspec
import pytest

from operator_node.signer.rules import AttestationGuard, BlockGuard
from operator_node.signing import words
from operator_node.signing.words import (
    Arm,
    Block,
    Check,
    Checked,
    Done,
    Failed,
    Item,
    OpenKey,
    PartsSigned,
    SealedShare,
    SignMessages,
    SignShares,
    TakeShares,
    Vote,
    Withheld,
)
from sdk.errors import ConfigError, InvariantBroken, PhalanxError, StorageError
from sdk.types import Epoch, Slot

KEY, ROOT = bytes(48), bytes(range(32))
LAST = 2**64 - 1


@pytest.mark.parametrize(
    "request_",
    [
        SignShares(5, (Item(KEY, KEY, ROOT, None), Item(KEY, KEY, ROOT, Vote(1, LAST, ROOT)))),
        SignShares(5, (Item(KEY, KEY, ROOT, Block(LAST, None)),)),
        SignMessages((b"", b"a" * 100_000)),
        TakeShares(((KEY, SealedShare(KEY, bytes(256))),)),
        Check(KEY, KEY, Vote(0, 0, None)),
        Arm(KEY),
    ],
)
def test_requests_come_back_as_they_were(request_: words.Request) -> None:
    assert words.decode_request(words.encode(request_)) == request_


@pytest.mark.parametrize(
    "answer", [Done(), Checked(True, False), PartsSigned((bytes(96), Withheld("fenced", "why")))]
)
def test_answers_come_back_as_they_were(answer: words.Answer) -> None:
    assert words.decode_answer(words.encode(answer)) == answer


@pytest.mark.parametrize(
    "guard",
    [
        AttestationGuard(Epoch(3), Epoch(4), ROOT),
        AttestationGuard(Epoch(3), Epoch(LAST)),
        BlockGuard(Slot(5), ROOT),
        BlockGuard(Slot(0)),
    ],
)
def test_guards_come_back_as_they_were(guard: AttestationGuard | BlockGuard) -> None:
    assert words.to_guard(words.from_guard(guard)) == guard


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        words.encode(Done()),
        words.encode(SignShares(-1, ())),
        words.encode(SignShares(1, (Item(KEY[1:], KEY, ROOT, None),))),
        words.encode(SignMessages((b"",) * (words.MESSAGES_MOST + 1))),
        msgspec.msgpack.encode({"type": "Arm"}),
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(InvariantBroken, match="no request"):
        words.decode_request(data)


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="no answer"):
        words.decode_answer(words.encode(Arm(KEY)))


@pytest.mark.parametrize(
    "error",
    [
        StorageError("the disk is full", code="record_unusable", hint="Make room."),
        ConfigError("of another", code="record_of_another"),
    ],
)
def test_errors_arrive_as_what_they_were(error: PhalanxError) -> None:
    told = words.decode_answer(words.encode(words.failed(error)))
    assert isinstance(told, Failed)
    again = told.error()
    assert type(again) is type(error)
    assert (again.code, again.message, again.hint) == (error.code, error.message, error.hint)


def test_an_error_that_is_none_of_ours_means_do_not_sign() -> None:
    assert isinstance(Failed("SystemExit", "x", "y", "").error(), InvariantBroken)
    assert isinstance(Failed("Mapping", "x", "y", "").error(), InvariantBroken)


def test_texts_show_no_secret() -> None:
    assert "secret" not in repr(OpenKey(None, None, b"secret"))
    assert repr(SealedShare(KEY, b"cipher")) == f"SealedShare(0x{KEY.hex()})"
