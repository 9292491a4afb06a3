"""A throwaway Ethereum chain on this machine: anvil, for as long as a block lasts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

from sdk.errors import ConfigError, InvariantBroken

_SETPRIV = shutil.which("setpriv")
# Where it is there (Linux), the kernel ends anvil when this process is killed.
_DIE_WITH_US = [_SETPRIV, "--pdeathsig", "KILL"] if _SETPRIV else []
_HINT = "Run `make setup`, and start this through deploy/toolchain/run."


@contextmanager
def running_anvil(*options: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address, `http://127.0.0.1:port`, of a fresh anvil that ends with the block.

    It listens on loopback alone, on a port that the system chooses.

    Args:
        options: of anvil, such as `--hardfork osaka`, one string each.
        env: variables of the process; those of this process if None.

    Raises:
        ConfigError: anvil is not on the PATH, or it ended before it listened.
    """
    if shutil.which("anvil", path=(os.environ if env is None else env).get("PATH")) is None:
        raise ConfigError("anvil is not on the PATH", hint=_HINT)
    anvil = subprocess.Popen(  # noqa: S603 - no shell, and options of the caller's program
        [*_DIE_WITH_US, "anvil", "--host", "127.0.0.1", "--port", "0", *options],
        env={**(os.environ if env is None else env), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if anvil.stdout is None:
        raise InvariantBroken("anvil was started without a pipe to read from")
    reader = Thread(target=deque, args=(anvil.stdout, 0), daemon=True)  # reads and keeps nothing
    try:
        address = next((line for line in anvil.stdout if line.startswith("Listening on")), None)
        if address is None:
            raise ConfigError(f"anvil ended with {anvil.wait()} before it listened", hint=_HINT)
        # It writes a line per call, and stops when nobody takes them.
        reader.start()
        yield f"http://{address.split()[-1]}"
    finally:
        anvil.kill()
        anvil.wait()
        if reader.is_alive():
            reader.join()
        anvil.stdout.close()
