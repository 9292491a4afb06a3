"""A real anvil and the real command, for the deployment tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3

ROOT = Path(__file__).parents[2]
RUN = ROOT / "deploy/toolchain/run"
PYTHON = ROOT / ".venv-contracts/bin/python"
# Anvil's first two accounts; deploy/parameters/local.toml makes the second the proposer.
DEPLOYER = Web3.to_checksum_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
PROPOSER = Web3.to_checksum_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")


@contextmanager
def anvil(*options: str) -> Iterator[Web3]:
    """A client of a fresh anvil on a loopback port of the system's choice."""
    process = subprocess.Popen(
        [RUN, "anvil", "--host", "127.0.0.1", "--port", "0", "--hardfork", "prague", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("Listening on"))
        yield Web3(HTTPProvider(f"http://{line.split()[-1]}"))
    finally:
        process.kill()
        process.communicate()


def rpc(w3: Web3, method: str, *parameters: Any) -> Any:
    """Result of a request that web3 has no name for."""
    answer: Any = w3.provider.make_request(method, list(parameters))  # type: ignore[arg-type]
    assert "error" not in answer, answer
    return answer["result"]


def url(w3: Web3) -> str:
    """Where the client's anvil listens."""
    assert isinstance(w3.provider, HTTPProvider)
    return str(w3.provider.endpoint_uri)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to; `result` is empty after a failure, `error` after a success."""

    code: int
    result: dict[str, Any]
    error: dict[str, Any]
    steps: list[str]


class Driver:
    """Commands in one process of the contracts environment; see driver.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, words: list[str], environment: dict[str, str]) -> Answer:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps({"words": words, "environment": environment}) + "\n")
        asked.flush()
        answer = json.loads(answers.readline())
        return understood(answer["code"], answer["stdout"], answer["stderr"])


@contextmanager
def driver() -> Iterator[Driver]:
    """A driver; it imports Ape when the first command needs it."""
    process = subprocess.Popen(
        [RUN, PYTHON, "-m", "tests.deploy.driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Driver(process)
    finally:
        process.kill()
        process.communicate()


def understood(code: int, stdout: str, stderr: str) -> Answer:
    """What a command said with `--json`."""
    spoken = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    errors = [entry for entry in spoken if entry["event"] == "error"]
    if code:
        assert errors, stderr
        assert not stdout
    return Answer(
        code=code,
        result=json.loads(stdout) if stdout else {},
        error=errors[-1] if errors else {},
        steps=[entry["text"] for entry in spoken if entry["event"] != "error"],
    )


@dataclass(frozen=True, slots=True)
class Command:
    """`phalanx deploy` on one chain with its files in one folder."""

    w3: Web3
    folder: Path
    driver: Driver
    network: str = "local"

    @property
    def addresses(self) -> Path:
        return self.folder / "addresses" / f"{self.network}.json"

    @property
    def document(self) -> dict[str, Any]:
        """The addresses file."""
        return dict(json.loads(self.addresses.read_text()))

    def words(self, *words: str) -> list[str]:
        """Arguments of a command, with where its files are."""
        return [*words, "--addresses", str(self.addresses), "--json"]

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which the command finds this chain."""
        return {"PHALANX_RPC_URL": url(self.w3)}

    def __call__(self, *words: str) -> Answer:
        return self.driver(self.words(*words), self.environment)

    def as_process(self, *words: str, **environment: str) -> Answer:
        """What a user starts."""
        return self._ran(
            [Path(sys.executable).parent / "phalanx", "deploy", *self.words(*words)], environment
        )

    def in_checkout(self, root: Path, *words: str) -> Answer:
        """The script of another checkout."""
        return self._ran([RUN, PYTHON, root / "deploy/contracts.py", *self.words(*words)], {})

    def _ran(self, words: list[str | Path], environment: dict[str, str]) -> Answer:
        ran = subprocess.run(
            words,
            env=os.environ | self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return understood(ran.returncode, ran.stdout, ran.stderr)

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The script itself as one process, so that it can be killed; it speaks on stderr."""
        process = subprocess.Popen(
            [RUN, PYTHON, ROOT / "deploy/contracts.py", *self.words(*words)],
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()
