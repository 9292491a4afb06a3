"""The steps of the container files that are Python's, executed in a folder instead of an image.

There is no container engine in a test. What apt-get and useradd do is checked as text
(test_dockerfiles.py); everything else runs as written, with /opt and /build in a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.deploy import dockerfiles
from tests.deploy.dockerfiles import FOLDER, ROOT, Step

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

TOOLS = ROOT / "deploy/toolchain/run"
LONGEST_S = 600.0
"""Of one step, where nothing is in the package cache and fastecdsa has to be compiled."""
PACKAGES = ("sdk", "indexer", "operator_node")
MACHINE = ("apt-get", "useradd")
"""Steps that change a machine."""
IN_DEBIAN = re.compile(
    r"(?:libc|libm|libdl|librt|libpthread|libresolv|libutil|libgcc_s|libstdc\+\+|libz)\.so"
)
"""Libraries that python:3.11-slim brings; nothing of Python itself is looked at here."""
MOST_BYTES = {"node": 165_000_000, "indexer": 140_000_000}
"""Of packages without bytecode. The base has some 130 MB, bytecode about 60."""
LOAD_ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        importlib.import_module(found.name)
"""
NOT_FOR_A_DEPLOYMENT = "indexer.store.migrations.env"
"""Alembic runs it; it cannot be imported."""


