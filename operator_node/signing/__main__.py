"""The signing process itself: `python -m operator_node.signing 5 6 7`, the numbers of its lines.

Started by the node and by nobody else. It has no address, reads no settings and no environment of
its own, and ends when its node is gone: at once where the system says so (Linux), else when the
first line is lost, after what was begun is on the disk.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

import ctypes
import logging
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from threading import Thread
from typing import Final

from operator_node.signing import words
from operator_node.signing.answering import Vault
from operator_node.signing.channel import Line, LineLost
from sdk.errors import InvariantBroken

SWITCH_SECONDS: Final = 0.0005
"""As the node does it: a proposal's signature does not wait for a committee's five hundred."""
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def main(arguments: Sequence[str]) -> int:
    """Answers on every line until the first is lost; returns the exit code."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    _harden()
    sys.setswitchinterval(SWITCH_SECONDS)
    lines = [Line(socket.socket(fileno=int(each))) for each in arguments]
    vault = Vault()
    threads = [Thread(target=serve, args=(line, vault), daemon=True) for line in lines]
    for thread in threads:
        thread.start()
    # All lines are one node's: with the first of them the node is gone. What was begun on the
    # others is recorded before it is signed, and nobody is left to hear of it.
    threads[0].join()
    vault.close()
    return 0


def serve(line: Line, vault: Vault) -> None:
    """Answers one line's requests, one after the other, until the line is lost."""
    try:
        while True:
            number, body = line.next()
            try:
                request = words.decode_request(body)
            except InvariantBroken as problem:
                line.answer(number, words.encode(words.failed(problem)))
                continue
            line.answer(number, words.encode(vault.answer(request)))
    except LineLost:
        line.close()


def _harden() -> None:
    """Memory of this process ends up in no file, and others of the same user cannot read it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The node decides when to end, after its last duties; it may be told so with the whole group.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
