"""The commands of `phalanx devnet`, on a network that a stand-in holds.

A whole one is in test_devnet_up.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.devnet.cli import devnet
from deploy.devnet.home import Home
from sdk.errors import InputError, NetworkError, PhalanxError, StorageError, UsageError
from tests.devnet.test_postgres import OBEYS, named, server

ADDRESS = "0x000000000000000000000000000000000000dEaD"
HOLDS = """
import signal, sys, time
from pathlib import Path
from deploy.devnet.home import Home
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with Home(Path(sys.argv[1])).held():
    print("held", flush=True)
    signal.pause()
"""


def facts(folder: Path, *, pid: int | None, state: str = "running") -> dict[str, Any]:
    """A network of two parts without ports."""
    logs = {"node 1": "one\ntwo\nthree\n", "indexer": ""}
    parts = []
    for name, text in logs.items():
        log = folder / f"{name.replace(' ', '-')}.log"
        log.write_text(text)
        parts.append({"name": name, "pid": pid, "port": None, "url": None, "log": str(log)})
    return {"state": state, "pid": pid, "rpc": "http://127.0.0.1:1", "parts": parts}


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder, as a network's does."""
    command = [sys.executable, "-c", HOLDS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Path]:
    """A folder whose network runs."""
    with holder(tmp_path) as process:
        Home(tmp_path).write(facts(tmp_path, pid=process.pid))
        yield tmp_path


def run(*words: str, folder: Path) -> Result:
    return CliRunner().invoke(devnet, [*words, "--dir", str(folder)], standalone_mode=False)


def problem(result: Result) -> PhalanxError:
    assert isinstance(result.exception, PhalanxError), result.exception
    return result.exception


def test_status_tells_each_part(network: Path) -> None:
    told = run("status", "--json", folder=network)
    found = json.loads(told.stdout)
    assert found["good"] is True
    assert [(part["name"], part["health"]) for part in found["parts"]] == [
        ("node 1", "good"),
        ("indexer", "good"),
    ]
    assert not told.return_value
    lines = run("status", folder=network).stdout.splitlines()
    assert lines[0].split() == ["part", "process", "port", "health"]
    assert lines[1].split() == ["node", "1", str(found["pid"]), "-", "good"]


def test_status_is_good_only_if_every_part_is(network: Path) -> None:
    told = Home(network).read()
    told["parts"][0]["pid"] = None
    Home(network).write(told)
    ran = run("status", "--json", folder=network)
    assert json.loads(ran.stdout)["parts"][0]["health"] == "down"
    assert json.loads(ran.stdout)["good"] is False
    assert ran.return_value == NetworkError.exit_code


