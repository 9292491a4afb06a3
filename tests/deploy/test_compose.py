"""The compose files: their structure, what they open to whom, and that ours are called rightly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from operator_node.config import build, read_sources
from operator_node.config.keys import KEYS
from tests.deploy import command_lines, dockerfiles
from tests.deploy.dockerfiles import ROOT

FOLDER = ROOT / "deploy/compose"
FILES = ("operator", "indexer")
TOP = {"name", "services", "networks", "secrets", "volumes", "x-ours"}
"""Parts of the Compose Specification that ours use; a misspelt one would be ignored in silence."""
OF_A_SERVICE = {
    *("build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image"),
    *("logging", "mem_limit", "networks", "pids_limit", "ports", "profiles", "read_only"),
    *("restart", "secrets", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "user"),
    "volumes",
}
OURS = {
    ("operator", "node"): "node",
    ("indexer", "writer"): "indexer",
    ("indexer", "api"): "indexer",
}
"""Services that run this project, and their container file."""
PEER_TO_PEER = {13001, 30303, 9000, 9001}
"""Ports that strangers have to reach."""
NAME = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def tree(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    return loaded


def services(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = tree(name)["services"]
    return found


def example(name: str) -> dict[str, str]:
    """What a file of variables sets or shows in a comment."""
    text = (FOLDER / f"{name}.env.example").read_text()
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.M))


def filled(text: str, values: dict[str, str]) -> str:
    """A text with its variables, as Compose puts them in."""
    return NAME.sub(lambda found: values.get(found[1]) or found[3] or "", text)


@pytest.mark.parametrize("name", FILES)
def test_every_part_is_one_that_compose_knows(name: str) -> None:
    assert set(tree(name)) <= TOP
    for service, parts in services(name).items():
        assert set(parts) <= OF_A_SERVICE, service


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_referred_to_is_declared(name: str) -> None:
    whole = tree(name)
    for service, parts in services(name).items():
        assert set(parts["networks"]) <= set(whole["networks"]), service
        assert set(parts.get("secrets", [])) <= set(whole.get("secrets", {})), service
        assert set(parts.get("depends_on", [])) <= set(whole["services"]), service
        for volume in parts.get("volumes", []):
            source = volume.split(":")[0]
            assert source in whole["volumes"] or (FOLDER / source).exists(), volume
    assert set(whole["volumes"]) <= volumes_in_use(name)
    networks = {network for each in services(name).values() for network in each["networks"]}
    assert set(whole["networks"]) == networks


def volumes_in_use(name: str) -> set[str]:
    listed = [volume for each in services(name).values() for volume in each.get("volumes", [])]
    return {volume.split(":")[0] for volume in listed}


@pytest.mark.parametrize("name", FILES)
def test_variables_are_in_the_example_and_need_no_secret_default(name: str) -> None:
    used = NAME.findall((FOLDER / f"{name}.yml").read_text())
    assert {variable for variable, *_ in used} == set(example(name))
    for variable, form, _ in used:
        if "PASSWORD" in variable:
            assert form == "?", variable
            assert example(name)[variable] == ""


@pytest.mark.parametrize(("name", "service"), OURS)
def test_our_processes_have_no_rights_that_they_do_not_need(name: str, service: str) -> None:
    parts = services(name)[service]
    assert parts["read_only"] is True
    assert parts["cap_drop"] == ["ALL"]
    assert parts["security_opt"] == ["no-new-privileges:true"]
    final = dockerfiles.read(dockerfiles.FOLDER / f"{OURS[name, service]}.Dockerfile")
    assert parts["user"] == dockerfiles.only(final, "USER").text
    assert "privileged" not in parts
    assert all("noexec" in mount for mount in parts["tmpfs"])
    written = [v for v in parts.get("volumes", []) if not v.endswith(":ro")]
    assert written == (["node:/data"] if service == "node" else [])


@pytest.mark.parametrize("name", FILES)
def test_only_peer_to_peer_ports_are_open_to_strangers(name: str) -> None:
    for service, parts in services(name).items():
        for port in parts.get("ports", []):
            *host, outside, _ = port.split("/")[0].split(":")
            assert host == ["127.0.0.1"] or int(outside) in PEER_TO_PEER, f"{service}: {port}"


def test_apis_of_the_clients_and_the_database_reach_nobody_else() -> None:
    assert tree("operator")["networks"]["chain"] == {"internal": True}
    assert tree("indexer")["networks"]["database"] == {"internal": True}
    assert services("indexer")["database"]["networks"] == ["database"]
    assert "ports" not in services("indexer")["database"]


@pytest.mark.parametrize(("name", "service"), OURS)
def test_our_commands_are_understood_and_read_what_they_are_given(name: str, service: str) -> None:
    parts = services(name)[service]
    image = OURS[name, service]
    assert (FOLDER / parts["build"]["context"]).resolve() == ROOT
    assert parts["build"]["dockerfile"] == f"deploy/docker/{image}.Dockerfile"
    steps = dockerfiles.read(ROOT / parts["build"]["dockerfile"])
    words = parts.get("command") or dockerfiles.only(steps, "CMD").listed
    command = command_lines.understood([image, *words])
    known = {key.variable for key in KEYS} if image == "node" else set()
    known |= command_lines.variables(command) | {"HEALTH_URL"}
    assert set(parts["environment"]) <= known


def test_writer_tells_its_health_where_it_shows_metrics() -> None:
    parts = services("indexer")["writer"]
    port = parts["command"][parts["command"].index("--metrics") + 1].rsplit(":", 1)[1]
    assert parts["environment"]["HEALTH_URL"] == f"http://127.0.0.1:{port}/metrics"


def test_running_duties_end_before_the_container_does() -> None:
    grace = next(key.default for key in KEYS if key.path == "node.stop_grace")
    allowed = services("operator")["node"]["stop_grace_period"]
    assert int(allowed.removesuffix("s")) >= 2 * int(grace.removesuffix("s"))


def test_example_settings_are_usable_with_what_compose_adds() -> None:
    image = dockerfiles.variables(dockerfiles.read(dockerfiles.FOLDER / "node.Dockerfile"))
    added = services("operator")["node"]["environment"]
    shown = {
        name: value
        for name, value in example("operator").items()
        if name not in ("BEACON_NODES", "EXECUTION_NODES")
    }
    variables = image | {name: filled(str(text), shown) for name, text in added.items()}
    built = build(read_sources(FOLDER / "operator/node.yaml", variables))
    settings = built.settings
    one_beacon_node, open_api = built.warnings
    assert one_beacon_node.startswith("one beacon node")
    # Open inside the container; test_only_peer_to_peer_ports_are_open_to_strangers has the rest.
    assert open_api.startswith("the API is open to others at 0.0.0.0")
    assert settings.data_folder == Path("/data/db")
    assert settings.log.file == Path("/data/node.log")
    assert settings.operator_key.file == Path("/config/operator.json")
    assert settings.api.port == 16000
    assert settings.api.metrics_port == 15000
    assert settings.peers.host == example("operator")["PUBLIC_IP"]


def test_keys_and_passwords_put_here_are_not_committed() -> None:
    ignored = (FOLDER / ".gitignore").read_text().splitlines()
    assert {".env", "operator/*"} <= set(ignored)
    assert [line for line in ignored if line.startswith("!")] == ["!operator/node.yaml"]
