"""Seconds and memory for proving ten validators out of a state as large as mainnet's.

Each way runs in a process of its own, since peak memory is a figure of a process:
`python -m tests.bench.proofs`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sdk.beacon_proofs import (
    MAINNET,
    BeaconHeader,
    BeaconState,
    Fork,
    ValidatorIndex,
    build_proofs,
    find_validators,
    root_of_state,
)
from sdk.beacon_proofs.shapes import fixed_bytes
from sdk.beacon_proofs.workers import hashing_processes
from sdk.types import PublicKey, Slot

ROOT = Path(__file__).parents[2]
VALIDATORS = 1_100_000
PROVEN = 10
PENDING_DEPOSITS = 50_000
FAR_FUTURE = b"\xff" * 8
SEED = 4788


def run() -> None:
    """Prints the table."""
    print(f"Proofs of {PROVEN} validators out of a fulu state of {VALIDATORS}:\n")
    print("| processes | state MiB | find keys s | build s | CPU s | peak MiB | of it, workers |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.ssz"
        _own_process("write", file)
        for workers in (1, 2):
            _own_process(str(workers), file)
    print(flush=True)


def write(file: Path) -> None:
    """Writes the state, and beside it its root, which the header has to name."""
    state = synthetic_state()
    file.write_bytes(state.data)
    file.with_suffix(".root").write_bytes(root_of_state(state))


def measure(workers: int, file: Path) -> None:
    """Prints one row."""
    root = file.with_suffix(".root").read_bytes()
    state = BeaconState(Fork.FULU, MAINNET, file.read_bytes())
    header = BeaconHeader(Slot(1), ValidatorIndex(2), bytes(32), root, bytes(32))
    wanted = [number * VALIDATORS // PROVEN for number in range(PROVEN)]
    keys = [PublicKey(_key(index)) for index in wanted]
    started = time.perf_counter()
    found = find_validators(state, keys)
    finding = time.perf_counter() - started
    started, used = time.perf_counter(), _cpu_seconds()
    with hashing_processes(workers) as spread:
        proofs = build_proofs(state, header, [found[key] for key in keys], run=spread)
        building = time.perf_counter() - started
        helpers = sum(_peak_mib(child.pid) for child in multiprocessing.active_children())
    if [proof.validator_index for proof in proofs.validators] != wanted:
        raise RuntimeError("other validators were proven than those asked for")
    computing = _cpu_seconds() - used  # workers count once they have ended
    own = _peak_mib(os.getpid())
    print(
        f"| {workers} | {len(state.data) / 2**20:.0f} | {finding:.1f} | {building:.1f} "
        f"| {computing:.1f} | {own + helpers:.0f} | {helpers:.0f} |",
        flush=True,
    )


def _cpu_seconds() -> float:
    """Of this process and of those it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_mib(process: int | None) -> float:
    """Peak resident memory; unlike getrusage, without that of the process it came from."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no peak memory of process {process}")


def _own_process(task: str, file: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.proofs", task, str(file)]
    subprocess.run(command, cwd=ROOT, check=True)


def synthetic_state() -> BeaconState:
    """A state of mainnet's size: every record its own key, balances and epochs in crowds."""
    shape = BeaconState(Fork.FULU, MAINNET, b"").shape()
    dice = random.Random(SEED)
    lists = {
        "validators": lambda: b"".join(_record(index, dice) for index in range(VALIDATORS)),
        "balances": lambda: dice.randbytes(8 * VALIDATORS),
        "previous_epoch_participation": lambda: b"\x07" * VALIDATORS,
        "current_epoch_participation": lambda: b"\x07" * VALIDATORS,
        "inactivity_scores": lambda: bytes(8 * VALIDATORS),
        "historical_roots": lambda: dice.randbytes(32 * 758),
        "historical_summaries": lambda: dice.randbytes(64 * 1000),
        "pending_deposits": lambda: dice.randbytes(192 * PENDING_DEPOSITS),
        "latest_execution_payload_header": lambda: _payload_header(dice),
    }
    head = bytearray()
    sizes = [fixed_bytes(field) for _, field in shape.fields]
    offset = sum(4 if size is None else size for size in sizes)
    body = bytearray()
    for (name, _), size in zip(shape.fields, sizes, strict=True):
        if size is None:
            head += (offset + len(body)).to_bytes(4, "little")
            body += lists.get(name, bytes)()
        else:
            head += dice.randbytes(size)
    head += body
    return BeaconState(Fork.FULU, MAINNET, head)


def _key(index: int) -> bytes:
    return index.to_bytes(8, "big") * 6


def _record(index: int, dice: random.Random) -> bytes:
    """Eight validators entered per epoch, and few have left."""
    epoch = index // 8
    return (
        _key(index)
        + dice.randbytes(32)
        + (dice.choice([32, 32, 32, 64, 2048]) * 10**9).to_bytes(8, "little")
        + b"\0"
        + epoch.to_bytes(8, "little")
        + (epoch + 5).to_bytes(8, "little")
        + FAR_FUTURE * 2
    )


def _payload_header(dice: random.Random) -> bytes:
    """584 fixed bytes, of which four at 436 are the offset of the extra data."""
    fixed = bytearray(dice.randbytes(584))
    fixed[436:440] = (584).to_bytes(4, "little")
    return bytes(fixed) + b"a builder's name"


def main() -> int:
    """Runs this benchmark alone, or one step of it in its own process; returns the exit code."""
    match sys.argv[1:]:
        case []:
            print(f"load before the run: {os.getloadavg()[0]:.1f}\n", flush=True)
            run()
        case ["write", file]:
            write(Path(file))
        case [workers, file]:
            measure(int(workers), Path(file))
        case _:
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
