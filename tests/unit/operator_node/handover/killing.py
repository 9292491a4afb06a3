"""Run by itself: exports and imports that are killed at every other change they make.

Each runs in a process of its own that ends without a word, as by kill -9. Afterwards both machines
are looked at: what may start and sign, and whether giving the same command again completes it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from types import FrameType

from operator_node.cli import handover as command
from sdk.crypto.password_box import Scrypt
from tests.unit.operator_node.handover.places import Machine

WRITING = frozenset(
    {"open", "write", "fsync", "replace", "unlink", "link", "execute", "executemany", "pwrite"}
    | {"mkdir", "connect", "ftruncate", "close", "rename"}
)
"""What C functions change files by."""
KILLED = 9


def killed_at(step: int, what: Callable[[], object]) -> bool:
    """Does it in another process, killed right before such a call; whether it was killed."""
    child = os.fork()
    if child == 0:
        left = step

        def count(frame: FrameType, event: str, called: object) -> None:
            nonlocal left
            if event == "c_call" and getattr(called, "__name__", "") in WRITING:
                left -= 1
                if left <= 0:
                    os._exit(KILLED)

        sys.setprofile(count)
        what()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, KILLED):
        raise SystemExit(f"step {step}: exit code {code}")
    return code == KILLED


def at_every_step(
    what: Callable[[], object], reset: Callable[[], None], check: Callable[[], None]
) -> int:
    """Kills it at one step after the other until it gets through; how often."""
    kills, step = 0, 1
    while True:
        reset()
        was_killed = killed_at(step, what)
        check()
        if not was_killed:
            return kills
        kills, step = kills + 1, step + 2


def main(folder: Path) -> None:
    command.Scrypt = lambda: Scrypt(n=2)  # type: ignore[misc,assignment,attr-defined]
    old, new, file = Machine(folder / "old"), Machine(folder / "new"), folder / "handover.json"
    old.sign()
    copytree(folder, folder.with_name("pristine"))

    def reset() -> None:
        for each in (old.folder, new.folder):
            rmtree(each)
            copytree(folder.with_name("pristine") / each.name, each)
        file.unlink(missing_ok=True)

    def after_export() -> None:
        if file.exists() and old.may_sign():
            raise SystemExit("a file is out, and the old instance still signs")
        if not file.exists():
            old.export(file, "--again") if not old.may_sign() else old.export(file)
        new.take(file)
        if old.may_sign() or not new.may_sign():
            raise SystemExit("the handover was not completed")

    exports = at_every_step(lambda: old.export(file), reset, after_export)

    def exported() -> None:
        reset()
        old.export(file)

    def after_import() -> None:
        if old.may_sign():
            raise SystemExit("the old instance signs again")
        new.take(file)
        if not new.may_sign():
            raise SystemExit("the import was not completed")

    imports = at_every_step(lambda: new.take(file), exported, after_import)
    sys.stdout.write(f"{exports} {imports}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
