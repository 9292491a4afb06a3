"""docs/devnet.md has what the commands, the keys and the ports are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from deploy.devnet.cli import devnet
from deploy.devnet.options import BASE, FOLDER
from deploy.devnet.ports import PortPlan
from deploy.devnet.presses import Act

PAGE = (Path(__file__).parents[2] / "docs/devnet.md").read_text()


@pytest.mark.parametrize("name", devnet.list_commands(click.Context(devnet)))
def test_page_has_every_command_with_its_options(name: str) -> None:
    command = devnet.get_command(click.Context(devnet), name)
    assert command is not None
    assert re.search(rf"^\| `{name}[` ]", PAGE, re.M)
    options = [word for each in command.params for word in each.opts if word.startswith("--")]
    assert [word for word in options if not re.search(rf"{word}\b", PAGE)] == []


def test_page_has_every_key() -> None:
    rows = re.findall(r"^\| ((?:`[a-z]`(?:, )?)+)(?: and a number)? \|", PAGE, re.M)
    keys = [key for row in rows for key in re.findall(r"`([a-z])`", row)]
    assert sorted(keys) == sorted(act.value for act in Act)


def test_page_has_the_ports_and_the_folder() -> None:
    plan = PortPlan(BASE)
    assert f"Ports follow from the base ({BASE} " in PAGE
    assert f"In the folder (`{FOLDER}` " in PAGE
    beacons, operators = plan.beacons(2)[::2], plan.operators(3)[1::3]
    told = [", ".join(str(port - BASE) for port in ports) for ports in (beacons, operators)]
    assert f"| base + {plan.indexer - BASE} | the indexer's API" in PAGE
    assert f"| base + {told[0]} | beacon nodes, REST" in PAGE
    assert f"| base + {told[1]}, … | operators' nodes" in PAGE
