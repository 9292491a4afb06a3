"""The container files hold what this project promises of them; nothing is built here."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer.api.routes_status import router
from operator_node.api.http import make_app
from operator_node.config.keys import KEYS
from tests.deploy import command_lines, dockerfiles
from tests.deploy.dockerfiles import FOLDER, ROOT, Step

IMAGES = ("node", "indexer")
OF_PYTHON = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def steps(image: str) -> list[Step]:
    return dockerfiles.read(FOLDER / f"{image}.Dockerfile")


def final(steps: list[Step]) -> list[Step]:
    return [step for step in steps if step.stage == 1]


def packages(step: Step) -> list[str]:
    """What a step installs by apt-get, after it was held to our form of it."""
    update, install, clean = step.commands
    assert update == "apt-get update"
    assert clean == "rm -rf /var/lib/apt/lists/*"
    return install.removeprefix("apt-get install --yes --no-install-recommends ").split()


def machine_packages() -> set[str]:
    """What deploy/toolchain/machine.sh looks for."""
    text = (ROOT / "deploy/toolchain/machine.sh").read_text()
    return set(re.findall(r"^ +need (\S+) ", text, re.M))


def installing(steps: list[Step], stage: int) -> set[str]:
    found = [step for step in steps if step.stage == stage and "apt-get" in step.text]
    return {package for step in found for package in packages(step)}


def test_both_stages_begin_with_the_same_small_python(steps: list[Step]) -> None:
    assert [step.text for step in steps if step.word == "FROM"] == [
        "python:3.11-slim AS build",
        "python:3.11-slim",
    ]


def test_compilers_are_those_that_setup_asks_for(image: str, steps: list[Step]) -> None:
    wanted = {"gcc", "g++", "libgmp-dev"} if image == "node" else set()
    assert installing(steps, 0) == wanted
    assert wanted <= machine_packages()


def test_final_stage_has_no_compiler(image: str, steps: list[Step]) -> None:
    assert installing(steps, 1) == ({"libgmp10"} if image == "node" else set())
    assert [step.text for step in final(steps) if step.word == "COPY"] == [
        "--from=build /opt/phalanx /opt/phalanx"
    ]


def test_every_package_is_installed_by_hash(steps: list[Step]) -> None:
    installs = [
        command
        for step in steps
        if step.word == "RUN"
        for command in step.commands
        if " pip install " in command
    ]
    uv, dependencies, project = installs
    assert "--require-hashes -r requirements/uv.txt" in uv
    assert "--constraints requirements/runtime.txt" in dependencies
    for command in (dependencies, project):
        assert "--require-build-hashes" in command
        assert "--no-verify-hashes" not in command
    assert "--no-deps" in project


def test_what_is_copied_exists_and_is_not_kept_out(image: str, steps: list[Step]) -> None:
    copied = [
        name
        for step in steps
        if step.word == "COPY" and step.stage == 0
        for name in step.text.split()[:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    lines = (FOLDER / f"{image}.Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied)


def test_process_is_a_user_without_a_shell(steps: list[Step]) -> None:
    last = final(steps)
    assert dockerfiles.only(last, "USER").text == "10001:10001"
    (made,) = [step for step in last if step.word == "RUN" and "useradd" in step.text]
    assert "--uid 10001" in made.text
    assert "--shell /usr/sbin/nologin" in made.text
    words = [step.word for step in last]
    assert words.index("USER") > max(
        number for number, word in enumerate(words) if word in ("RUN", "COPY")
    )


def test_command_is_one_of_ours(steps: list[Step]) -> None:
    entry = dockerfiles.only(steps, "ENTRYPOINT").listed
    assert entry[0] == "phalanx"
    command_lines.understood([*entry[1:], *dockerfiles.only(steps, "CMD").listed])


def test_variables_of_the_node_are_its_settings() -> None:
    names = set(dockerfiles.variables(final(dockerfiles.read(FOLDER / "node.Dockerfile"))))
    assert names - OF_PYTHON <= {key.variable for key in KEYS}
    assert {"DB_PATH", "LOG_FILE_PATH"} <= names


def paths(app: Any) -> set[str]:
    return {route.path for route in app.routes}


def test_health_is_asked_where_the_node_answers() -> None:
    (path,) = asked("node")
    assert path in paths(make_app(SimpleNamespace(version="0")))  # type: ignore[arg-type]


def test_health_is_asked_where_the_indexer_answers() -> None:
    assert asked("indexer") == []
    steps = dockerfiles.read(FOLDER / "indexer.Dockerfile")
    url = dockerfiles.variables(final(steps))["HEALTH_URL"]
    assert url == "http://127.0.0.1:8640/healthz"
    assert "/healthz" in paths(router)


def asked(image: str) -> list[str]:
    """Paths that HEALTHCHECK asks for by themselves."""
    command = dockerfiles.health_command(dockerfiles.read(FOLDER / f"{image}.Dockerfile"))
    return re.findall(r"http://127\.0\.0\.1:\d+(/\w+)", " ".join(command))


def test_ports_are_those_that_the_process_listens_on(image: str, steps: list[Step]) -> None:
    exposed = set(dockerfiles.only(steps, "EXPOSE").text.split())
    variables = dockerfiles.variables(final(steps))
    if image == "node":
        default = next(key.default for key in KEYS if key.path == "p2p.TcpPort")
        assert exposed == {default, variables["SSV_API_PORT"], variables["METRICS_API_PORT"]}
    else:
        assert exposed == {"8640", "9100"}


def test_other_forms_are_refused(tmp_path: Path) -> None:
    odd = tmp_path / "odd.Dockerfile"
    odd.write_text("FROM a\nADD b c\n")
    with pytest.raises(AssertionError, match="ADD is not read here"):
        dockerfiles.read(odd)
