"""Letters between commands and the node: answered once, and never after nobody waits any more."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from operator_node.clock import wall_ms
from operator_node.letterbox import FOLDER, Letterbox, Words, ask
from sdk.errors import StorageError, UsageError


class Node:
    """Looks for letters in a thread, as often as the test wants an answer."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[Words] = []
        self.letters = Letterbox(folder, {"greet": self._greet})
        self.is_wanted = True

    def _greet(self, words: Words) -> Words:
        self.asked.append(words)
        if not words:
            raise UsageError("nobody to greet")
        return {"said": f"hello {words['name']}"}

    def answer(self) -> None:
        while self.is_wanted:
            self.letters.look()


def asked(folder: Path, words: Words) -> Words:
    node = Node(folder)
    thread = Thread(target=node.answer)
    thread.start()
    try:
        return ask(folder, "greet", words)
    finally:
        node.is_wanted = False
        thread.join()
        assert node.asked == [words]


def test_a_running_node_answers_and_nothing_is_left(tmp_path: Path) -> None:
    assert asked(tmp_path, {"name": "world"}) == {"said": "hello world"}
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_refusal_is_told_with_the_nodes_words(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the node says: nobody to greet"):
        asked(tmp_path, {})


def test_a_letter_that_nobody_answers_is_taken_back(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as failure:
        ask(tmp_path, "greet", {}, patience_s=0.01)
    assert failure.value.code == "node_silent"
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_an_interrupted_command_takes_its_letter_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        assert (tmp_path / FOLDER / "greet.letter").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, "greet", {"name": "world"})
    assert list((tmp_path / FOLDER).iterdir()) == []


@pytest.mark.parametrize("late_ms", [1, 3 * 86_400_000, -10 * 86_400_000])
def test_the_letter_of_a_command_that_was_killed_is_not_acted_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, late_ms: int
) -> None:
    node = Node(tmp_path)
    path = tmp_path / FOLDER / "greet.letter"
    path.parent.mkdir()
    letter = {"id": "1", "words": {"name": "you"}, "until_ms": wall_ms() - late_ms}
    path.write_bytes(msgspec.json.encode(letter))
    node.letters.look()
    assert node.asked == []
    assert not path.exists()
    assert "too old" in caplog.text
