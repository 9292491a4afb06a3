"""`phalanx validators`: registering, listing, removing and exiting validators."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from sdk.cli.validator_moves import beacon_option, move
from sdk.cli.validator_registrations import register
from sdk.types import Address, PublicKey

if TYPE_CHECKING:
    from sdk.client.attendance import Attendance


@click.group()
def validators() -> None:
    """Register validators from keyshares, move them to other operators, exit and remove them."""


validators.add_command(register)
validators.add_command(exit_)
validators.add_command(move)


@validators.command("list")
@owner_option
@beacon_option
@reading_options
def list_(chain: ChainOptions, owner: Address | None, beacon: str | None) -> None:
    """The owner's registered validators and their operators, in order of registration.

    With --beacon also each one's state on the beacon chain, and whether that node has seen it sign
    in the newest epoch and in the one before.
    """
    session = open_session(chain)
    from sdk.client.addresses import to_checksum
    from sdk.client.listing import validators_of

    account = to_checksum(session.owner(owner))
    found = session.client.perform(validators_of(session.client.context.deployment, account))
    seen = None if beacon is None else _attendance(beacon, [each.public_key for each in found])
    facts = [
        {
            "public_key": "0x" + each.public_key.hex(),
            "operator_ids": list(each.operator_ids),
            "block": each.block,
            **({} if seen is None else {"beacon": _facts(seen.get(each.public_key))}),
        }
        for each in found
    ]
    lines = [
        f"0x{each.public_key.hex()}  operators {','.join(map(str, each.operator_ids))}"
        + ("" if seen is None else f"  {_words(seen.get(each.public_key))}")
        for each in found
    ]
    session.output.result(
        {"owner": account, "validators": facts}, "\n".join(lines) or f"{account} has no validators"
    )


def _attendance(url: str, keys: list[PublicKey]) -> dict[PublicKey, Attendance]:
    from sdk.client.attendance import attendance
    from sdk.client.beacon import BeaconNode

    return attendance(BeaconNode(url), keys)


def _facts(seen: Attendance | None) -> dict[str, object] | None:
    if seen is None:
        return None
    return {
        "index": seen.index,
        "status": seen.status,
        "signed": {str(epoch): has_signed for epoch, has_signed in seen.signed},
    }


def _words(seen: Attendance | None) -> str:
    if seen is None:
        return "not on the beacon chain"
    signed = [
        f"{'signed' if has_signed else 'not seen to sign'} in epoch {epoch}"
        for epoch, has_signed in seen.signed
    ]
    return ", ".join(
        [seen.status, *(signed or ["this beacon node does not tell whether it signs"])]
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
