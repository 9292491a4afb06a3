"""What `phalanx node run` does before it reads a key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from sdk.errors import ConfigError

PROGRAM: Final = """
import resource, sys
from operator_node.cli.run import run
from sdk.errors import PhalanxError

_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
try:
    run.main(["--config", sys.argv[1]], standalone_mode=False)
except PhalanxError as problem:
    print(type(problem).__name__, *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_crash_leaves_no_memory_behind(tmp_path: Path) -> None:
    config = tmp_path / "node.yaml"
    config.write_text("ssv: {Network: nowhere}\n")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, config], capture_output=True, text=True, timeout=240
    )
    assert ended.stdout.split() == [ConfigError.__name__, "0", "0"], ended.stderr
