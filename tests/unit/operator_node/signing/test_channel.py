"""One line: whole frames, late answers skipped, a lost end noticed."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from operator_node.signing.channel import FRAME_MOST, SKIPPED_MOST, Line, LineLost, LineSlow
from sdk.errors import InvariantBroken

SOON_S = 0.01


@pytest.fixture
def ends() -> Iterator[tuple[Line, Line]]:
    one, other = (Line(end) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_an_answer_that_came_too_late_is_skipped(ends: tuple[Line, Line]) -> None:
    asks, answers = ends
    with pytest.raises(LineSlow):
        asks.ask(b"first", timeout_s=SOON_S)
    number, body = answers.next()
    assert body == b"first"
    answers.answer(number, b"late")
    answers.answer(number + 1, b"second")
    assert asks.ask(b"second", timeout_s=1) == b"second"


def test_a_frame_that_comes_in_pieces_is_whole_in_the_end() -> None:
    one, raw = socket.socketpair()
    line = Line(one)
    with raw:
        frame = struct.pack(">IQ", 5, 1) + b"hello"
        raw.sendall(frame[:14])
        with pytest.raises(LineSlow):
            line.ask(b"a", timeout_s=SOON_S)
        raw.sendall(frame[14:] + struct.pack(">IQ", 1, 2) + b"b")
        assert line.ask(b"b", timeout_s=1) == b"b"
    with pytest.raises(LineLost):
        line.ask(b"c", timeout_s=1)
    line.close()


def test_a_line_whose_answers_never_fit_is_lost(ends: tuple[Line, Line]) -> None:
    asks, answers = ends
    for _ in range(SKIPPED_MOST):
        answers.answer(0, b"x")
    with pytest.raises(LineLost, match="late"):
        asks.ask(b"a", timeout_s=1)


def test_frames_have_a_bound_at_both_ends(ends: tuple[Line, Line]) -> None:
    with pytest.raises(InvariantBroken):
        ends[0].ask(bytes(FRAME_MOST + 1), timeout_s=1)
    one, raw = socket.socketpair()
    line = Line(one)
    with raw:
        raw.sendall(struct.pack(">IQ", FRAME_MOST + 1, 1))
        with pytest.raises(LineLost, match="frame"):
            line.next()
    line.close()


def test_losing_a_line_is_heard_at_the_other_end(ends: tuple[Line, Line]) -> None:
    asks, answers = ends
    asks.lose()
    with pytest.raises(LineLost):
        answers.next()
    with pytest.raises(LineLost):
        asks.ask(b"a", timeout_s=1)
