"""The systemd units: what they may do, and that they call our commands rightly."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path

import pytest

from operator_node.config.keys import KEYS
from operator_node.doppelganger.last_use import BOOT_ID
from tests.deploy import command_lines, dockerfiles
from tests.deploy.dockerfiles import ROOT
from tests.unit.docs.commands import blocks

FOLDER = ROOT / "deploy/systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
PROGRAM = "/opt/phalanx/bin/phalanx"
SECTIONS = {"Unit", "Service", "Install"}
HARDENED = {
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "ProtectKernelTunables": "true",
    "ProtectKernelModules": "true",
    "ProtectKernelLogs": "true",
    "ProtectControlGroups": "true",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "true",
    "RestrictSUIDSGID": "true",
    "LockPersonality": "true",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "LimitCORE": "0",
}
KNOWN = {
    *("Description", "After", "Wants", "StartLimitIntervalSec", "StartLimitBurst"),
    *("Type", "User", "Group", "EnvironmentFile", "Environment", "ExecStartPre", "ExecStart"),
    *("Restart", "RestartSec", "RestartPreventExitStatus", "TimeoutStopSec", "StateDirectory"),
    *("StateDirectoryMode", "WorkingDirectory", "RestrictAddressFamilies", "MemoryMax"),
    *("TasksMax", "LimitNOFILE", "AmbientCapabilities", "ProtectClock", "ProtectHostname"),
    *("RestrictRealtime", "RemoveIPC", "SystemCallFilter", "SystemCallErrorNumber", "WantedBy"),
    *HARDENED,
}
"""Names of systemd 247 and later; a misspelt one would be ignored with a line in the log."""


def settings(unit: str) -> dict[str, list[str]]:
    """Every setting with its values, in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (FOLDER / unit).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            assert line.strip("[]") in SECTIONS
            continue
        name, value = line.split("=", 1)
        found[name].append(value)
    return found


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    name: str = request.param
    return settings(name)


def test_there_is_a_unit_for_everything_that_stays() -> None:
    named = {"phalanx-indexer", "phalanx-indexer-api", "phalanx-node", "phalanx-watch"}
    assert {Path(name).stem for name in UNITS} == named


def test_every_setting_is_one_that_systemd_knows(unit: dict[str, list[str]]) -> None:
    assert set(unit) <= KNOWN


def test_process_has_no_rights_that_it_does_not_need(unit: dict[str, list[str]]) -> None:
    assert {name: unit[name] for name in HARDENED} == {
        name: [value] for name, value in HARDENED.items()
    }
    assert unit["User"] == unit["Group"] == ["phalanx"]
    assert unit["SystemCallFilter"] == ["@system-service", "~@privileged"]


def test_process_writes_to_its_own_folder_alone(unit: dict[str, list[str]]) -> None:
    (folder,) = unit["StateDirectory"]
    assert unit["StateDirectoryMode"] == ["0700"]
    assert unit["WorkingDirectory"] == [f"/var/lib/{folder}"]


def test_commands_are_ours_and_understood(unit: dict[str, list[str]]) -> None:
    for line in [*unit["ExecStartPre"], *unit["ExecStart"]]:
        words = [word for word in shlex.split(line) if not word.startswith("$")]
        assert words[0] == PROGRAM
        command_lines.understood(words[1:])


def test_no_secret_is_in_a_unit_or_an_argument(unit: dict[str, list[str]]) -> None:
    (line,) = unit["ExecStart"]
    assert "://" not in line
    assert all("://" not in value for value in unit["Environment"])


def test_what_restarting_does_not_mend_is_not_tried_for_ever(unit: dict[str, list[str]]) -> None:
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["2 3"]
    assert unit["StartLimitBurst"] == ["5"]


def test_node_keeps_its_files_where_it_may_write() -> None:
    unit = settings("phalanx-node.service")
    (words,) = [value for value in unit["Environment"] if value.startswith("DB_PATH=")]
    variables = dict(pair.split("=", 1) for pair in words.split())
    assert set(variables) <= {key.variable for key in KEYS}
    assert all(value.startswith("/var/lib/phalanx-node/") for value in variables.values())


def test_running_duties_end_before_the_service_does() -> None:
    grace = next(key.default for key in KEYS if key.path == "node.stop_grace")
    (allowed,) = settings("phalanx-node.service")["TimeoutStopSec"]
    assert int(allowed) >= 2 * int(grace.removesuffix("s"))


def test_node_sees_whether_the_machine_has_booted_since() -> None:
    """Without it every restart would listen through two slots of duties first."""
    assert str(BOOT_ID).startswith("/proc/sys/")
    assert "ProcSubset" not in settings("phalanx-node.service")


def test_page_installs_by_the_steps_of_the_container_file() -> None:
    """tests/deploy/test_image_steps.py executes those."""
    (block,) = [each for each in blocks("docs/services.md") if each.first.startswith("apt-get")]
    told = [" ".join(line.split()) for line in block.text.replace("\\\n", " ").splitlines()]
    steps = dockerfiles.read(dockerfiles.FOLDER / "node.Dockerfile")
    done = [command for step in steps if step.word == "RUN" for command in step.commands]
    assert {"gcc", "g++", "libgmp-dev"} <= set(told[0].split())
    # Here the interpreter is Debian's, both products go into one place, and bytecode is asked for.
    as_there = [
        line.replace("python3 -m", "python -m")
        .replace(" --compile-bytecode", "")
        .replace(" --extra indexer", "")
        for line in told[1:]
    ]
    assert len(as_there) == 5
    assert [line for line in as_there if line not in done] == []
