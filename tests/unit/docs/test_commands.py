"""Every command in the documentation is run by a test, or it is said here why not.

A new block fails until it is entered in one of the two tables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from deploy.devnet.cli import devnet
from sdk.cli.main import phalanx
from tests.deploy.command_lines import unknown_options
from tests.unit.docs.commands import PAGES, ROOT, Block, blocks, calls, calls_in

WHOLE_PAGES: Final = {
    "docs/run-a-node.md": "tests/devnet/test_run_a_node.py",
    "docs/stake.md": "tests/devnet/test_stake.py",
}
"""Pages whose blocks one test runs in their order."""
TRIED: Final = {
    ("docs/cli.md", "umask 077"): "tests/unit/docs/test_try_it.py",
    ("docs/cli.md", "source .venv/bin/activate"): "tests/devnet/test_try_it_on_a_chain.py",
    ("docs/cli.md", "kill %1"): "tests/devnet/test_try_it_on_a_chain.py",
    ("docs/services.md", "apt-get install --yes python3"): "tests/deploy/test_image_steps.py",
}
"""Blocks by page and how they begin, and the test that runs them."""
NEEDS_ENGINE: Final = "needs a container engine; what can be executed of it: tests/deploy"
NEEDS_SYSTEMD: Final = "changes the machine; units and commands are checked in tests/deploy"
OWN_VALUES: Final = "a pattern to be filled in with one's own addresses and ids"
NOT_RUN: Final = {
    ("README.md", "make demo"): (
        "make test would run itself; what make demo starts: tests/examples/test_demo.py, tests/e2e"
    ),
    ("README.md", "source .venv/bin/activate"): (
        "with the reader's own keystore; the same commands are run in docs/cli.md, Try it"
    ),
    ("docs/index.md", "make demo"): "tests/examples/test_demo.py and tests/e2e run what it starts",
    ("docs/deployment.md", "deploy/toolchain/run anvil &"): (
        "takes anvil's fixed port; the same calls are made by tests/deploy"
    ),
    ("docs/deployment.md", "phalanx deploy propose-parameter updateMinimumLiquidationCollateral"): (
        OWN_VALUES
    ),
    ("docs/devnet.md", "source .venv/bin/activate"): (
        "takes the fixed ports; the same calls are made by tests/devnet/test_devnet_up.py"
    ),
    ("docs/devnet.md", "deploy/toolchain/run .venv/bin/python -m deploy.devnet.network"): (
        "takes four minutes; tests/e2e has such runs"
    ),
    ("docs/api.md", "phalanx indexer api --database"): (
        "its database is the reader's; tests/indexer/api/test_process.py runs the command"
    ),
    ("docs/api.md", "key=$(openssl rand"): (
        "needs openssl, which nothing else does; tests/unit/indexer/api/test_keys.py has the file"
    ),
    ("docs/bulk-registration.md", "export PHALANX_RPC=…"): (OWN_VALUES),
    ("docs/liquidator.md", "export PHALANX_RPC=http"): (OWN_VALUES),
    ("docs/moving-validators.md", "phalanx keys split …"): (OWN_VALUES),
    ("docs/moving-validators.md", "phalanx validators exit 0x… --operators"): (OWN_VALUES),
    ("docs/moving-validators.md", "phalanx validators exit 0x… --from-withdrawal-address"): (
        OWN_VALUES
    ),
    ("docs/containers.md", "docker build"): NEEDS_ENGINE,
    ("docs/containers.md", "cd deploy/compose"): NEEDS_ENGINE,
    ("docs/containers.md", "sudo chown"): NEEDS_ENGINE,
    ("docs/containers.md", "docker compose -f indexer.yml up"): NEEDS_ENGINE,
    ("docs/containers.md", "docker compose -f indexer.yml exec"): NEEDS_ENGINE,
    ("docs/services.md", "useradd --system"): (NEEDS_SYSTEMD),
    ("docs/services.md", "runuser -u phalanx"): (NEEDS_SYSTEMD),
}
"""Blocks that no test runs, and why."""
TARGET: Final = re.compile(r"(?:^|`)make ([a-z0-9]+)", re.M)


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]


def test_every_block_is_run_by_a_test_or_said_not_to_be() -> None:
    listed = [*TRIED, *NOT_RUN]
    used = set()
    for block in all_blocks():
        if block.page in WHOLE_PAGES:
            continue
        entries = [
            each for each in listed if each[0] == block.page and block.first.startswith(each[1])
        ]
        assert len(entries) == 1, f"{block.page}: say which test runs {block.first!r}, or why none"
        used |= set(entries)
    assert set(listed) - used == set(), "no page has these any more"


def test_tests_that_run_blocks_exist() -> None:
    files = [*WHOLE_PAGES.values(), *TRIED.values()]
    assert [name for name in files if not (ROOT / name).is_file()] == []
    told = " ".join(NOT_RUN.values())
    named = set(re.findall(r"tests/[\w/]+(?:\.py)?", told))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_call_of_the_command_is_understood(page: str) -> None:
    """No option is misspelt, and no command is gone."""
    for words in calls(page):
        check(words)


def check(words: list[str]) -> None:
    """Names and options; `…` in a name stands for any."""
    if not words or words[0] == "…":
        return
    if words[0] == "deploy":  # handed on, as it is, to a program in Ape's environment
        told = "".join(path.read_text() for path in (ROOT / "deploy/contracts_parts").glob("*.py"))
        options = [word for word in words if word.startswith("--")]
        assert [option for option in options if f'"{option}"' not in told] == []
        return
    # Those for checkouts are no part of what is installed.
    within, rest = (devnet, words[1:]) if words[0] == "devnet" else (phalanx, words)
    assert unknown_options(rest, within=within) == [], f"phalanx {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in TARGET.findall((ROOT / page).read_text()):
        assert re.search(rf"^{name}:", makefile, re.M), f"make {name}"


def test_calls_are_found_in_whatever_is_around_them() -> None:
    text = """
for i in 1 2; do
  phalanx keys inspect a.json --json > b.json
done
until phalanx node status 2> /dev/null | grep 'state: ready'; do sleep 5; done
phalanx node why $(phalanx node duties --limit 1 | cut -d ' ' -f 1)
runuser -u phalanx -- /opt/phalanx/bin/phalanx node \\
    run
cat > x <<END
phalanx no command
END
"""
    assert [" ".join(words) for words in calls_in(text)] == [
        "keys inspect a.json --json",
        "node status 2",
        "node why $",
        "node duties --limit 1",
        "node run",
    ]


def test_misspelt_option_is_found() -> None:
    with pytest.raises(AssertionError, match=r"--nonse"):
        check(["keys", "split", "--nonse", "1"])


def test_pages_are_all_pages() -> None:
    assert "README.md" in PAGES
    assert len([page for page in PAGES if page.startswith("docs/")]) == len(
        list(Path(ROOT / "docs").glob("*.md"))
    )
