"""Keys and what they ask for."""

from __future__ import annotations

import pytest

from deploy.devnet.presses import Act, Command, Presses


def typed(keys: str, *, operators: int = 4, beacons: int = 2) -> tuple[list[Command], str]:
    """The commands that these keys make, and the question that is left."""
    presses, commands = Presses(operators, beacons), []
    for key in keys:
        presses, command = presses.press(key)
        if command is not None:
            commands.append(command)
    return commands, presses.question


@pytest.mark.parametrize(
    ("keys", "commands"),
    [
        ("k3", [Command(Act.KILL, 3)]),
        ("r4", [Command(Act.RESTART, 4)]),
        ("b2", [Command(Act.BEACON, 2)]),
        ("a", [Command(Act.ADD)]),
        ("x", [Command(Act.EXIT)]),
        ("o", [Command(Act.REORGANISE)]),
        ("q", [Command(Act.QUIT)]),
        ("k1k2", [Command(Act.KILL, 1), Command(Act.KILL, 2)]),
        ("zK? ", []),
        ("k5", []),
        ("k0", []),
        ("b3", []),
        ("k5a", [Command(Act.ADD)]),
        ("ka", [Command(Act.ADD)]),
        ("kr2", [Command(Act.RESTART, 2)]),
        ("k\r2", []),
        ("k٣", []),  # a digit, but not one of ours
    ],
)
def test_keys_make_commands(keys: str, commands: list[Command]) -> None:
    assert typed(keys)[0] == commands


@pytest.mark.parametrize(
    ("keys", "commands", "question"),
    [
        ("k1", [], "kill the node of operator: 1"),
        ("k1\r", [Command(Act.KILL, 1)], ""),
        ("k12", [Command(Act.KILL, 12)], ""),
        ("k14", [], ""),
        ("k2", [Command(Act.KILL, 2)], ""),
        ("k1\x7f", [], "kill the node of operator: "),
        ("k1\x7f9", [Command(Act.KILL, 9)], ""),
        ("k", [], "kill the node of operator: "),
    ],
)
def test_number_is_taken_once_no_longer_one_could_be_meant(
    keys: str, commands: list[Command], question: str
) -> None:
    assert typed(keys, operators=13) == (commands, question)
