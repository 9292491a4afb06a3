"""The screen of the local network: plain lines, or a terminal with one line that is rewritten."""

from __future__ import annotations

import io

import pytest

from deploy.devnet.screen import Screen, own_screen, without_long_hex


def test_without_a_terminal_there_are_plain_lines_only() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.status("slot 1")
    screen.line("==> begun")
    screen.outcome("   1  ", "done   ", "  12")
    screen.close()
    assert out.getvalue() == "==> begun\n   1  done     12\n"


def test_terminal_has_one_line_that_is_rewritten() -> None:
    out = io.StringIO()
    screen = Screen(out, is_terminal=True, width=10)
    screen.status("slot 1 of 20")
    screen.line("==> begun")
    screen.close()
    assert out.getvalue() == (
        "\r\033[Kslot 1 of"  # a column less than there is: a full line would begin the next one
        "\r\033[K==> begun\nslot 1 of"
        "\r\033[K"
    )


def test_colour_marks_the_outcome_and_nothing_else() -> None:
    out = io.StringIO()
    Screen(out, is_coloured=True).outcome("   1  ", "missed ", "  no_quorum")
    assert out.getvalue() == "   1  \033[31mmissed \033[0m  no_quorum\n"


@pytest.mark.parametrize(
    ("is_terminal", "environment", "wanted"),
    [
        (True, {}, "\r\033[Ka \033[32mdone\033[0m b\n"),
        (True, {"NO_COLOR": "1"}, "\r\033[Ka done b\n"),
        (True, {"NO_COLOR": ""}, "\r\033[Ka \033[32mdone\033[0m b\n"),
        (True, {"TERM": "dumb"}, "a done b\n"),
        (False, {}, "a done b\n"),
    ],
)
def test_own_screen_follows_the_terminal_and_no_color(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, environment: dict[str, str], wanted: str
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: is_terminal)
    monkeypatch.setattr("sys.stdout", out)
    own_screen(environment).outcome("a ", "done", " b")
    assert out.getvalue() == wanted


def test_hashes_and_keys_are_cut_and_addresses_are_not() -> None:
    root, key, address = "0x" + "ab" * 32, "cd" * 48, "0x" + "ef" * 20
    told = without_long_hex(f"root {root}, key {key}, address {address}")
    assert told == f"root 0xabababab…, key cdcdcdcd…, address {address}"
    out = io.StringIO()
    Screen(out).line(root)
    assert out.getvalue() == "0xabababab…\n"
