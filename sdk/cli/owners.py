"""`phalanx owner`: an owner's registration nonce and where its rewards go."""

from __future__ import annotations

import click

from sdk.cli.chain_options import ChainOptions, owner_option, reading_options, writing_options
from sdk.cli.inputs import AddressType
from sdk.cli.open_session import open_session
from sdk.types import Address


@click.group()
def owner() -> None:
    """The registration nonce and the fee recipient of an owner of validators."""


@owner.command()
@owner_option
@reading_options
def nonce(chain: ChainOptions, owner: Address | None) -> None:
    """Nonce that the owner's next registration uses up; keyshares are signed for it."""
    session = open_session(chain)
    account = session.owner(owner)
    latest = session.client.owners.nonce(account)
    pending = session.client.owners.nonce(account, block="pending")
    lines = [str(latest)]
    if pending != latest:
        lines.append(f"{pending} once the registrations that are pending now are mined")
    session.output.result({"nonce": latest, "pending": pending}, "\n".join(lines))


@owner.command("set-fee-recipient")
@click.argument("recipient", type=AddressType())
@writing_options
def set_fee_recipient(chain: ChainOptions, recipient: Address) -> None:
    """Choose where proposal rewards of all of the owner's validators go."""
    session = open_session(chain)
    session.submit(session.client.owners.set_fee_recipient(recipient))
