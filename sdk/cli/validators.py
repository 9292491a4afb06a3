"""`phalanx validators`: registering, listing, removing and exiting validators."""

from __future__ import annotations

import click

from sdk.cli.chain_options import (
    ChainOptions,
    operators_option,
    owner_option,
    reading_options,
    writing_options,
)
from sdk.cli.open_session import open_session
from sdk.cli.validator_exits import exit_
from sdk.cli.validator_keys_argument import keys_argument
from sdk.cli.validator_moves import move
from sdk.cli.validator_registrations import register
from sdk.types import Address


@click.group()
def validators() -> None:
    """Register validators from keyshares, move them to other operators, exit and remove them."""


validators.add_command(register)
validators.add_command(exit_)
validators.add_command(move)


@validators.command("list")
@owner_option
@reading_options
def list_(chain: ChainOptions, owner: Address | None) -> None:
    """The owner's registered validators and their operators, in order of registration."""
    session = open_session(chain)
    from sdk.client.addresses import to_checksum
    from sdk.client.listing import validators_of

    account = to_checksum(session.owner(owner))
    found = session.client.perform(validators_of(session.client.context.deployment, account))
    facts = [
        {
            "public_key": "0x" + each.public_key.hex(),
            "operator_ids": list(each.operator_ids),
            "block": each.block,
        }
        for each in found
    ]
    lines = [
        f"0x{each.public_key.hex()}  operators {','.join(map(str, each.operator_ids))}"
        for each in found
    ]
    session.output.result(
        {"owner": account, "validators": facts}, "\n".join(lines) or f"{account} has no validators"
    )


@validators.command()
@keys_argument
@operators_option
@writing_options
def remove(chain: ChainOptions, operator_ids: tuple[int, ...], keys: tuple[str, ...]) -> None:
    """Remove validators from their cluster: the operators stop signing at once.

    A validator that is active on the beacon chain then loses a little with every epoch; to end it,
    exit it first. Never run its key elsewhere before its operators are silent: see
    docs/moving-validators.md.
    """
    session = open_session(chain)
    session.output.note(
        "the operators stop signing as soon as they see this; an active validator is offline then"
    )
    session.submit(session.client.validators.remove(operator_ids, keys))
