"""Whether a `phalanx` command line would be understood, without running it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sdk.cli.main import phalanx


def named(
    words: Sequence[str], *, within: click.Command = phalanx
) -> tuple[click.Context, list[str]]:
    """The command or group that a line names, as a context, and the words after its name.

    Args:
        words: after `phalanx`.
        within: where the first word is looked up.
    """
    context = click.Context(within, info_name=within.name)
    rest = list(words)
    while isinstance(context.command, click.Group) and rest and not rest[0].startswith("-"):
        group = context.command
        found = group.get_command(context, rest[0])
        assert found is not None, f"{group.name} has no command {rest[0]!r}"
        context = click.Context(found, info_name=rest.pop(0), parent=context)
    return context, rest


def understood(words: Sequence[str]) -> click.Command:
    """The command of a whole line; its options exist and its arguments have a place.

    Args:
        words: after `phalanx`.

    Raises:
        click.UsageError: an option or argument that the command does not take.
    """
    context, rest = named(words)
    command = context.command
    assert not isinstance(command, click.Group), f"{command.name} wants a command"
    _, left, _ = command.make_parser(context).parse_args(args=rest)
    assert not left, f"{command.name} does not take {left}"
    return command


def unknown_options(words: Sequence[str], *, within: click.Command = phalanx) -> list[str]:
    """Options of a line that its command does not have; the line may lack values and arguments."""
    context, rest = named(words, within=within)
    known = {name for each in context.command.params for name in (*each.opts, *each.secondary_opts)}
    known |= set(context.help_option_names)
    options = [word.split("=")[0] for word in rest if word.startswith("-") and word != "--"]
    return [option for option in options if option not in known]


def variables(command: click.Command) -> set[str]:
    """Variables of the environment that the command's options read."""
    named_ones = [each.envvar for each in command.params if each.envvar is not None]
    return {name for each in named_ones for name in ([each] if isinstance(each, str) else each)}
