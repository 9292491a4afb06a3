"""The reference network's scanner as npm has it: installed as locked, pointed at a registry, run.

Nothing of it is changed but the address and first block in a copy of its data file. Installs go to
`.build/scanner`, run no scripts, and are made again only when the lock changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROJECT = ("package.json", "package-lock.json", ".npmrc")
INSTALLED = HERE.parents[1] / ".build" / "scanner"
NETWORK = "hoodi"
DATA_FILE = "prod.v4.hoodi.abi.json"
INSTALL_SECONDS, RUN_SECONDS = 300, 120
# What npm says when no registry answered; anything else is a fault to look at.
UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT"
    r"|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|\bE50[234]\b"
)


@dataclass(frozen=True)
class Scanner:
    """A copy of the scanner that knows one registry.

    Attributes:
        folder: of the copy.
        node_url: execution node that it asks.
        tools: environment with our node first on its PATH.
    """

    folder: Path
    node_url: str
    tools: dict[str, str]

    def nonce(self, owner: str) -> int:
        """What `nonce` prints."""
        printed = self._run("nonce", owner, wanted="Next Nonce: ")
        return int(printed.rsplit("Next Nonce: ", 1)[1])

    def cluster(self, owner: str, operator_ids: tuple[int, ...]) -> tuple[Any, ...]:
        """The struct that `cluster` prints as JSON, in the ABI's order; all numbers as int."""
        ids = ",".join(map(str, operator_ids))
        printed = self._run("cluster", owner, "-oids", ids, wanted="Cluster snapshot:")
        struct = json.loads(printed[printed.index("\n{") :])["cluster"]
        return tuple(each if isinstance(each, bool) else int(each) for each in struct)

    def operators(self, owner: str) -> dict[int, str]:
        """Public keys by operator id, from the file that `operator` writes."""
        self._run("operator", owner, "-o", str(self.folder), wanted="has been saved")
        listed = json.loads((self.folder / f"operator-pubkeys-{NETWORK}.json").read_text())
        return {entry["id"]: entry["pubkey"] for entry in listed}

    def _run(self, command: str, owner: str, *more: str, wanted: str) -> str:
        ran = subprocess.run(
            [
                *("node", "dist/tsc/src/cli.js", command, "-n", self.node_url),
                *("-nw", NETWORK, "-oa", owner, *more),
            ],
            cwd=self.folder,
            env=self.tools | {"NODE_PATH": str(INSTALLED / "node_modules")},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        # It tells its failures on stderr and ends with 0 all the same.
        assert ran.returncode == 0, ran.stderr
        assert wanted in ran.stdout, ran.stderr
        return ran.stdout


def pointed_at(
    registry: str, *, start_block: int, node_url: str, tools: dict[str, str], folder: Path
) -> Scanner:
    """A copy in `folder` whose data file names this registry."""
    package = INSTALLED / "node_modules" / "ssv-scanner"
    copy = folder / "ssv-scanner"
    shutil.copytree(package, copy)
    data = copy / "dist/tsc/src/shared/abi" / DATA_FILE
    settings = json.loads(data.read_text())
    settings |= {"contractAddress": registry, "genesisBlock": start_block}
    data.write_text(json.dumps(settings))
    return Scanner(copy, node_url, tools)


def install(tools: dict[str, str]) -> None:
    """Makes `.build/scanner` what the lock says; the test counts as not run if npm is away."""
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PROJECT)).hexdigest()
    stamp = INSTALLED / "stamp"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with _alone(INSTALLED / "lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        for name in PROJECT:
            shutil.copy(HERE / name, INSTALLED / name)
        ran = _npm("ci", "--prefer-offline", "--fetch-retries=1", tools=tools)
        if ran.returncode:
            # `npm ci` breaks off without a reason where no registry answers; a question has one.
            asked = _npm("view", "ssv-scanner", "version", "--fetch-retries=0", tools=tools)
            if asked.returncode and (reason := UNREACHABLE.search(asked.stderr)):
                pytest.skip(f"npm cannot be reached ({reason.group()}), so ssv-scanner is not here")
        assert ran.returncode == 0, ran.stderr
        stamp.write_text(wanted)


def _npm(*words: str, tools: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", *words, "--no-progress"],
        cwd=INSTALLED,
        env=tools,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Inside, no other process of the tests is."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
