"""The demo does what it says, says so truthfully when a step fails, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples import demo, demo_costs, demo_show
from sdk.errors import ChainError

ROOT = Path(__file__).parents[2]
COMMAND = (ROOT / "deploy/toolchain/run", sys.executable, "-m", "examples.demo")
LONGEST_S = 400  # the first compilation alone takes a minute
MEASURED = {
    "register_operator_first",
    "register_operator",
    "register_validator_new_cluster_4",
    "register_validator_existing_no_deposit_4",
    "deposit_4",
    "withdraw_cluster_4",
    "liquidate_by_third_party_4",
    "reactivate_4",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a whole run prints."""
    folder = tmp_path_factory.mktemp("demo")
    ran = subprocess.run(
        COMMAND,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(folder.iterdir()) == []
    return ran.stdout


@pytest.mark.toolchain
@pytest.mark.slow
def test_demo_shows_every_step(told: str) -> None:
    assert told.count("the validator's own, byte for byte") == 4
    assert told.count("does not verify") == 6
    assert "culprit: operator 2" in told
    assert "share_pubkeys_do_not_recombine" in told
    assert "nonces 0 to 1 are used up" in told
    assert told.count("agreed, signed, combined") == 4
    assert "nothing is decided and nothing is signed" in told
    for line in (
        "runway before: none yet; after: 30.00 days",
        "after: 60.00 days",
        "runway before: 59.92 days (431,400 blocks); after: 0.04 days (300 blocks)",
        "; after: liquidated",
        "runway before: liquidated; after: 30.00 days",
        "active again, 2 validators",
    ):
        assert line in told
    last = told.splitlines()[-1]
    assert last.startswith("demo: all steps did what they should; 10 transactions cost ")
    # Nothing as long as a secret key stands alone in what it prints.
    assert re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", told) == []


@pytest.mark.toolchain
@pytest.mark.slow
def test_demo_prints_each_cost_beside_that_of_the_reference(told: str) -> None:
    table = re.findall(r"^  (\w+) +([\d,]+) +([\d,]+) +(\d\.\d\d)$", told, re.MULTILINE)
    assert {row for row, *_ in table} == MEASURED
    costs = []
    for row, ours, ssv, ratio in table:
        costs.append(demo_costs.Cost(row, int(ours.replace(",", "")), int(ssv.replace(",", ""))))
        assert costs[-1].ssv == demo_costs.ssv_gas(row)
        assert f"{costs[-1].ratio:.2f}" == ratio
        assert f"gas: {ours}; SSV: {ssv} ({row})" in told
    total = sum(cost.ours for cost in costs)
    assert f"10 transactions cost {total:,} gas" in told.splitlines()[-1]


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo at work, ended with the block if it is not by then."""
    running = subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def children(process: int) -> dict[int, str]:
    """Commands of a process's children that are at work, by id."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = status.read_text().rsplit(")", 1)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if int(rest.split()[1]) == process:
            found[int(status.parent.name)] = name.split("(", 1)[1]
    return found


@pytest.mark.toolchain
@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_demo_leaves_no_process_no_port_and_no_file(
    tmp_path: Path, stop: signal.Signals
) -> None:
    with started(tmp_path) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "compiling the contracts" in line:
                break
        left = children(running.pid)
        assert "anvil" in left.values()
        port = listening_port(next(each for each, name in left.items() if name == "anvil"))
        running.send_signal(stop)
        rest = running.stdout.read()
        assert running.wait(timeout=LONGEST_S) == 128 + stop
    assert rest.splitlines()[-1].startswith(f"demo: stopped by {stop.name}, not finished")
    assert list(tmp_path.iterdir()) == []
    assert [each for each in left if is_at_work(each)] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def is_at_work(process: int) -> bool:
    """Whether it is there, and more than an entry that nobody has collected."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def listening_port(process: int) -> int:
    """The port on which a process listens."""
    sockets = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        sockets.add(os.readlink(file))
    for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in sockets and fields[3] == "0A":
            return int(fields[1].split(":")[1], 16)
    raise AssertionError(f"process {process} does not listen")


def test_children_at_work_are_ended() -> None:
    program = """
import subprocess
from examples.demo_chain import end_children
child = subprocess.Popen(["sleep", "600"])
end_children()
print(child.wait(timeout=60))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == str(-signal.SIGKILL)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (demo_show.DemoFailed("the step did not work"), "demo: FAILED: the step did not work"),
        (ChainError("no such operator", hint="Look again."), "no such operator. Look again."),
        (ValueError("nobody thought of this"), "ValueError('nobody thought of this')"),
    ],
)
def test_failed_step_fails_the_demo(
    problem: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(costs: demo_costs.Costs) -> None:
        raise problem

    monkeypatch.setattr(demo, "run", fail)
    before = signal.getsignal(signal.SIGINT)
    assert demo.main() == 1
    assert said in capsys.readouterr().out.splitlines()[-1]
    assert signal.getsignal(signal.SIGINT) is before


def test_command_with_another_exit_code_fails_its_step() -> None:
    with pytest.raises(demo_show.DemoFailed, match="exit code 2, wanted 0"):
        demo_show.phalanx("nonsense", quiet=True)


def test_failed_check_names_its_problem() -> None:
    with pytest.raises(demo_show.DemoFailed, match="the plan was wrong"):
        demo_show.check(is_right=False, problem="the plan was wrong")
