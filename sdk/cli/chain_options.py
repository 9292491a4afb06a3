"""Options that all commands about the registry share: which node, which registry, who signs.

Nothing here imports web3; `sdk.cli.open_session` does, when a command really runs. Keys and
passwords are never arguments, only the names of files that hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from sdk.cli.inputs import AddressType, path_type
from sdk.cli.output import json_option
from sdk.cli.passwords import PasswordSource, password_options
from sdk.errors import UsageError
from sdk.networks import NETWORKS
from sdk.types import MAX_OPERATOR_ID, Address, checksum_address, parse_address
from sdk.units import parse_ether

Command: TypeAlias = Callable[..., Any]
_FILE: Final = path_type


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOptions:
    """What the user said about node, registry, signer and output.

    Attributes:
        rpc: the node's address, which may hold an access key; never shown.
        dry_run: plan and simulate only.
        export: where to write the unsigned call instead of sending it.
        safe: where to write a batch for the Safe transaction builder instead.
    """

    rpc: str
    registry: Address | None
    network: str | None
    start_block: int
    sender: Address | None
    as_json: bool
    key_file: Path | None = None
    keystore: Path | None = None
    remote_signer: str | None = None
    password: PasswordSource = field(default_factory=PasswordSource)
    dry_run: bool = False
    yes: bool = False
    export: Path | None = None
    safe: Path | None = None

    def __post_init__(self) -> None:
        signers = [self.key_file, self.keystore, self.remote_signer]
        if sum(each is not None for each in signers) > 1:
            raise UsageError("more than one signer is given", code="signers")
        if self.export is not None and self.safe is not None:
            raise UsageError("--export and --safe exclude each other", code="exports")
        if self.remote_signer is not None and self.sender is None:
            raise UsageError(
                "--remote-signer needs --from, the account to sign for", code="signers"
            )

    @property
    def sender_text(self) -> str | None:
        """The calling account as named, in its EIP-55 form."""
        return None if self.sender is None else checksum_address(self.sender)

    @property
    def has_signer(self) -> bool:
        """Whether the user named one."""
        return (self.key_file or self.keystore or self.remote_signer) is not None


_NODE_OPTIONS: Final = (
    click.option(
        "--rpc",
        envvar="PHALANX_RPC",
        required=True,
        metavar="URL",
        help="Execution node [env: PHALANX_RPC, for an address that holds an access key].",
    ),
    click.option(
        "--registry",
        type=AddressType(),
        envvar="PHALANX_REGISTRY",
        required=True,
        help="The registry's address [env: PHALANX_REGISTRY].",
    ),
    click.option(
        "--network",
        type=click.Choice([network.name for network in NETWORKS]),
        envvar="PHALANX_NETWORK",
        help="What the node must follow [env: PHALANX_NETWORK]; any chain if not given.",
    ),
    click.option(
        "--start-block",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        envvar="PHALANX_START_BLOCK",
        help="Block of the registry's deployment; nothing older is searched [env: "
        "PHALANX_START_BLOCK].",
    ),
    click.option(
        "--from",
        "sender",
        type=AddressType(),
        help="Calling account; needed without a signer in this process.",
    ),
    json_option,
)
_SIGNER_OPTIONS: Final = (
    click.option("--key-file", type=_FILE, help="File (mode 0600) with a private key as hex."),
    click.option("--keystore", type=_FILE, help="Keystore (version 3) of the calling account."),
    click.option(
        "--remote-signer",
        envvar="PHALANX_REMOTE_SIGNER",
        metavar="URL",
        help="Signer that answers eth_signTransaction, such as web3signer; needs --from.",
    ),
)
_SIGNING_OPTIONS: Final = (
    *_SIGNER_OPTIONS,
    click.option("--dry-run", is_flag=True, help="Plan and simulate; sign and send nothing."),
    click.option("--yes", is_flag=True, help="Do not ask before sending."),
)
_EXPORT_OPTIONS: Final = (
    click.option("--export", type=_FILE, help="Write the unsigned call as JSON; send nothing."),
    click.option(
        "--safe", type=_FILE, help="Write a Safe transaction builder batch; send nothing."
    ),
)


def reading_options(command: Command) -> Command:
    """For commands that only read; the command receives one `ChainOptions` named `chain`."""
    return _collect(command, _NODE_OPTIONS)


def writing_options(command: Command) -> Command:
    """For commands that make one call of the registry."""
    options = (*_NODE_OPTIONS, *_SIGNING_OPTIONS, *_EXPORT_OPTIONS)
    return _collect(command, options, with_password=True)


def journal_options(command: Command) -> Command:
    """For commands of several transactions, which need a signer and cannot be exported."""
    return _collect(command, (*_NODE_OPTIONS, *_SIGNING_OPTIONS), with_password=True)


def keeper_options(command: Command) -> Command:
    """For commands that go on by themselves, and send only if they are told to once and for all."""
    return _collect(command, (*_NODE_OPTIONS, *_SIGNER_OPTIONS), with_password=True)


def _collect(
    command: Command, options: tuple[Command, ...], *, with_password: bool = False
) -> Command:
    names = [*ChainOptions.__dataclass_fields__]

    @wraps(command)
    def collected(**arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in names if name in arguments}
        return command(chain=ChainOptions(**given), **arguments)

    decorated: Command = collected
    if with_password:
        decorated = password_options()(decorated)
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


class EtherType(click.ParamType[int]):
    """An amount in ether, exact; the command receives wei."""

    name = "ether"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> int:
        return value if isinstance(value, int) else parse_ether(value)


class OperatorIdsType(click.ParamType[tuple[int, ...]]):
    """Operator ids as `1,2,3,4`."""

    name = "ids"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isascii() and word.isdigit() and len(word) <= 20 for word in words):
            self.fail(f"{value[:80]!r} is no list of ids such as 1,2,3,4", parameter, context)
        ids = tuple(int(word) for word in words)
        if not all(1 <= each <= MAX_OPERATOR_ID for each in ids):
            self.fail(f"ids are whole numbers from 1 to {MAX_OPERATOR_ID}", parameter, context)
        return ids


class AddressesType(click.ParamType[tuple[Address, ...]]):
    """Addresses separated by commas."""

    name = "addresses"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[Address, ...]:
        if isinstance(value, tuple):
            return value
        option = parameter.opts[0] if parameter is not None else "address"
        return tuple(parse_address(each.strip(), what=option) for each in str(value).split(","))


ETHER: Final = EtherType()
ADDRESSES: Final = AddressesType()
OPERATOR_ID: Final = click.IntRange(1, MAX_OPERATOR_ID)

operators_option = click.option(
    "--operators",
    "operator_ids",
    type=OperatorIdsType(),
    required=True,
    help="The cluster's operator ids, ascending, as 1,2,3,4.",
)
owner_option = click.option(
    "--owner", type=AddressType(), help="Owner of the cluster, if not the calling account."
)
