"""`phalanx keys split` beside ssv-keys: whole processes, wall time and peak memory.

Both read the same keystores and operators in the same run, in turn. Where ssv-keys cannot be
installed its recorded figures stand in, and the table says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sdk.crypto.keystore_files import create_keystore
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.password_box import Kdf, Pbkdf2, Scrypt
from sdk.crypto.secret import Password, SecretKey
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.verify import is_sound, verify_keyshares

OWNER = "0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494"
PASSWORD = "benchmark password"
REFERENCE = Path("node_modules/ssv-keys/dist/tsc/src/cli.js")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row. `recorded_seconds` is ssv-keys 1.2.0 on Node 20 and two shared cores."""

    title: str
    kdf: Kdf
    keystores: int
    operators: int
    recorded_seconds: float
    bar: float


SETTINGS = (
    Setting("pbkdf2 c=262144", Pbkdf2(), 100, 13, recorded_seconds=23.2, bar=5),
    Setting("scrypt n=262144", Scrypt(), 10, 4, recorded_seconds=49.0, bar=4),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One process from start to end."""

    wall_seconds: float
    peak_mib: float


def run(root: Path) -> None:
    """Prints the table; a tool that fails raises."""
    with tempfile.TemporaryDirectory(prefix="phalanx-bench-") as name:
        folder = Path(name)
        reference = _install_reference(root, folder)
        print("Splitting, whole processes:\n")
        print("| keystores × operators | phalanx s | MiB | ssv-keys s | MiB | times | recorded |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for number, setting in enumerate(SETTINGS):
            _row(setting, folder / str(number), reference)
    print(
        "\nMiB is peak resident memory of the process; times is how many times faster. ssv-keys is"
    )
    print("1.1.0, the newest on its registry, on this Node. Recorded is 1.2.0 on Node 20 and two")
    print("shared cores, and how many times faster this run was. Every file written was verified.")


def _row(setting: Setting, folder: Path, reference: Path | None) -> None:
    operators = _prepare(setting, folder)
    keystores = folder / "keystores"
    _measure([sys.executable, "-m", "sdk.cli.main", "keys", "split", "--help"])
    ours_command = [
        *(sys.executable, "-m", "sdk.cli.main", "keys", "split", str(keystores)),
        *("--owner", OWNER, "--nonce", "0", "--operators", str(folder / "operators.json")),
        *("--password-file", str(folder / "password"), "--out", str(folder / "ours.json")),
    ]
    ours = _measure(ours_command)
    _check(folder / "ours.json", setting)
    if reference is None:
        theirs = Figure(setting.recorded_seconds, float("nan"))
        cell = f"({theirs.wall_seconds:.1f}) | –"
    else:
        output = folder / "theirs"
        output.mkdir()
        ids = ",".join(str(row["id"]) for row in operators)
        keys = ",".join(str(row["operatorKey"]) for row in operators)
        # The reference tool knows no other way to pass a password; this one protects nothing.
        theirs = _measure(
            [
                *("node", str(reference), "shares", "-ks", str(keystores), "-ps", PASSWORD),
                *("-oids", ids, "-oks", keys, "-oa", OWNER, "-on", "0", "-of", str(output)),
            ]
        )
        _check(next(output.rglob("keyshares*.json")), setting)
        cell = f"{theirs.wall_seconds:.1f} | {theirs.peak_mib:.0f}"
    ratio = theirs.wall_seconds / ours.wall_seconds
    title = f"{setting.keystores} × {setting.operators}, {setting.title}"
    print(
        f"| {title} | {ours.wall_seconds:.1f} | {ours.peak_mib:.0f} | {cell} "
        f"| {ratio:.1f} (bar {setting.bar:.0f}) "
        f"| {setting.recorded_seconds:.1f} s, {setting.recorded_seconds / ours.wall_seconds:.1f} |",
        flush=True,
    )


def _prepare(setting: Setting, folder: Path) -> list[dict[str, object]]:
    keystores = folder / "keystores"
    keystores.mkdir(parents=True)
    (folder / "password").write_text(PASSWORD)

    def make(number: int) -> None:
        secret = SecretKey(7**90 + number)
        data = create_keystore(secret, Password.from_text(PASSWORD), kdf=setting.kdf)
        (keystores / f"keystore-m_12381_3600_{number}_0_0-1700000000.json").write_bytes(data)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, range(setting.keystores)))
    operators: list[dict[str, object]] = [
        {"id": number, "operatorKey": OperatorPrivateKey.generate().public_key.text}
        for number in range(1, setting.operators + 1)
    ]
    (folder / "operators.json").write_text(json.dumps(operators))
    return operators


def _measure(command: list[str]) -> Figure:
    # As installed programs run: with their bytecode cached.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[:4]} failed: {said.read()[-500:].decode()}")
    return Figure(wall, usage.ru_maxrss / 1024)


def _check(path: Path, setting: Setting) -> None:
    reading = read_keyshares(path.read_bytes(), source=path.name)
    findings = verify_keyshares(reading)
    if len(reading.file.shares) != setting.keystores or not is_sound(findings):
        raise RuntimeError(f"{path} is not what was asked for: {findings[:1]}")


def _install_reference(root: Path, folder: Path) -> Path | None:
    """ssv-keys, installed from its lock into the temporary folder; None where that fails."""
    target = folder / "reference"
    shutil.copytree(root / "tests" / "bench" / "reference", target)
    print("installing ssv-keys to compare with …", flush=True)
    try:
        answer = subprocess.run(
            ["npm", "ci", "--silent"], cwd=target, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as problem:
        print(f"npm is not there ({problem}); using recorded figures\n")
        return None
    if answer.returncode or not (target / REFERENCE).is_file():
        print(f"ssv-keys cannot be installed here ({answer.stderr.strip()[-200:]}); ", end="")
        print("using recorded figures\n")
        return None
    return target / REFERENCE
