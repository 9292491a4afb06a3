"""Runs the commands of deploy/contracts.py one after the other in one process, for tests.

Started in .venv-contracts, where Ape takes seconds to import: a process for each command would
cost more than the commands. One JSON object per line, `words` and `environment` in; `code`,
`stdout` and `stderr` out. Real processes are tested, too, just not for everything.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from deploy.contracts import main


def serve() -> None:
    """Answers until the input ends."""
    answers = sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.update(asked["environment"])
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = main(asked["words"])
        answer = {"code": code, "stdout": out.getvalue(), "stderr": err.getvalue()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
