"""Running `phalanx` against the tests' chain: in this process, or in one that can be killed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.cli.main import main
from sdk.shares.keyshares_file import KeyShare
from sdk.testing import keys
from tests.client.world import ETHER, World

SECRET = (0x5EC2E7).to_bytes(32, "big")
"""Private key of the account that these commands sign with."""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    def error(self) -> dict[str, Any]:
        """The last line of stderr of a failed `--json` run."""
        last: dict[str, Any] = json.loads(self.err.splitlines()[-1])
        assert last["event"] == "error", self.err
        return last

    def ok(self) -> Ran:
        assert self.code == 0, self.err
        return self


@dataclass(frozen=True)
class Desk:
    """A staker's folder, and the words that every command needs."""

    world: World
    folder: Path
    address: str
    key_file: Path
    url: str

    def node(self, *, registry: str = "") -> list[str]:
        return ["--rpc", self.url, "--registry", registry or self.world.deployed.registry]

    def signing(self) -> list[str]:
        return [*self.node(), "--key-file", str(self.key_file), "--yes"]

    def run(self, *words: object) -> Ran:
        """The command in this process; every word it says is searched for the key."""
        out, err = io.StringIO(), io.StringIO()
        code: int | str | None = None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([str(word) for word in words])
            except SystemExit as ended:
                code = ended.code
        ran = Ran(int(code or 0), out.getvalue(), err.getvalue())
        assert SECRET.hex() not in ran.out + ran.err
        return ran

    def write(self, *words: object) -> Ran:
        """A command that signs and sends."""
        return self.run(*words, *self.signing(), "--json")

    def read(self, *words: object) -> Ran:
        """A command that only reads."""
        return self.run(*words, *self.node(), "--from", self.address, "--json")

    def start(self, *words: object) -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "sdk.cli.main", *map(str, words), *self.signing(), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_PROXY": "*"},
        )

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        """What it left, once it has ended."""
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    def shares(self, *numbers: int, nonce: int = 0, ids: tuple[int, ...] = (1, 2, 3, 4)) -> Path:
        """A keyshares file for these throwaway validators."""
        from sdk.types import parse_address

        owner = parse_address(self.address)
        made = [
            keys.key_share(number, ids=ids, owner=owner, nonce=nonce + place)
            for place, number in enumerate(numbers)
        ]
        path = self.folder / f"shares-{'-'.join(map(str, (*ids[:1], *numbers[:3], nonce)))}.json"
        path.write_bytes(keys.keyshares(*made))
        return path


def make_desk(world: World, folder: Path, *, url: str = "") -> Desk:
    """A desk whose account has 100 ETH."""
    from eth_account import Account

    address = Account.from_key(SECRET).address
    world.rpc("anvil_setBalance", address, hex(100 * ETHER))
    key_file = folder / "key"
    key_file.write_text(SECRET.hex())
    key_file.chmod(0o600)
    return Desk(world, folder, address, key_file, url or world.url)


def public_keys(*numbers: int) -> list[str]:
    """Hex texts of throwaway validators' keys."""
    shares: list[KeyShare] = [keys.key_share(number) for number in numbers]
    return ["0x" + bytes(share.public_key).hex() for share in shares]