@dataclass(frozen=True, slots=True)
class Image:
    """What the steps of a container file left in a folder."""

    name: str
    root: Path
    steps: list[Step]

    def placed(self, text: str) -> str:
        """A text with the image's folders replaced by where they are here."""
        return re.sub(r"(?<![\w.])/(opt|build|data)(?=[/:\s\"]|$)", rf"{self.root}/\1", text)

    @property
    def variables(self) -> dict[str, str]:
        """Of a process in the container; nothing of this machine's."""
        found = dockerfiles.variables([step for step in self.steps if step.stage == 1])
        placed = {name: self.placed(value) for name, value in found.items()}
        return placed | {"PATH": placed["PATH"].replace("$PATH", os.defpath)}

    @property
    def packages(self) -> Path:
        """Where everything was installed."""
        (folder,) = (self.root / "opt/phalanx/lib").glob("python3*/site-packages")
        return folder

    def run(self, *words: str, more: dict[str, str] | None = None) -> str:
        """What a command says, as the container would run it; it must succeed."""
        ran = self.attempt(*words, more=more)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def attempt(
        self, *words: str, more: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The same, whatever comes of it."""
        variables = self.variables | (more or {})
        found = shutil.which(words[0], path=variables["PATH"])
        assert found, f"{words[0]} is not in the image"
        return subprocess.run(
            [found, *words[1:]],
            cwd=self.root / "data",
            env=variables,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )


def execute(image: Image) -> None:
    """Every step of the first stage that is not the machine's."""
    here = image.root / "build"
    for folder in ("build", "opt", "data", "bin"):
        (image.root / folder).mkdir()
    python = image.root / "bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" "$@"\n')  # type: ignore[attr-defined]
    python.chmod(0o755)
    path = f"PATH={python.parent}:{os.environ['PATH']}"
    for step in (step for step in image.steps if step.stage == 0):
        if step.word == "COPY":
            *sources, target = step.text.split()
            for source in sources:
                copy(ROOT / source, here / target / (source if target == "./" else ""))
        elif step.word == "RUN" and not any(word in step.text for word in MACHINE):
            ran = subprocess.run(
                [TOOLS, "env", path, "sh", "-e", "-c", image.placed(step.text)],
                cwd=here,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
            )
            assert ran.returncode == 0, f"{step.text}\n{ran.stdout}{ran.stderr}"


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


@pytest.mark.parametrize("name", ["node", "indexer"])
def test_image_works_as_its_file_says(name: str, tmp_path: Path) -> None:
    """One test, as making the folder takes longer than looking at it."""
    image = Image(name, tmp_path, dockerfiles.read(FOLDER / f"{name}.Dockerfile"))
    execute(image)
    entrypoint_answers_and_every_module_loads(image)
    every_file_of_the_packages_is_installed(image)
    libraries_beside_debians_own_are_those_of_the_final_stage(image)
    packages_stay_small(image)
    health_check_tells_what_the_process_answers(image)
    shutil.rmtree(tmp_path)  # pytest would keep a few hundred megabytes


def entrypoint_answers_and_every_module_loads(image: Image) -> None:
    entry = dockerfiles.only(image.steps, "ENTRYPOINT").listed
    command = dockerfiles.only(image.steps, "CMD").listed[0]
    rooms = ["sdk", "operator_node" if image.name == "node" else "indexer"]
    load = LOAD_ALL.replace(
        "importlib.import_module(found.name)",
        f"found.name == {NOT_FOR_A_DEPLOYMENT!r} or importlib.import_module(found.name)",
    )
    # First, as it leaves bytecode behind, which the image has from its first stage.
    image.run("python", "-I", "-c", load, *rooms)
    assert "Usage: phalanx" in image.run(*entry, command, "--help")


def every_file_of_the_packages_is_installed(image: Image) -> None:
    files = [each for package in PACKAGES for each in (ROOT / package).rglob("*")]
    names = [
        each.relative_to(ROOT)
        for each in files
        if each.is_file() and "__pycache__" not in each.parts
    ]
    assert len(names) > 300
    assert [name for name in names if not (image.packages / name).is_file()] == []


def libraries_beside_debians_own_are_those_of_the_final_stage(image: Image) -> None:
    modules = [str(path) for path in image.packages.rglob("*.so*") if path.is_file()]
    told = subprocess.run(["ldd", *modules], capture_output=True, text=True, check=False).stdout
    wanted = set(re.findall(r"^\t(\S+\.so\S*) => (?!/tmp)", told, re.M))
    bundled = {Path(module).name for module in modules}
    foreign = {each for each in wanted - bundled if not IN_DEBIAN.match(each)}
    assert foreign == ({"libgmp.so.10"} if image.name == "node" else set())


def packages_stay_small(image: Image) -> None:
    files = [each for each in image.packages.rglob("*") if each.is_file() and each.suffix != ".pyc"]
    size = sum(each.stat().st_size for each in files)
    print(f"{image.name}: {size / 1e6:.0f} MB of packages, without bytecode")
    assert size < MOST_BYTES[image.name]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that gives every request the same status; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health_check_tells_what_the_process_answers(image: Image) -> None:
    for status, is_healthy in ((200, True), (503, False), (500, False)):
        with answering(status) as port:
            assert is_well(image, port) == is_healthy, status
    assert not is_well(image, port), "nobody listens there any more"


def is_well(image: Image, port: int) -> bool:
    """What HEALTHCHECK finds, with the process at another port."""
    command = [
        re.sub(r"(127\.0\.0\.1):\d+", rf"\1:{port}", word)
        for word in dockerfiles.health_command(image.steps)
    ]
    url = image.variables.get("HEALTH_URL", "")
    more = {"HEALTH_URL": re.sub(r":\d+/", f":{port}/", url)} if url else {}
    return image.attempt(*command, more=more).returncode == 0


def test_package_with_another_hash_than_the_lock_is_refused(tmp_path: Path) -> None:
    """`--constraints` is what the container files check hashes by."""
    lock = (ROOT / "requirements/runtime.txt").read_text()
    entry = re.search(r"^idna==.*?(?=^\S)", lock, re.M | re.S)
    assert entry
    forged = tmp_path / "forged.txt"
    right = tmp_path / "right.txt"
    right.write_text(entry[0])
    forged.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + 64 * "0", entry[0]))
    assert install(right, tmp_path).returncode == 0
    refused = install(forged, tmp_path)
    assert refused.returncode != 0
    assert "ash mismatch" in refused.stderr


def install(constraints: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(TOOLS, ROOT / ".venv-uv/bin/uv", "pip", "install", "--reinstall", "--no-cache"),
            *("--target", folder / "installed", "--constraints", constraints, "idna"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