@pytest.fixture
def laggard() -> Iterator[str]:
    """A beacon node that says that it is behind."""

    class Behind(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"data": {"is_syncing": true, "sync_distance": "42"}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("behind", [(1,), (1, 2)])
def test_status_says_when_no_beacon_node_is_left_to_catch_up_with(
    network: Path, laggard: str, behind: tuple[int, ...]
) -> None:
    told = Home(network).read()
    told["parts"] += [
        # Without an address only its process is looked at.
        {**told["parts"][0], "name": f"lodestar {n}", "url": laggard if n in behind else None}
        for n in (1, 2)
    ]
    Home(network).write(told)
    ran = run("status", folder=network)
    assert "syncing, 42 slots behind" in ran.stdout
    assert ("does not go on by itself" in ran.stderr) == (len(behind) == 2)
    assert ran.return_value == NetworkError.exit_code


def test_down_ends_it_and_says_what(network: Path) -> None:
    ran = run("down", folder=network)
    assert ran.stdout == "stopped node 1, indexer\n"
    assert Home(network).holder() is None
    assert json.loads(run("down", "--json", folder=network).stdout) == {"stopped": []}


def test_logs_end_with_the_last_lines(network: Path) -> None:
    assert run("logs", "node 1", "--lines", "2", folder=network).stdout == "two\nthree\n"
    assert run("logs", "node-1", "--lines", "0", folder=network).stdout == ""
    found = json.loads(run("logs", "node-1", "--json", folder=network).stdout)
    assert found["lines"] == ["one", "two", "three"]
    refused = problem(run("logs", "node 9", folder=network))
    assert refused.code == "part_unknown"
    assert "node 1, indexer" in refused.message


def test_followed_log_goes_on_with_whole_lines(network: Path) -> None:
    words = ["logs", "node-1", "--lines", "1", "--follow", "--json", "--dir", str(network)]
    command = [sys.executable, "-m", "deploy.devnet", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"line": "three"}
        with (network / "node-1.log").open("a") as log:
            log.write("fo")
            log.flush()
            log.write("ur\nfi")
            log.flush()
        assert json.loads(process.stdout.readline()) == {"line": "four"}
        process.send_signal(signal.SIGINT)
        assert process.wait() == 6


@pytest.mark.parametrize("words", [("status",), ("faucet", ADDRESS, "1")])
def test_network_that_has_ended_is_told_with_its_end(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    Home(tmp_path).write(
        {**facts(tmp_path, pid=1, state="ended"), "problem": "node 3 ended with 9"}
    )
    refused = problem(run(*words, folder=tmp_path))
    assert refused.code == "not_running"
    assert "has ended: node 3 ended with 9" in refused.message


def test_killed_network_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        Home(tmp_path).write(facts(tmp_path, pid=process.pid))
        process.kill()
        process.wait()
        assert problem(run("status", folder=tmp_path)).code == "not_running"
    assert run("down", folder=tmp_path).stdout == f"nothing runs in {tmp_path}\n"


def test_down_ends_what_a_killed_network_left(tmp_path: Path) -> None:
    data = tmp_path / "run/indexer/data"
    data.mkdir(parents=True)
    with server(data, OBEYS) as process:
        named(data, process.pid)
        assert json.loads(run("down", "--json", folder=tmp_path).stdout) == {
            "stopped": ["postgres"]
        }
        assert process.wait() != 0


@pytest.mark.parametrize("words", [("status",), ("logs", "anvil"), ("faucet", ADDRESS, "1")])
def test_folder_without_a_network_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert problem(run(*words, folder=tmp_path / "none")).code == "no_network"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("amount", ["0", "-1", "1000001", "much", "0.0000000000000000001"])
def test_gift_that_cannot_be_is_refused(network: Path, amount: str) -> None:
    ran = run("faucet", "--json", "--dir", str(network), "--", ADDRESS, amount, folder=network)
    assert ran.exception is not None


def test_folder_is_held_by_one_network(network: Path) -> None:
    refused = problem(run("up", "--detach", folder=network))
    assert refused.code == "network_running"
    with pytest.raises(UsageError), Home(network).held():
        pass


def test_what_an_earlier_network_left_goes_and_the_rest_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run.mkdir()
    (home.run / "old").touch()
    (tmp_path / "mine").touch()
    home.write({"state": "ended"})
    with home.held():
        assert home.holder() == os.getpid()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "network.lock"]
    assert home.holder() is None


def test_damaged_facts_are_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.facts.write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        home.read()


def test_base_without_room_is_refused(tmp_path: Path) -> None:
    refused = problem(run("up", "--ports", "32000", folder=tmp_path))
    assert "Take a base from 1024 to 31950" in str(refused)


def test_errors_are_json_where_json_is_asked_for(tmp_path: Path) -> None:
    words = ["status", "--json", "--dir", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.devnet", *words], capture_output=True, text=True
    )
    assert ran.returncode == UsageError.exit_code
    assert json.loads(ran.stderr)["code"] == "no_network"


def test_address_is_checked(network: Path) -> None:
    ran = run("faucet", ADDRESS.replace("dEaD", "dead1"), "1", folder=network)
    assert isinstance(ran.exception, InputError)
