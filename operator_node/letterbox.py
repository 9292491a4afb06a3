"""What commands on the node's own machine ask of it: letters in a folder of its data folder.

A letter is a small file, and so is its answer. Whoever can write there has the node's keys and
stores anyway; nothing listens for it. The node looks once a second, in a thread.

Source: docs/run-a-node.md, "The files in the data folder".
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
import trio

from operator_node.clock import wall_ms
from sdk.errors import InputError, PhalanxError, StorageError
from sdk.files import make_private_folder, read_bounded, write_private

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

FOLDER: Final = "letters"
LOOK_S: Final = 1.0
PATIENCE_S: Final = 120.0
"""A copy of a record of thousands of validators takes some seconds; a busy machine longer."""
LETTER_BYTES: Final = 8_192
_POLL_S: Final = 0.2
_ID_BYTES: Final = 16

Words: TypeAlias = dict[str, str]
Answering: TypeAlias = Callable[[Words], Words]

_log = logging.getLogger(__name__)


class _Letter(msgspec.Struct, frozen=True):
    """A question, until when (by the machine's clock) somebody waits for its answer."""

    id: str
    words: Words
    until_ms: int


class _Answer(msgspec.Struct, frozen=True):
    id: str
    words: Words
    problem: str = ""


class Letterbox:
    """The node's side."""

    def __init__(self, data_folder: Path, answering: Mapping[str, Answering]) -> None:
        """Has looked at nothing.

        Args:
            data_folder: of the node.
            answering: what answers letters of a name, in a thread; raises errors of ours.
        """
        self._folder = data_folder / FOLDER
        self._answering = dict(answering)

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Looks until cancelled."""
        task_status.started()
        while True:
            try:
                await trio.to_thread.run_sync(self.look)
            except Exception:
                _log.exception("looking for letters failed")
            await trio.sleep(LOOK_S)

    def look(self) -> None:
        """Answers every letter that is there."""
        for name, answering in self._answering.items():
            path = self._folder / f"{name}.letter"
            if not path.exists():
                continue
            try:
                data = read_bounded(path, limit_bytes=LETTER_BYTES)
                letter = msgspec.json.decode(data, type=_Letter)
            except (InputError, msgspec.DecodeError) as problem:
                path.unlink(missing_ok=True)
                _log.warning("a letter for %s cannot be read: %s", name, problem)
                continue
            path.unlink(missing_ok=True)
            if not 0 <= letter.until_ms - wall_ms() <= PATIENCE_S * 1000:
                # Of a command that was killed, perhaps days ago: nobody wants that done now.
                _log.warning("a letter for %s is too old: nothing is done", name)
                continue
            _log.info("asked on this machine: %s", name)
            try:
                answer = _Answer(letter.id, answering(letter.words))
            except PhalanxError as problem:
                answer = _Answer(letter.id, {}, str(problem))
            write_private(
                self._folder / f"{name}.answer", msgspec.json.encode(answer), overwrite=True
            )


def ask(data_folder: Path, name: str, words: Words, *, patience_s: float = PATIENCE_S) -> Words:
    """The command's side: what the running node answers.

    Raises:
        StorageError: `node_silent`, no answer in time; `node_refused`, with the node's words.
    """
    folder = data_folder / FOLDER
    make_private_folder(folder)
    letter = _Letter(secrets.token_hex(_ID_BYTES), words, wall_ms() + int(patience_s * 1000))
    path, answer_path = folder / f"{name}.letter", folder / f"{name}.answer"
    try:
        write_private(path, msgspec.json.encode(letter), overwrite=True)
        answer = _wait_for_answer(answer_path, letter.id, patience_s)
    finally:
        # However this ends, also by Ctrl-C: what nobody waits for must not be done later.
        path.unlink(missing_ok=True)
    if answer.problem:
        raise StorageError(f"the node says: {answer.problem}", code="node_refused")
    return answer.words


def _wait_for_answer(path: Path, letter_id: str, patience_s: float) -> _Answer:
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        answer = _read_answer(path)
        if answer is not None and answer.id == letter_id:
            path.unlink(missing_ok=True)
            return answer
        time.sleep(_POLL_S)
    raise StorageError(
        f"the node did not answer within {patience_s:g} s",
        code="node_silent",
        hint="Check that a node runs with this data folder, and has found a beacon node.",
    )


def _read_answer(path: Path) -> _Answer | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(read_bounded(path, limit_bytes=LETTER_BYTES), type=_Answer)
    except (InputError, msgspec.DecodeError):
        return None
